import { expect, it } from 'vitest';
import type { SnapshotDelayCause } from '../model/event.ts';
import type { JsonObject } from '../model/json.ts';
import type { KubernetesObject, StringMap } from '../model/kubernetes.ts';
import { diagnoseSnapshot, type SnapshotEvidence } from './diagnose.ts';

const driver = 'disk.csi.example';
const beingCreated = {
  annotations: { 'snapshot.storage.kubernetes.io/volumesnapshot-being-created': 'yes' },
};

function volumeSnapshot(status?: JsonObject, metadata: JsonObject = {}): KubernetesObject {
  return {
    apiVersion: 'snapshot.storage.k8s.io/v1',
    kind: 'VolumeSnapshot',
    metadata: { name: 'snap', namespace: 'shop', ...metadata },
    ...(status && { status }),
  };
}

function content(status?: JsonObject, metadata: JsonObject = {}): KubernetesObject {
  return {
    apiVersion: 'snapshot.storage.k8s.io/v1',
    kind: 'VolumeSnapshotContent',
    metadata: { name: 'snapcontent-1', ...metadata },
    ...(status && { status }),
  };
}

function event(
  type: 'Normal' | 'Warning',
  message: string,
  lastTimestamp = '2026-01-01T00:00:00Z',
): KubernetesObject {
  const metadata = { name: 'event' };
  return { apiVersion: 'v1', kind: 'Event', metadata, type, message, lastTimestamp };
}

function failed(code: string, text: string): JsonObject {
  return { error: { message: `rpc error: code = ${code} desc = ${text}` } };
}

const untouched = { volumeSnapshot: volumeSnapshot() };
const bound = {
  volumeSnapshot: volumeSnapshot({ boundVolumeSnapshotContentName: 'snapcontent-1' }),
};

it.each<[string, Omit<Partial<SnapshotEvidence>, 'driver'>, SnapshotDelayCause, string]>([
  [
    'nothing has touched the VolumeSnapshot',
    { ...untouched, events: [], driverIsRegistered: true },
    'ControllerMissing',
    'the snapshot-controller of external-snapshotter is not running',
  ],
  [
    'nothing has touched it and Events may not be read',
    untouched,
    'ControllerMissing',
    'the snapshot-controller of external-snapshotter is not running',
  ],
  [
    'the controller has set its finalizers, and Events may not be read',
    { volumeSnapshot: volumeSnapshot(undefined, { finalizers: ['x/bound-protection'] }) },
    'ControllerBusy',
    'has seen the VolumeSnapshot',
  ],
  [
    'the controller has only told that it works on it',
    { ...untouched, events: [event('Normal', 'Waiting for a snapshot')] },
    'ControllerBusy',
    'has seen the VolumeSnapshot',
  ],
  [
    'the controller refuses in the status',
    { volumeSnapshot: volumeSnapshot({ error: { message: 'claim is lost' } }) },
    'ControllerRefuses',
    'makes no VolumeSnapshotContent: claim is lost',
  ],
  [
    'the controller refuses in Events, of which the latest counts',
    {
      ...untouched,
      events: [
        event('Warning', 'second', '2026-01-01T00:00:02Z'),
        event('Normal', 'third', '2026-01-01T00:00:03Z'),
        event('Warning', 'first', '2026-01-01T00:00:01Z'),
      ],
    },
    'ControllerRefuses',
    'makes no VolumeSnapshotContent: second',
  ],
  [
    'a quota of the namespace is used up',
    { ...untouched, events: [event('Warning', 'exceeded quota: objects')] },
    'QuotaExceeded',
    'exceeded quota: objects',
  ],
  [
    'the driver is not installed',
    { ...bound, volumeSnapshotContent: content(), driverIsRegistered: false },
    'DriverMissing',
    'the cluster has no CSIDriver disk.csi.example',
  ],
  [
    'nothing has touched the content',
    { ...bound, volumeSnapshotContent: content(), driverIsRegistered: true },
    'SidecarMissing',
    'the csi-snapshotter sidecar of driver disk.csi.example is not running',
  ],
  [
    'nothing has touched the content and CSIDrivers may not be read',
    { ...bound, volumeSnapshotContent: content() },
    'SidecarMissing',
    'nothing has touched VolumeSnapshotContent snapcontent-1',
  ],
  [
    'the driver was called and has not answered',
    { ...bound, volumeSnapshotContent: content(undefined, beingCreated) },
    'StorageBusy',
    'its storage is not done yet',
  ],
  [
    'the storage has cut it and is not ready',
    { ...bound, volumeSnapshotContent: content({ snapshotHandle: 'h', readyToUse: false }) },
    'StorageBusy',
    'its storage is not done yet',
  ],
  [
    'the driver fails',
    { ...bound, volumeSnapshotContent: content(failed('Internal', 'disk on fire')) },
    'DriverFails',
    'driver disk.csi.example fails: rpc error: code = Internal desc = disk on fire',
  ],
  [
    'the driver fails and only the VolumeSnapshot says so',
    { volumeSnapshot: volumeSnapshot(failed('Internal', 'odd')), volumeSnapshotContent: content() },
    'DriverFails',
    'desc = odd',
  ],
  [
    'the driver cannot snapshot',
    { ...bound, volumeSnapshotContent: content(failed('Unimplemented', '')) },
    'DriverWithoutSnapshots',
    'code = Unimplemented',
  ],
  [
    'the driver does not answer',
    { ...bound, volumeSnapshotContent: content(failed('Unavailable', 'no connection')) },
    'DriverUnavailable',
    'no connection',
  ],
  [
    'the driver is busy',
    { ...bound, volumeSnapshotContent: content(failed('ResourceExhausted', 'slow down')) },
    'RateLimited',
    'slow down',
  ],
  [
    'the storage is full',
    { ...bound, volumeSnapshotContent: content(failed('ResourceExhausted', 'quota exceeded')) },
    'QuotaExceeded',
    'quota exceeded',
  ],
])('when %s', (_case, evidence, cause, finding) => {
  const diagnosis = diagnoseSnapshot({
    ...{ volumeSnapshot: undefined, volumeSnapshotContent: undefined },
    ...evidence,
    driver,
  });
  expect(diagnosis.cause).toBe(cause);
  expect(diagnosis.finding).toContain(finding);
  expect(diagnosis.advice).toMatch(/^[A-Z].*[^.]$/);
});

