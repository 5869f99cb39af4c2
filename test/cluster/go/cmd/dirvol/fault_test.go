package main

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/container-storage-interface/spec/lib/go/csi"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

func newDriver(t *testing.T) *driver {
	d := &driver{data: t.TempDir()}
	for _, kind := range []string{"volumes", "snapshots", "groups", "faults"} {
		if err := os.Mkdir(filepath.Join(d.data, kind), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	claim := map[string]string{"csi.storage.k8s.io/pvc/namespace": "shop", "csi.storage.k8s.io/pvc/name": "data", "other/name": "no"}
	if err := d.create("volumes", &meta{ID: "pvc-1", Params: claim}, ""); err != nil {
		t.Fatal(err)
	}
	if err := d.create("snapshots", &meta{ID: "snapshot-1", Source: "pvc-1"}, ""); err != nil {
		t.Fatal(err)
	}
	return d
}

func inject(t *testing.T, d *driver, json string) {
	if err := os.WriteFile(filepath.Join(d.data, "faults", "f.json"), []byte(json), 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestFaultHitsWhatItIsAimedAt(t *testing.T) {
	create := &csi.CreateSnapshotRequest{Name: "snapshot-2", SourceVolumeId: "pvc-1",
		Parameters: map[string]string{"csi.storage.k8s.io/volumesnapshot/namespace": "shop", "csi.storage.k8s.io/volumesnapshot/name": "snap"}}
	remove := &csi.DeleteSnapshotRequest{SnapshotId: "snapshot-1"}
	for _, c := range []struct {
		fault, rpc string
		request    any
		want       codes.Code
	}{
		{`{"rpc":"CreateSnapshot","code":14}`, "CreateSnapshot", create, codes.Unavailable},
		{`{"rpc":"CreateSnapshot","code":"UNAVAILABLE"}`, "CreateSnapshot", create, codes.Unavailable},
		{`{"rpc":"CreateSnapshot","code":14}`, "DeleteSnapshot", remove, codes.OK},
		{`{"rpc":"CreateSnapshot","code":14,"namespace":"shop"}`, "CreateSnapshot", create, codes.Unavailable},
		{`{"rpc":"CreateSnapshot","code":14,"namespace":"bank"}`, "CreateSnapshot", create, codes.OK},
		{`{"rpc":"CreateSnapshot","code":14,"namespace":"shop","name":"snap"}`, "CreateSnapshot", create, codes.Unavailable},
		{`{"rpc":"CreateSnapshot","code":14,"namespace":"shop","name":"data"}`, "CreateSnapshot", create, codes.Unavailable},
		{`{"rpc":"CreateSnapshot","code":14,"namespace":"shop","name":"no"}`, "CreateSnapshot", create, codes.OK},
		{`{"rpc":"CreateSnapshot","code":14,"handle":"pvc-1"}`, "CreateSnapshot", create, codes.Unavailable},
		{`{"rpc":"CreateSnapshot","code":14,"handle":"snapshot-2"}`, "CreateSnapshot", create, codes.Unavailable},
		{`{"rpc":"DeleteSnapshot","code":13,"namespace":"shop"}`, "DeleteSnapshot", remove, codes.Internal},
		{`{"rpc":"DeleteSnapshot","code":13,"name":"data"}`, "DeleteSnapshot", remove, codes.Internal},
		{`{"rpc":"DeleteSnapshot","code":13,"handle":"snapshot-9"}`, "DeleteSnapshot", remove, codes.OK},
		{`{"rpc":"NodePublishVolume","code":13,"namespace":"shop"}`, "NodePublishVolume", &csi.NodePublishVolumeRequest{VolumeId: "pvc-1"}, codes.Internal},
		{`{"rpc":"DeleteVolume","code":13,"handle":"../x"}`, "DeleteVolume", &csi.DeleteVolumeRequest{VolumeId: "../x"}, codes.OK},
		{`no JSON`, "CreateSnapshot", create, codes.OK},
	} {
		d := newDriver(t)
		inject(t, d, c.fault)
		if got := status.Code(d.inject(context.Background(), c.rpc, c.request)); got != c.want {
			t.Errorf("%s on %s %v: %v, want %v", c.fault, c.rpc, c.request, got, c.want)
		}
	}
}

func TestFaultHitsSoManyTimes(t *testing.T) {
	d := newDriver(t)
	inject(t, d, `{"rpc":"Probe","code":14,"times":2}`)
	for i, want := range []codes.Code{codes.Unavailable, codes.Unavailable, codes.OK, codes.OK} {
		if got := status.Code(d.inject(context.Background(), "Probe", &csi.ProbeRequest{})); got != want {
			t.Errorf("call %d: %v, want %v", i, got, want)
		}
	}
	if hits, _ := os.ReadFile(filepath.Join(d.data, "faults", "f.hits")); string(hits) != ".." {
		t.Errorf("%d hits counted, want 2", len(hits))
	}
}

func TestDelayEndsWithTheCall(t *testing.T) {
	d := newDriver(t)
	inject(t, d, `{"rpc":"Probe","delayMs":60000}`)
	ctx, cancel := context.WithTimeout(context.Background(), time.Millisecond)
	defer cancel()
	if got := status.Code(d.inject(ctx, "Probe", &csi.ProbeRequest{})); got != codes.DeadlineExceeded {
		t.Errorf("%v, want DeadlineExceeded", got)
	}
}
