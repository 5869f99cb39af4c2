import { describe, expect, it } from 'vitest';
import type { KubernetesObject, StringMap } from '../model/kubernetes.ts';
import { decideLeftovers, type LeftoverRules } from './decide-leftovers.ts';
import type { SurveyedPair } from './survey-cluster.ts';
import type { BackupDirectory } from './survey-store.ts';

const dayMs = 86_400_000;
const now = Date.parse('2026-11-24T12:00:00Z');
const old = '2026-11-20T12:00:00Z';
const rules: LeftoverRules = {
  minimumAgeMs: dayMs,
  unknownBackups: 'report',
  retainedByVelero: 'report',
};
const snapshotKey = 'driver.example\nhandle-1';
const runLabels = { 'velero.io/backup-name': 'b1', 'lifeboat.dev/run': 'run-1' };
const restoreLabels = { 'velero.io/backup-name': 'b1', 'velero.io/restore-name': 'r1' };
const importedName = 'a'.repeat(64);

function volumeSnapshot(
  labels: StringMap,
  metadata: Partial<KubernetesObject['metadata']> = {},
): KubernetesObject {
  return {
    apiVersion: 'snapshot.storage.k8s.io/v1',
    kind: 'VolumeSnapshot',
    metadata: {
      name: 'velero-data-x',
      namespace: 'shop',
      uid: 'vs-1',
      creationTimestamp: old,
      labels,
      ...metadata,
    },
  };
}

function content(
  labels: StringMap,
  metadata: Partial<KubernetesObject['metadata']> = {},
  spec: KubernetesObject['metadata'] | object = {},
): KubernetesObject {
  return {
    apiVersion: 'snapshot.storage.k8s.io/v1',
    kind: 'VolumeSnapshotContent',
    metadata: {
      name: 'snapcontent-vs-1',
      uid: 'vsc-1',
      creationTimestamp: old,
      labels,
      ...metadata,
    },
    spec: { driver: 'driver.example', deletionPolicy: 'Retain', ...spec },
    status: { snapshotHandle: 'handle-1' },
  };
}

function pairOf(labels: StringMap, name?: string): SurveyedPair {
  const metadata = name === undefined ? {} : { name };
  return {
    volumeSnapshot: volumeSnapshot(labels, metadata),
    volumeSnapshotContent: content(labels, metadata),
    claims: 'none',
  };
}

function directory(given: Partial<BackupDirectory>): BackupDirectory {
  return { name: 'b1', state: 'complete', runId: 'run-1', changedAt: new Date(old), ...given };
}

function decide(
  pairs: readonly SurveyedPair[],
  directories: readonly BackupDirectory[],
  given: Partial<LeftoverRules> = {},
): readonly string[] {
  const found = decideLeftovers(
    {
      pairs,
      groups: [],
      directories: new Map(directories.map((each) => [each.name, each])),
      uploads: [],
      nowMs: now,
    },
    { ...rules, ...given },
  );
  return found.map(({ leftover: { cause, action } }) => `${cause} ${action}`);
}

describe('the objects of a backup run', () => {
  const pair = pairOf(runLabels);
  const needed = new Set([snapshotKey]);
  const nothing = new Set<string>();
  it.each<[string, readonly BackupDirectory[], string]>([
    [
      'is freed when its backup did not come to its end',
      [directory({ state: 'unfinished' })],
      'SnapshotOfUnfinishedBackup FreeSnapshot',
    ],
    [
      'loses its objects when its backup needs only the storage snapshot',
      [directory({ snapshots: needed })],
      'SnapshotNotDetached DeleteObjects',
    ],
    [
      'is freed when its backup is complete without it',
      [directory({ snapshots: nothing })],
      'SnapshotNotInBackup FreeSnapshot',
    ],
    [
      'is never freed when the files of its backup do not tell',
      [directory({})],
      'SnapshotNotDetached DeleteObjects',
    ],
    [
      'is never freed while another backup refers to it',
      [directory({ state: 'unfinished' }), directory({ name: 'b2', snapshots: needed })],
      'SnapshotNotDetached DeleteObjects',
    ],
    [
      'is freed when the deletion of its backup has begun',
      [directory({ state: 'deleting' })],
      'DeletionInterrupted FreeSnapshot',
    ],
    ['is only reported when the store does not know its backup', [], 'UnknownBackup None'],
    [
      'is only reported when the backup of that name was made by another run',
      [directory({ snapshots: nothing, runId: 'run-2' })],
      'UnknownBackup None',
    ],
    [
      'is only reported when the directory of that name is being written by another run',
      [directory({ state: 'unfinished', runId: 'run-2' })],
      'UnknownBackup None',
    ],
    [
      'is only reported when the directory of that name has no claim',
      [directory({ state: 'unrecognised', runId: undefined })],
      'UnknownBackup None',
    ],
  ])('%s', (_, directories, verdict) => {
    expect(decide([pair], directories)[0]).toBe(verdict);
  });

  it('is freed although its backup is unknown, if that is asked for', () => {
    expect(decide([pair], [], { unknownBackups: 'remove' })).toEqual([
      'UnknownBackup FreeSnapshot',
    ]);
  });

  it('is no leftover when it was kept on purpose, unless it is stuck or its backup is going', () => {
    const kept: SurveyedPair = {
      ...pair,
      volumeSnapshot: volumeSnapshot(runLabels, {
        annotations: { 'velero.io/csi-volumesnapshot-handle': 'handle-1' },
      }),
    };
    const stuck = {
      ...kept,
      volumeSnapshotContent: content(runLabels, { deletionTimestamp: old }),
    };
    expect(decide([kept], [directory({ snapshots: needed })])).toEqual([]);
    expect(decide([kept], [directory({})])).toEqual([]);
    expect(decide([stuck], [directory({ snapshots: needed })])).toEqual([
      'RemovalStuck DeleteObjects',
    ]);
    expect(decide([kept], [directory({ state: 'deleting' })])[0]).toBe(
      'DeletionInterrupted FreeSnapshot',
    );
    expect(decide([kept], [])).toEqual(['UnknownBackup None']);
  });
});

