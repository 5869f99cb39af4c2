import { expect, it } from 'vitest';
import type { JsonObject } from '../model/json.ts';
import type { KubernetesObject } from '../model/kubernetes.ts';
import type { GroupObjects } from './group-objects.ts';
import {
  type GroupSnapshotProgress,
  nextGroupSnapshotStep,
  requestedGroup,
} from './group-snapshot-step.ts';

const limits = { handleTimeoutMs: 1_000, readyTimeoutMs: 5_000, errorGraceMs: 400 };
const goal = { claimNames: ['a', 'b'], runId: 'run', limits };
const start = requestedGroup(0, limits);
const labels = { 'lifeboat.dev/run': 'run' };

function object(kind: string, name: string, fields: JsonObject = {}): KubernetesObject {
  return { apiVersion: 'v1', kind, metadata: { name, labels }, ...fields };
}

const group = object('VolumeGroupSnapshot', 'g');
const content = object('VolumeGroupSnapshotContent', 'gc', { spec: { deletionPolicy: 'Retain' } });
const cutContent = { ...content, status: { volumeGroupSnapshotHandle: 'handle' } };

function member(name: string, readyToUse = true): GroupObjects['members'][number] {
  return {
    volumeSnapshot: object('VolumeSnapshot', `vs-${name}`, {
      spec: { source: { persistentVolumeClaimName: name } },
      status: { readyToUse },
    }),
    volumeSnapshotContent: object('VolumeSnapshotContent', `vsc-${name}`, {
      spec: { deletionPolicy: 'Retain' },
      status: { snapshotHandle: `handle-${name}`, readyToUse },
    }),
  };
}

function withError(message: string): KubernetesObject {
  return { ...content, status: { error: { message } } };
}

function deleted(of: KubernetesObject): KubernetesObject {
  return { ...of, metadata: { ...of.metadata, deletionTimestamp: '2026-01-01T00:00:00Z' } };
}

const base: GroupObjects = { groupSnapshot: group, content: undefined, members: [] };
const failing: GroupSnapshotProgress = { ...start, state: 'Bound', failingSinceMs: 100 };

it.each<[string, GroupSnapshotProgress, GroupObjects, number, string]>([
  ['waits for a content', start, base, 10, 'Requested: wait until 1000'],
  ['is bound with a content', start, { ...base, content }, 10, 'Bound: wait until 1000'],
  [
    'is not cut while one claim has no snapshot',
    start,
    { ...base, content: cutContent, members: [member('a')] },
    10,
    'Bound: wait until 1000',
  ],
  [
    'is cut when every claim has a handle, and has time anew to become ready',
    start,
    { ...base, content: cutContent, members: [member('a'), member('b', false)] },
    10,
    'HandleAssigned: wait until 5010',
  ],
  [
    'is ready when every snapshot is',
    start,
    { ...base, content: cutContent, members: [member('b'), member('a')] },
    10,
    'HandleAssigned: ready handle b,a',
  ],
  [
    'protects first what has no label or another policy',
    start,
    {
      ...base,
      content: { ...cutContent, spec: { deletionPolicy: 'Delete' } },
      members: [
        { ...member('a'), volumeSnapshot: { ...group, metadata: { name: 'vs-a' } } },
        member('b'),
      ],
    },
    10,
    'Bound: protect gc,vs-a',
  ],
  [
    'gives an error time to pass',
    start,
    { ...base, content: withError('no') },
    100,
    'Bound: wait until 500',
  ],
  [
    'fails on an error that stands',
    failing,
    { ...base, content: withError('no room') },
    500,
    'Bound: failed the driver keeps failing: no room',
  ],
  [
    'waits on while the storage is at work',
    failing,
    { ...base, content: withError('rpc error: code = DeadlineExceeded desc = slow') },
    600,
    'Bound: wait until 1000',
  ],
  [
    'waits on while the driver is busy',
    failing,
    { ...base, content: withError('rpc error: code = Unavailable desc = later') },
    600,
    'Bound: wait until 1000',
  ],
  [
    'names the claims that are missing when time is up',
    { ...start, state: 'Bound' },
    { ...base, content: cutContent, members: [member('a')] },
    1_000,
    'Bound: failed the storage has not cut it within 1 s; snapshots are missing of b. Check that the csi-snapshotter sidecar is running with volume group snapshots on, and that the driver supports them',
  ],
  [
    'fails when the group is deleted',
    start,
    { ...base, groupSnapshot: deleted(group) },
    10,
    'Requested: failed its VolumeGroupSnapshot was deleted by someone else while the snapshots were being taken',
  ],
  [
    'fails when the content is gone',
    { ...start, state: 'Bound' },
    base,
    10,
    'Bound: failed its VolumeGroupSnapshotContent was deleted by someone else while the snapshots were being taken',
  ],
])('%s', (_title, before, objects, nowMs, expected) => {
  const { progress, step } = nextGroupSnapshotStep(before, objects, goal, nowMs);
  const what =
    step.type === 'wait'
      ? `until ${step.untilMs}`
      : step.type === 'protect'
        ? step.objects.map(({ metadata }) => metadata.name).join()
        : step.type === 'ready'
          ? `${step.groupSnapshotHandle} ${[...step.members.keys()].join()}`
          : step.reason;
  expect(`${progress.state}: ${step.type} ${what}`).toBe(expected);
});
