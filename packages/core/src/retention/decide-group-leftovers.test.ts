import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../model/json.ts';
import type { KubernetesObject, StringMap } from '../model/kubernetes.ts';
import { decideLeftovers, type LeftoverRules } from './decide-leftovers.ts';
import type { SurveyedGroup } from './survey-cluster.ts';
import type { BackupDirectory } from './survey-store.ts';

const old = '2026-11-20T12:00:00Z';
const rules: LeftoverRules = {
  minimumAgeMs: 86_400_000,
  unknownBackups: 'report',
  retainedByVelero: 'report',
};
const runLabels = { 'velero.io/backup-name': 'b1', 'lifeboat.dev/run': 'run-1' };
const restoreLabels = { 'velero.io/backup-name': 'b1', 'velero.io/restore-name': 'r1' };
const api = { group: 'groupsnapshot.storage.k8s.io', version: 'v1' };
const resources = {
  apiVersion: `${api.group}/${api.version}`,
  groupSnapshots: { ...api, resource: 'volumegroupsnapshots' },
  contents: { ...api, resource: 'volumegroupsnapshotcontents' },
  classes: { ...api, resource: 'volumegroupsnapshotclasses' },
};
const nothing = new Set<string>();
const needed = new Set(['driver.example\nhandle-b']);

describe('a group that a backup run made', () => {
  it.each<[string, SurveyedGroup, Partial<BackupDirectory>, string]>([
    [
      'is freed as a whole when its backup did not come to its end',
      groupOfRun(),
      { state: 'unfinished' },
      'SnapshotOfUnfinishedBackup FreeSnapshot',
    ],
    [
      'is freed when its content is not labelled yet',
      groupOfRun({ content: groupContent({}) }),
      { state: 'unfinished' },
      'SnapshotOfUnfinishedBackup FreeSnapshot',
    ],
    [
      'loses its objects when a backup needs one of its snapshots',
      groupOfRun(),
      { snapshots: needed },
      'SnapshotNotDetached DeleteObjects',
    ],
    [
      'is not freed for the sake of a snapshot of which only the content is left',
      groupOfRun({ groupSnapshot: undefined, content: undefined, orphans: [memberContent('b')] }),
      { snapshots: needed },
      'SnapshotNotDetached DeleteObjects',
    ],
    [
      'is freed when its backup is complete without all of its snapshots',
      groupOfRun(),
      { snapshots: nothing },
      'SnapshotNotInBackup FreeSnapshot',
    ],
    [
      'is only reported when another run made the backup of that name',
      groupOfRun(),
      { snapshots: nothing, runId: 'run-2' },
      'UnknownBackup None',
    ],
  ])('%s', (_, group, directory, verdict) => {
    expect(decide(group, directory)).toBe(verdict);
  });

  it('is one leftover of all its objects, with what the storage calls it', () => {
    const [found] = leftoversOf(groupOfRun({ members: [member('a')] }), { state: 'unfinished' });
    expect(found?.leftover).toMatchObject({ driver: 'driver.example', groupSnapshotHandle: 'g-1' });
    expect(found?.leftover.objects.map(({ groupResource }) => groupResource)).toEqual([
      'volumegroupsnapshots.groupsnapshot.storage.k8s.io',
      'volumegroupsnapshotcontents.groupsnapshot.storage.k8s.io',
      'volumesnapshots.snapshot.storage.k8s.io',
      'volumesnapshotcontents.snapshot.storage.k8s.io',
    ]);
    expect(found?.leftover.message).toContain('for the snapshots of group g-1');
  });

  it('is no leftover when it was kept on purpose, unless its deletion does not end', () => {
    const members = [member('a', { 'velero.io/csi-volumesnapshot-handle': 'handle-a' })];
    const kept = groupOfRun({ members });
    expect(decide(kept, { snapshots: needed })).toBeUndefined();
    const groupSnapshot = object('VolumeGroupSnapshot', runLabels, { deletionTimestamp: old });
    expect(decide({ ...kept, groupSnapshot }, { snapshots: needed })).toBe(
      'RemovalStuck DeleteObjects',
    );
  });
});