describe('the pair of a restore', () => {
  const pair = pairOf(restoreLabels, importedName);
  const known = [directory({ snapshots: new Set([snapshotKey]) })];
  it.each<[string, SurveyedPair['claims'], readonly string[]]>([
    ['is needed while a claim waits for its volume', 'waiting', []],
    [
      'loses its objects once the claim has its volume',
      'settled',
      ['RestoreFinished DeleteObjects'],
    ],
    ['loses its objects when there is no claim', 'none', ['RestoreAbandoned DeleteObjects']],
  ])('%s', (_, claims, verdicts) => {
    expect(decide([{ ...pair, claims }], known)).toEqual(verdicts);
  });

  it('is only reported when the store does not know its backup', () => {
    expect(decide([pair], [])).toEqual(['RestoreAbandoned None']);
    expect(decide([pair], [], { unknownBackups: 'remove' })).toEqual([
      'RestoreAbandoned DeleteObjects',
    ]);
  });

  it('is left to Velero when it has another name than an imported one', () => {
    expect(decide([pairOf(restoreLabels)], known)).toEqual([]);
  });
});

describe('what is made to free or to look at a storage snapshot', () => {
  const labels = { 'velero.io/backup-name': 'b1' };
  const alone = (name: string): SurveyedPair => ({
    volumeSnapshotContent: content(labels, { name }, { source: { snapshotHandle: 'handle-1' } }),
    claims: 'none',
  });
  const needed = new Set([snapshotKey]);

  it('is brought to its end, unless a complete backup needs the snapshot', () => {
    const release = alone('lifeboat-release-1');
    expect(decide([release], [directory({ state: 'deleting' })])[0]).toBe(
      'ReleaseInterrupted FreeSnapshot',
    );
    expect(decide([release], [directory({ snapshots: needed })])).toEqual([
      'ReleaseInterrupted DeleteObjects',
    ]);
    expect(decide([release], [])).toEqual(['ReleaseInterrupted None']);
  });

  it('goes without the snapshot when it was only to look', () => {
    expect(decide([alone('lifeboat-probe-1')], [directory({ snapshots: new Set() })])).toEqual([
      'ProbeInterrupted DeleteObjects',
    ]);
  });
});

it('what a sync of snapshots has made is never left over, whatever may be removed', () => {
  const labels = { 'velero.io/backup-name': 'b1', 'lifeboat.dev/synced-from': '0123456789abcdef' };
  const volumeSnapshotRef = { namespace: 'ns-1', name: 'name-1' };
  const pair: SurveyedPair = {
    volumeSnapshot: undefined,
    volumeSnapshotContent: content(labels, {}, { volumeSnapshotRef }),
    claims: 'none',
  };
  const everything = { retainedByVelero: 'remove', unknownBackups: 'remove' } as const;
  expect(decide([pair], [], everything)).toEqual([]);
});

