package main

import (
	"context"
	"encoding/json"
	"log"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// A fault is a file faults/<any name>.json. It hits a call of RPC that is about
// each of namespace, name and handle that it gives, waits delayMs, and then fails
// with the gRPC code and message; without a code the call goes on after the wait.
// With times it hits so often and no more. It ends when the file is removed.
// Each hit appends a byte to faults/<any name>.hits.
type fault struct {
	RPC       string `json:"rpc"`
	Namespace string `json:"namespace"`
	// Name of the PersistentVolumeClaim, PersistentVolume, VolumeSnapshot or its content.
	Name string `json:"name"`
	// Handle of the volume or snapshot.
	Handle  string     `json:"handle"`
	Code    codes.Code `json:"code"`
	Message string     `json:"message"`
	DelayMs int64      `json:"delayMs"`
	Times   int64      `json:"times"`
}

// A subject is what a call is about, as far as it can be known: from its
// request, and from what its volume and snapshot were created with.
type subject struct{ namespaces, names, handles []string }

func (s *subject) add(params map[string]string) {
	for key, value := range params {
		if !strings.HasPrefix(key, "csi.storage.k8s.io/") { // --extra-create-metadata of the sidecars
			continue
		}
		switch {
		case strings.HasSuffix(key, "/namespace"):
			s.namespaces = append(s.namespaces, value)
		case strings.HasSuffix(key, "/name"):
			s.names = append(s.names, value)
		}
	}
}

func (f *fault) hits(rpc string, s *subject) bool {
	in := func(wanted string, all []string) bool { return wanted == "" || slices.Contains(all, wanted) }
	return f.RPC == rpc && in(f.Namespace, s.namespaces) && in(f.Name, s.names) && in(f.Handle, s.handles)
}

// subjectOf follows a snapshot to its volume: a fault aimed at a claim hits its snapshots too.
func (d *driver) subjectOf(req any) *subject {
	s := &subject{}
	if r, ok := req.(interface{ GetParameters() map[string]string }); ok {
		s.add(r.GetParameters())
	}
	stored := func(kind, id string) *meta {
		if checkID(id) != nil {
			return &meta{}
		}
		s.handles = append(s.handles, id)
		m, err := d.load(kind, id)
		if err != nil {
			return &meta{}
		}
		s.add(m.Params)
		return m
	}
	if r, ok := req.(interface{ GetName() string }); ok { // the handle that it will have
		s.handles = append(s.handles, r.GetName())
	}
	if r, ok := req.(interface{ GetVolumeId() string }); ok {
		stored("volumes", r.GetVolumeId())
	}
	if r, ok := req.(interface{ GetSourceVolumeId() string }); ok {
		stored("volumes", r.GetSourceVolumeId())
	}
	if r, ok := req.(interface{ GetSourceVolumeIds() []string }); ok {
		for _, id := range r.GetSourceVolumeIds() {
			stored("volumes", id)
		}
	}
	if r, ok := req.(interface{ GetSnapshotId() string }); ok {
		stored("volumes", stored("snapshots", r.GetSnapshotId()).Source)
	}
	if r, ok := req.(interface{ GetGroupSnapshotId() string }); ok {
		stored("groups", r.GetGroupSnapshotId())
	}
	return s
}

// inject returns what the first fault that hits makes of the call, by order of the file names.
func (d *driver) inject(ctx context.Context, rpc string, req any) error {
	files, _ := filepath.Glob(filepath.Join(d.data, "faults", "*.json"))
	if len(files) == 0 {
		return nil
	}
	s := d.subjectOf(req)
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			continue // removed meanwhile
		}
		f := &fault{}
		if err := json.Unmarshal(b, f); err != nil {
			log.Printf("%s is ignored: %v", file, err)
			continue
		}
		if f.hits(rpc, s) && d.count(file, f.Times) {
			return f.strike(ctx)
		}
	}
	return nil
}

// count notes one more hit of the fault, unless it has had its times.
func (d *driver) count(file string, times int64) bool {
	d.hits.Lock()
	defer d.hits.Unlock()
	h, err := os.OpenFile(strings.TrimSuffix(file, ".json")+".hits", os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o666)
	if err != nil {
		log.Print(err)
		return false
	}
	defer h.Close()
	if info, err := h.Stat(); err != nil || (times > 0 && info.Size() >= times) {
		return false
	}
	_, err = h.WriteString(".")
	return err == nil
}

func (f *fault) strike(ctx context.Context) error {
	select {
	case <-time.After(time.Duration(f.DelayMs) * time.Millisecond):
	case <-ctx.Done():
		return status.FromContextError(ctx.Err()).Err()
	}
	if f.Code == codes.OK {
		return nil
	}
	return status.Error(f.Code, "injected: "+f.Message)
}

func (d *driver) intercept(ctx context.Context, req any, info *grpc.UnaryServerInfo, h grpc.UnaryHandler) (any, error) {
	rpc := info.FullMethod[strings.LastIndex(info.FullMethod, "/")+1:]
	if err := d.inject(ctx, rpc, req); err != nil {
		log.Printf("%s %v -> %v", rpc, req, err)
		return nil, err
	}
	resp, err := h(ctx, req)
	if rpc != "Probe" {
		log.Printf("%s %v -> %v err=%v", rpc, req, resp, err)
	}
	return resp, err
}
