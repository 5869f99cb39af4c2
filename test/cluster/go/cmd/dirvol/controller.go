package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"syscall"
	"time"

	"github.com/container-storage-interface/spec/lib/go/csi"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/timestamppb"
)

func (d *driver) ControllerGetCapabilities(context.Context, *csi.ControllerGetCapabilitiesRequest) (*csi.ControllerGetCapabilitiesResponse, error) {
	r := &csi.ControllerGetCapabilitiesResponse{}
	for _, x := range []csi.ControllerServiceCapability_RPC_Type{
		csi.ControllerServiceCapability_RPC_CREATE_DELETE_VOLUME,
		csi.ControllerServiceCapability_RPC_CREATE_DELETE_SNAPSHOT,
		csi.ControllerServiceCapability_RPC_LIST_SNAPSHOTS,
		csi.ControllerServiceCapability_RPC_CLONE_VOLUME,
	} {
		r.Capabilities = append(r.Capabilities, &csi.ControllerServiceCapability{Type: &csi.ControllerServiceCapability_Rpc{Rpc: &csi.ControllerServiceCapability_RPC{Type: x}}})
	}
	return r, nil
}

func (d *driver) volume(m *meta, src *csi.VolumeContentSource) *csi.CreateVolumeResponse {
	v := &csi.Volume{VolumeId: m.ID, CapacityBytes: m.Bytes, ContentSource: src}
	if d.topology {
		v.AccessibleTopology = []*csi.Topology{{Segments: map[string]string{"topology." + d.name + "/node": d.node}}}
	}
	return &csi.CreateVolumeResponse{Volume: v}
}