describe('the content that Velero before 1.16 retained', () => {
  const pair: SurveyedPair = {
    volumeSnapshotContent: content(
      { 'velero.io/backup-name': 'b1' },
      {},
      {
        source: { snapshotHandle: 'handle-1' },
        volumeSnapshotRef: { namespace: 'ns-1', name: 'name-1' },
      },
    ),
    claims: 'none',
  };

  it('belongs to its backup as long as there is one', () => {
    expect(decide([pair], [directory({})])).toEqual([]);
  });

  it('is freed only if that is asked for', () => {
    expect(decide([pair], [])).toEqual(['RetainedByVelero None']);
    expect(decide([pair], [], { retainedByVelero: 'remove' })).toEqual([
      'RetainedByVelero FreeSnapshot',
    ]);
  });
});

it('what others label with the name of a backup is only reported, and not at all when the backup is known', () => {
  const pair = pairOf({ 'velero.io/backup-name': 'b1' });
  expect(decide([pair], [])).toEqual(['UnknownBackup None']);
  expect(decide([pair], [directory({})])).toEqual([]);
  expect(decide([pairOf({})], [])).toEqual([]);
});

it('what a synchronisation has made is its own to remove', () => {
  const labels = { 'velero.io/backup-name': 'b1', 'lifeboat.dev/synced-from': 'store' };
  const asked = { unknownBackups: 'remove', retainedByVelero: 'remove' } as const;
  expect(decide([pairOf(labels, 'lifeboat-synced-1')], [], asked)).toEqual([]);
});

describe('the directory of a backup', () => {
  it.each<[BackupDirectory['state'], readonly string[]]>([
    ['complete', []],
    ['unfinished', ['BackupUnfinished DeleteFiles']],
    ['deleting', ['DeletionInterrupted FinishDeletion']],
    ['unrecognised', ['UnrecognisedFiles None']],
  ])('that is %s', (state, verdicts) => {
    expect(decide([], [directory({ state })])).toEqual(verdicts);
  });

  it('without a sign of ours is deleted only if that is asked for', () => {
    expect(
      decide([], [directory({ state: 'unrecognised' })], { unknownBackups: 'remove' }),
    ).toEqual(['UnrecognisedFiles DeleteFiles']);
  });
});

describe('age', () => {
  const young = new Date(now - dayMs + 1_000);
  const unfinished = directory({ state: 'unfinished' });

  it('counts from the youngest of the objects and from the beginning of their deletion', () => {
    const late = young.toISOString();
    const pair = pairOf(runLabels);
    const created = {
      ...pair,
      volumeSnapshotContent: content(runLabels, { creationTimestamp: late }),
    };
    const deleted = {
      ...pair,
      volumeSnapshotContent: content(runLabels, { deletionTimestamp: late }),
    };
    const known = [directory({ snapshots: new Set<string>() })];
    expect(decide([created], known)).toEqual([]);
    expect(decide([deleted], known)).toEqual([]);
    expect(decide([created], known, { minimumAgeMs: dayMs - 2_000 })).toHaveLength(1);
  });

  it('of a run under way counts from the last file it wrote, for its objects too', () => {
    expect(decide([pairOf(runLabels)], [{ ...unfinished, changedAt: young }])).toEqual([]);
  });

  it('is of no account when the minimum is 0, even if the clocks differ', () => {
    const ahead = { ...unfinished, changedAt: new Date(now + 5_000) };
    expect(decide([], [ahead], { minimumAgeMs: 0 })).toHaveLength(1);
    expect(decide([], [ahead], { minimumAgeMs: 1 })).toEqual([]);
  });
});

it('says what is left, why, and what would be done', () => {
  const [found] = decideLeftovers(
    {
      pairs: [pairOf(runLabels)],
      groups: [],
      directories: new Map([['b1', directory({ snapshots: new Set([snapshotKey]) })]]),
      uploads: [],
      nowMs: now,
    },
    rules,
  );
  expect(found?.leftover).toEqual({
    cause: 'SnapshotNotDetached',
    action: 'DeleteObjects',
    backupName: 'b1',
    since: old,
    driver: 'driver.example',
    snapshotHandle: 'handle-1',
    objects: [
      {
        groupResource: 'volumesnapshots.snapshot.storage.k8s.io',
        namespace: 'shop',
        name: 'velero-data-x',
        uid: 'vs-1',
      },
      {
        groupResource: 'volumesnapshotcontents.snapshot.storage.k8s.io',
        name: 'snapcontent-vs-1',
        uid: 'vsc-1',
      },
    ],
    message:
      'volumesnapshots.snapshot.storage.k8s.io shop/velero-data-x and volumesnapshotcontents.snapshot.storage.k8s.io snapcontent-vs-1 of backup b1 for snapshot handle-1: the backup is complete and needs only the storage snapshot; the objects can be deleted, the storage snapshot stays',
  });
});