describe('what stands in for a group', () => {
  const handles = { volumeGroupSnapshotHandle: 'g-1', volumeSnapshotHandles: ['handle-b'] };
  const alone = (name: string, labels: StringMap): SurveyedGroup => ({
    ...groupOfRun({ groupSnapshot: undefined, identity: undefined }),
    content: groupContent(labels, name, { groupSnapshotHandles: handles }),
  });
  const stub = alone('a'.repeat(64), restoreLabels);

  it('in a restore goes without its snapshots once no claim waits', () => {
    expect(decide(stub, { snapshots: nothing })).toBe('GroupStubLeft DeleteObjects');
    expect(decide({ ...stub, claims: 'settled' }, {})).toBe('GroupStubLeft DeleteObjects');
    expect(decide({ ...stub, claims: 'waiting' }, {})).toBeUndefined();
  });

  it('to free it is brought to its end, unless a complete backup needs one of its snapshots', () => {
    const release = alone('lifeboat-release-1', { 'velero.io/backup-name': 'b1' });
    expect(decide(release, { snapshots: nothing })).toBe('ReleaseInterrupted FreeSnapshot');
    expect(decide(release, { snapshots: needed })).toBe('ReleaseInterrupted DeleteObjects');
  });
});

function decide(group: SurveyedGroup, given: Partial<BackupDirectory>): string | undefined {
  const [found] = leftoversOf(group, given);
  return found && `${found.leftover.cause} ${found.leftover.action}`;
}

function leftoversOf(
  group: SurveyedGroup,
  given: Partial<BackupDirectory>,
): ReturnType<typeof decideLeftovers> {
  const changedAt = new Date(old);
  const directory = { name: 'b1', state: 'complete', runId: 'run-1', changedAt, ...given } as const;
  const directories = new Map([['b1', directory]]);
  const nowMs = Date.parse('2026-11-24T12:00:00Z');
  const evidence = { pairs: [], groups: [group], directories, uploads: [], nowMs };
  return decideLeftovers(evidence, rules).filter((found) => found.group !== undefined);
}

function groupOfRun(given: Partial<SurveyedGroup> = {}): SurveyedGroup {
  return {
    resources,
    identity: { resources, namespace: 'shop', name: 'velero-db', uid: 'VolumeGroupSnapshot' },
    groupSnapshot: object('VolumeGroupSnapshot', runLabels),
    content: groupContent(runLabels),
    members: [],
    orphans: [],
    claims: 'none',
    ...given,
  };
}

function groupContent(
  labels: StringMap,
  name = 'groupsnapcontent-1',
  source: JsonObject = { volumeHandles: ['volume-a', 'volume-b'] },
): KubernetesObject {
  return {
    ...object('VolumeGroupSnapshotContent', labels, { name }),
    spec: { driver: 'driver.example', deletionPolicy: 'Retain', source },
    status: {
      volumeGroupSnapshotHandle: 'g-1',
      volumeSnapshotInfoList: [{ snapshotHandle: 'handle-a' }, { snapshotHandle: 'handle-b' }],
    },
  };
}

function member(name: string, annotations: StringMap = {}): SurveyedGroup['members'][number] {
  return {
    volumeSnapshot: object('VolumeSnapshot', runLabels, { name, annotations }),
    volumeSnapshotContent: memberContent(name),
  };
}

function memberContent(name: string): KubernetesObject {
  return {
    ...object('VolumeSnapshotContent', runLabels, { name }),
    spec: { driver: 'driver.example', source: { volumeHandle: `volume-${name}` } },
    status: { snapshotHandle: `handle-${name}`, volumeGroupSnapshotHandle: 'g-1' },
  };
}

function object(
  kind: string,
  labels: StringMap,
  metadata: Partial<KubernetesObject['metadata']> = {},
): KubernetesObject {
  return {
    apiVersion: 'snapshot.storage.k8s.io/v1',
    kind,
    metadata: { name: kind.toLowerCase(), uid: kind, creationTimestamp: old, labels, ...metadata },
  };
}