func (d *driver) CreateVolume(_ context.Context, r *csi.CreateVolumeRequest) (*csi.CreateVolumeResponse, error) {
	if err := checkID(r.GetName()); err != nil {
		return nil, err
	}
	if len(r.GetVolumeCapabilities()) == 0 {
		return nil, status.Error(codes.InvalidArgument, "a required field is missing")
	}
	for _, c := range r.GetVolumeCapabilities() {
		if c.GetBlock() != nil {
			return nil, status.Error(codes.InvalidArgument, "block volumes are not supported")
		}
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	size := r.GetCapacityRange().GetRequiredBytes()
	if size == 0 {
		size = 1 << 20
	}
	if m, err := d.load("volumes", r.Name); err == nil {
		if m.Bytes < size {
			return nil, status.Error(codes.AlreadyExists, "volume exists with another size")
		}
		return d.volume(m, r.VolumeContentSource), d.attach(m)
	}
	m := &meta{ID: r.Name, Bytes: size, Created: time.Now(), Params: r.Parameters, Backing: r.Parameters["backing"]}
	if m.Backing != "" && m.Backing != "ext4" {
		return nil, status.Errorf(codes.InvalidArgument, "unknown backing %q", m.Backing)
	}
	src := ""
	if s := r.GetVolumeContentSource().GetSnapshot(); s != nil {
		sm, err := d.load("snapshots", s.SnapshotId)
		if err != nil {
			return nil, status.Errorf(codes.NotFound, "no snapshot %s", s.SnapshotId)
		}
		if time.Now().Before(sm.ReadyAt) {
			return nil, status.Errorf(codes.Unavailable, "snapshot %s is not ready", s.SnapshotId)
		}
		if size < sm.Bytes {
			return nil, status.Errorf(codes.OutOfRange, "%d bytes asked, snapshot has %d", size, sm.Bytes)
		}
		m.Source, m.Backing, src = "snapshot:"+sm.ID, sm.Backing, d.dir("snapshots", sm.ID)
	} else if s := r.GetVolumeContentSource().GetVolume(); s != nil {
		vm, err := d.load("volumes", s.VolumeId)
		if err != nil {
			return nil, status.Errorf(codes.NotFound, "no volume %s", s.VolumeId)
		}
		m.Source, m.Backing, src = "volume:"+vm.ID, vm.Backing, d.dir("volumes", vm.ID)
	}
	if err := d.create("volumes", m, src); err != nil {
		return nil, status.Error(codes.Internal, err.Error())
	}
	if err := d.attach(m); err != nil {
		return nil, status.Error(codes.Internal, err.Error())
	}
	return d.volume(m, r.VolumeContentSource), nil
}

func (d *driver) DeleteVolume(_ context.Context, r *csi.DeleteVolumeRequest) (*csi.DeleteVolumeResponse, error) {
	if err := checkID(r.GetVolumeId()); err != nil {
		return nil, err
	}
	if data := filepath.Join(d.dir("volumes", r.VolumeId), "data"); mounted(data) {
		if err := syscall.Unmount(data, 0); err != nil {
			return nil, status.Error(codes.FailedPrecondition, err.Error())
		}
	}
	return &csi.DeleteVolumeResponse{}, os.RemoveAll(d.dir("volumes", r.VolumeId))
}

func (d *driver) ValidateVolumeCapabilities(_ context.Context, r *csi.ValidateVolumeCapabilitiesRequest) (*csi.ValidateVolumeCapabilitiesResponse, error) {
	if checkID(r.GetVolumeId()) != nil || len(r.GetVolumeCapabilities()) == 0 {
		return nil, status.Error(codes.InvalidArgument, "a required field is missing")
	}
	if _, err := d.load("volumes", r.GetVolumeId()); err != nil {
		return nil, status.Error(codes.NotFound, "no such volume")
	}
	return &csi.ValidateVolumeCapabilitiesResponse{Confirmed: &csi.ValidateVolumeCapabilitiesResponse_Confirmed{VolumeCapabilities: r.VolumeCapabilities}}, nil
}

func snap(m *meta) *csi.Snapshot {
	return &csi.Snapshot{SnapshotId: m.ID, SourceVolumeId: m.Source, SizeBytes: m.Bytes, CreationTime: timestamppb.New(m.Created),
		ReadyToUse: !time.Now().Before(m.ReadyAt), GroupSnapshotId: m.Group}
}

func (d *driver) takeSnapshot(id, vol, group string, params map[string]string) (*meta, error) {
	if m, err := d.load("snapshots", id); err == nil {
		if m.Source != vol {
			return nil, status.Error(codes.AlreadyExists, "snapshot exists of another volume")
		}
		return m, nil
	}
	vm, err := d.load("volumes", vol)
	if err != nil {
		return nil, status.Errorf(codes.NotFound, "no volume %s", vol)
	}
	m := &meta{ID: id, Source: vol, Group: group, Bytes: vm.Bytes, Created: time.Now(), Params: params, Backing: vm.Backing}
	if s := params["readyAfter"]; s != "" { // VolumeSnapshotClass parameter, e.g. readyAfter: 5s
		if dur, err := time.ParseDuration(s); err == nil {
			m.ReadyAt = m.Created.Add(dur)
		}
	}
	if err := d.create("snapshots", m, d.dir("volumes", vol)); err != nil {
		return nil, status.Error(codes.Internal, err.Error())
	}
	return m, nil
}

func (d *driver) CreateSnapshot(_ context.Context, r *csi.CreateSnapshotRequest) (*csi.CreateSnapshotResponse, error) {
	if err := errors.Join(checkID(r.GetName()), checkID(r.GetSourceVolumeId())); err != nil {
		return nil, status.Error(codes.InvalidArgument, err.Error())
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	m, err := d.takeSnapshot(r.Name, r.SourceVolumeId, "", r.Parameters)
	if err != nil {
		return nil, err
	}
	return &csi.CreateSnapshotResponse{Snapshot: snap(m)}, nil
}

func (d *driver) DeleteSnapshot(_ context.Context, r *csi.DeleteSnapshotRequest) (*csi.DeleteSnapshotResponse, error) {
	if err := checkID(r.GetSnapshotId()); err != nil {
		return nil, err
	}
	return &csi.DeleteSnapshotResponse{}, os.RemoveAll(d.dir("snapshots", r.SnapshotId))
}

func (d *driver) ListSnapshots(_ context.Context, r *csi.ListSnapshotsRequest) (*csi.ListSnapshotsResponse, error) {
	es, err := os.ReadDir(filepath.Join(d.data, "snapshots"))
	if err != nil {
		return nil, status.Error(codes.Internal, err.Error())
	}
	var ids []string
	for _, e := range es {
		if !strings.HasPrefix(e.Name(), ".") && (r.SnapshotId == "" || r.SnapshotId == e.Name()) {
			ids = append(ids, e.Name())
		}
	}
	sort.Strings(ids)
	out := &csi.ListSnapshotsResponse{}
	for _, id := range ids {
		if r.StartingToken != "" && id <= r.StartingToken {
			continue
		}
		m, err := d.load("snapshots", id)
		if err != nil || (r.SourceVolumeId != "" && m.Source != r.SourceVolumeId) {
			continue
		}
		if r.MaxEntries > 0 && len(out.Entries) == int(r.MaxEntries) {
			out.NextToken = out.Entries[len(out.Entries)-1].Snapshot.SnapshotId
			break
		}
		out.Entries = append(out.Entries, &csi.ListSnapshotsResponse_Entry{Snapshot: snap(m)})
	}
	return out, nil
}
