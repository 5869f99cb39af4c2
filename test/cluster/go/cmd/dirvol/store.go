package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

type meta struct {
	ID, Source, Group string
	Backing           string `json:",omitempty"`
	Bytes             int64
	Created           time.Time
	ReadyAt           time.Time
	Params            map[string]string `json:",omitempty"`
	Members           []string          `json:",omitempty"`
}

func (d *driver) dir(kind, id string) string { return filepath.Join(d.data, kind, id) }

func checkID(id string) error {
	if id == "" || strings.ContainsAny(id, "/\x00") || strings.HasPrefix(id, ".") {
		return status.Errorf(codes.InvalidArgument, "bad id %q", id)
	}
	return nil
}

func (d *driver) load(kind, id string) (*meta, error) {
	b, err := os.ReadFile(filepath.Join(d.dir(kind, id), "meta.json"))
	if err != nil {
		return nil, err
	}
	m := &meta{}
	return m, json.Unmarshal(b, m)
}

// create makes kind/id with its data (copied from the volume or snapshot directory src, empty without one) in one rename.
func (d *driver) create(kind string, m *meta, src string) error {
	tmp, err := os.MkdirTemp(filepath.Join(d.data, kind), ".tmp-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(tmp)
	data, img := filepath.Join(tmp, "data"), filepath.Join(tmp, "vol.img")
	switch {
	case m.Backing == "" && src != "":
		err = run("cp", "-a", "--reflink=auto", filepath.Join(src, "data"), data)
	case m.Backing == "":
		err = errors.Join(os.Mkdir(data, 0o777), os.Chmod(data, 0o777))
	case src != "":
		thaw := func() {}
		if mounted(filepath.Join(src, "data")) {
			if thaw, err = freeze(filepath.Join(src, "data")); err != nil {
				return err
			}
		}
		err = run("cp", "--reflink=auto", "--sparse=always", filepath.Join(src, "vol.img"), img)
		thaw()
		if fi, e := os.Stat(img); err == nil && e == nil && fi.Size() < m.Bytes && kind == "volumes" {
			err = errors.Join(os.Truncate(img, m.Bytes), run("e2fsck", "-fp", img), run("resize2fs", img))
		}
	default:
		err = run("mkfs.ext4", "-q", "-F", "-m", "0", img, fmt.Sprintf("%dk", m.Bytes/1024))
	}
	if err == nil && m.Backing != "" && kind == "volumes" {
		err = os.Mkdir(data, 0o755)
	}
	if err != nil {
		return err
	}
	b, _ := json.Marshal(m)
	if err := os.WriteFile(filepath.Join(tmp, "meta.json"), b, 0o644); err != nil {
		return err
	}
	if err := os.Chmod(tmp, 0o755); err != nil {
		return err
	}
	return os.Rename(tmp, d.dir(kind, m.ID))
}