it.each<[string, Omit<Partial<SnapshotEvidence>, 'driver'>, SnapshotDelayCause, string]>([
  [
    'nothing has touched it',
    {},
    'ControllerMissing',
    'nothing has touched the VolumeGroupSnapshot: the snapshot-controller of external-snapshotter is not running, or not with volume group snapshots on',
  ],
  [
    'the controller refuses',
    { events: [event('Warning', 'claim is lost')] },
    'ControllerRefuses',
    'the snapshot-controller makes no VolumeGroupSnapshotContent: claim is lost',
  ],
  [
    'nothing has touched its content',
    { volumeSnapshotContent: groupContent() },
    'SidecarMissing',
    'nothing has touched VolumeGroupSnapshotContent groupsnapcontent-1: the csi-snapshotter sidecar of driver disk.csi.example is not running, or not with volume group snapshots on',
  ],
  [
    'the driver was called',
    {
      volumeSnapshotContent: groupContent({
        'groupsnapshot.storage.kubernetes.io/volumegroupsnapshot-being-created': 'yes',
      }),
    },
    'StorageBusy',
    'driver disk.csi.example was called and its storage is not done yet',
  ],
])('of a group: %s', (_case, evidence, cause, finding) => {
  const volumeSnapshot: KubernetesObject = {
    apiVersion: 'groupsnapshot.storage.k8s.io/v1',
    kind: 'VolumeGroupSnapshot',
    metadata: { name: 'group', namespace: 'shop' },
  };
  const whole = { driver, volumeSnapshot, volumeSnapshotContent: undefined, ...evidence };
  expect(diagnoseSnapshot(whole)).toMatchObject({ cause, finding });
});

function groupContent(annotations: StringMap = {}): KubernetesObject {
  return {
    apiVersion: 'groupsnapshot.storage.k8s.io/v1',
    kind: 'VolumeGroupSnapshotContent',
    metadata: { name: 'groupsnapcontent-1', annotations },
  };
}
