package main

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"time"

	"github.com/container-storage-interface/spec/lib/go/csi"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/timestamppb"
)

func (d *driver) GroupControllerGetCapabilities(context.Context, *csi.GroupControllerGetCapabilitiesRequest) (*csi.GroupControllerGetCapabilitiesResponse, error) {
	return &csi.GroupControllerGetCapabilitiesResponse{Capabilities: []*csi.GroupControllerServiceCapability{{Type: &csi.GroupControllerServiceCapability_Rpc{
		Rpc: &csi.GroupControllerServiceCapability_RPC{Type: csi.GroupControllerServiceCapability_RPC_CREATE_DELETE_GET_VOLUME_GROUP_SNAPSHOT}}}}}, nil
}

func (d *driver) group(id string) (*csi.VolumeGroupSnapshot, *meta, error) {
	g, err := d.load("groups", id)
	if err != nil {
		return nil, nil, err
	}
	out := &csi.VolumeGroupSnapshot{GroupSnapshotId: g.ID, CreationTime: timestamppb.New(g.Created), ReadyToUse: true}
	for _, id := range g.Members {
		m, err := d.load("snapshots", id)
		if err != nil {
			return nil, nil, err
		}
		s := snap(m)
		out.ReadyToUse = out.ReadyToUse && s.ReadyToUse
		out.Snapshots = append(out.Snapshots, s)
	}
	return out, g, nil
}

func (d *driver) CreateVolumeGroupSnapshot(_ context.Context, r *csi.CreateVolumeGroupSnapshotRequest) (*csi.CreateVolumeGroupSnapshotResponse, error) {
	if err := checkID(r.GetName()); err != nil {
		return nil, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if g, _, err := d.group(r.Name); err == nil {
		return &csi.CreateVolumeGroupSnapshotResponse{GroupSnapshot: g}, nil
	}
	g := &meta{ID: r.Name, Created: time.Now(), Params: r.Parameters}
	if err := d.cutTogether(g, r.SourceVolumeIds); err != nil {
		for _, id := range g.Members {
			os.RemoveAll(d.dir("snapshots", id))
		}
		return nil, err
	}
	if err := d.create("groups", g, ""); err != nil {
		return nil, status.Error(codes.Internal, err.Error())
	}
	out, _, err := d.group(r.Name)
	return &csi.CreateVolumeGroupSnapshotResponse{GroupSnapshot: out}, err
}

const cutAttempts = 50

// cutTogether takes the snapshots of all volumes as of one moment: file systems are frozen meanwhile, and plain directories, which
// nothing can hold still, are copied again until one round has seen no change from its beginning to its end.
func (d *driver) cutTogether(g *meta, volumes []string) error {
	for _, v := range volumes {
		if data := filepath.Join(d.dir("volumes", v), "data"); mounted(data) {
			thaw, err := freeze(data)
			if err != nil {
				return status.Error(codes.Internal, err.Error())
			}
			defer thaw()
		}
	}
	for range cutAttempts {
		g.Members, g.Created = nil, time.Now()
		before := d.lastChanges(volumes)
		for i, v := range volumes {
			m, err := d.takeSnapshot(fmt.Sprintf("%s-%d", g.ID, i), v, g.ID, g.Params)
			if err != nil {
				return err
			}
			g.Members = append(g.Members, m.ID)
		}
		if slices.Equal(before, d.lastChanges(volumes)) {
			return nil
		}
		for _, id := range g.Members {
			os.RemoveAll(d.dir("snapshots", id))
		}
		time.Sleep(20 * time.Millisecond)
	}
	g.Members = nil
	return status.Error(codes.Aborted, "the volumes do not hold still for a snapshot of one moment")
}

// lastChanges tells path, size and time of change of every file of the volumes.
func (d *driver) lastChanges(volumes []string) []string {
	var all []string
	for _, v := range volumes {
		filepath.WalkDir(filepath.Join(d.dir("volumes", v), "data"), func(path string, entry fs.DirEntry, err error) error {
			if err != nil {
				return nil // gone meanwhile: the next look sees a difference
			}
			if info, err := entry.Info(); err == nil {
				all = append(all, fmt.Sprint(path, info.Size(), info.Sys().(*syscall.Stat_t).Ctim))
			}
			return nil
		})
	}
	return all
}

func (d *driver) GetVolumeGroupSnapshot(_ context.Context, r *csi.GetVolumeGroupSnapshotRequest) (*csi.GetVolumeGroupSnapshotResponse, error) {
	if err := checkID(r.GetGroupSnapshotId()); err != nil {
		return nil, err
	}
	g, _, err := d.group(r.GetGroupSnapshotId())
	if err != nil {
		return nil, status.Error(codes.NotFound, err.Error())
	}
	return &csi.GetVolumeGroupSnapshotResponse{GroupSnapshot: g}, nil
}

func (d *driver) DeleteVolumeGroupSnapshot(_ context.Context, r *csi.DeleteVolumeGroupSnapshotRequest) (*csi.DeleteVolumeGroupSnapshotResponse, error) {
	if err := checkID(r.GetGroupSnapshotId()); err != nil {
		return nil, err
	}
	ids := r.SnapshotIds
	if g, err := d.load("groups", r.GroupSnapshotId); err == nil {
		ids = append(ids, g.Members...)
	}
	for _, id := range ids {
		if checkID(id) == nil {
			os.RemoveAll(d.dir("snapshots", id))
		}
	}
	return &csi.DeleteVolumeGroupSnapshotResponse{}, os.RemoveAll(d.dir("groups", r.GroupSnapshotId))
}
