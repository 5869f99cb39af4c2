import { describe, expect, it } from 'vitest';

import { readArtifactList } from '../catalog/backup-files.ts';
import type { BackupEvent } from '../model/event.ts';
import { arrayAt, objectAt, stringAt, valueAt } from '../model/object-path.ts';
import { Resources } from '../model/resources.ts';
import { VolumeSnapshotter } from '../snapshot/volume-snapshotter.ts';
import { claim, group, groupApi, names, VolumeGroupLab } from './volume-group-lab-fixture.ts';

describe('the claims of a volume group', () => {
  it('are snapshotted as of one moment, restored, and freed as one', async () => {
    await using lab = await VolumeGroupLab.open();
    const events: BackupEvent[] = [];
    const { backup, issues, volumeGroups } = await lab.backup({
      onEvent: (event) => events.push(event),
    });
    expect(issues).toEqual([]);
    expect(backup.status).toMatchObject({ phase: 'Completed', csiVolumeSnapshotsCompleted: 3 });
    const expected = { namespace: 'shop', name: 'db', consistency: 'group', claimNames: names };
    expect(volumeGroups).toEqual([expected]);
    expect(events).toContainEqual({ type: 'volumeGroup', group: expected });
    const { groups, snapshots } = lab.cluster.csi.storage;
    expect([...groups.values()].map((each) => each.snapshots.length)).toEqual([3]);
    expect(snapshots.size).toBe(3);
    expect(await lab.snapshotObjects()).toEqual([]);

    await lab.engine.restore({
      spec: { backupName: 'first', namespaceMapping: { shop: 'copy' } },
    });
    await lab.cluster.settle();
    expect(names.map((name) => lab.read('copy', name))).toEqual(['of a', 'of b', 'of c']);
    expect(await lab.snapshotObjects()).toEqual([]);

    await lab.engine.deleteBackup('first');
    expect(lab.cluster.csi.storage.snapshots.size).toBe(0);
    expect(lab.cluster.csi.storage.groups.size).toBe(0);
    expect(await lab.snapshotObjects()).toEqual([]);
  });

  it('are found when the backup is verified, and stay', async () => {
    await using lab = await VolumeGroupLab.open();
    await lab.backup();
    const verified = await lab.engine.verify('first');
    expect(verified).toMatchObject({ intact: true, snapshots: 3, issues: [] });
    expect(await lab.snapshotObjects()).toEqual([]);
    expect(lab.cluster.csi.storage.snapshots.size).toBe(3);

    const [lost] = lab.cluster.csi.storage.snapshots.keys();
    lab.cluster.csi.storage.deleteSnapshot(lost ?? '');
    const damaged = await lab.engine.verify('first');
    expect(damaged).toMatchObject({ intact: false, snapshots: 2 });
    expect(damaged.issues).toMatchObject([{ severity: 'error', reason: 'SnapshotMissing' }]);
  });

  it('say in the archive and beside it which group they are of', async () => {
    await using lab = await VolumeGroupLab.open();
    await lab.backup();
    const [group] = lab.cluster.csi.storage.groups.values();
    const handles = group?.snapshots.map(({ handle }) => handle).sort();
    const volumes = await readArtifactList(lab.store, 'first', 'volumeInfo');
    for (const volume of volumes) {
      const info = objectAt(volume, ['csiSnapshotInfo']) ?? {};
      expect(info['volumeGroupSnapshotHandle']).toBe(group?.handle);
      expect(arrayAt(info, ['volumeGroupSnapshotMembers']).map(String).sort()).toEqual(handles);
    }
    expect(volumes).toHaveLength(3);
    const archived = await lab.archivedSnapshots();
    expect(archived).toHaveLength(3);
    for (const volumeSnapshot of archived) {
      expect(objectAt(volumeSnapshot, ['metadata', 'annotations'])).toMatchObject({
        'velero.io/csi-volumegroupsnapshot-handle': group?.handle,
      });
      expect(valueAt(volumeSnapshot, ['metadata', 'ownerReferences'])).toBeUndefined();
    }
  });

  it('are looked at and freed with the Secret of their class', async () => {
    await using lab = await VolumeGroupLab.open();
    const { cluster } = lab;
    const reference = { ...groupApi, resource: 'volumegroupsnapshotclasses', name: 'fake-csi' };
    const parameters = {
      'csi.storage.k8s.io/group-snapshotter-secret-name': 'array',
      'csi.storage.k8s.io/group-snapshotter-secret-namespace': 'storage',
    };
    await cluster.patch(reference, { type: 'merge', patch: { parameters } });
    await lab.backup();
    const contents = await lab.followContents();
    await lab.engine.restore({
      spec: { backupName: 'first', namespaceMapping: { shop: 'copy' } },
    });
    // Without the class the Secret is known from the backup.
    await cluster.delete(reference);
    await lab.engine.deleteBackup('first');
    const seen = (await contents.stop()).map((content) => [
      stringAt(content, ['spec', 'deletionPolicy']),
      stringAt(content, ['spec', 'volumeGroupSnapshotClassName']),
      ...['name', 'namespace'].map(
        (what) =>
          content.metadata.annotations?.[
            `groupsnapshot.storage.kubernetes.io/deletion-secret-${what}`
          ],
      ),
    ]);
    expect(seen).toEqual([
      ['Retain', 'fake-csi', 'array', 'storage'],
      ['Delete', undefined, 'array', 'storage'],
    ]);
  });

  it('keep their objects with policy Retain when asked to', async () => {
    await using lab = await VolumeGroupLab.open();
    await lab.backup({ snapshotObjects: 'keep' });
    expect((await lab.snapshotObjects()).map((text) => text.split(' ')[0]).sort()).toEqual([
      'VolumeGroupSnapshot',
      'VolumeGroupSnapshotContent',
      ...['VolumeSnapshot', 'VolumeSnapshot', 'VolumeSnapshot'],
      ...['VolumeSnapshotContent', 'VolumeSnapshotContent', 'VolumeSnapshotContent'],
    ]);
    const policies = (await lab.snapshotObjects()).flatMap((text) => text.split(' ')[2] || []);
    expect(policies).toEqual(['Retain', 'Retain', 'Retain', 'Retain']);

    await lab.engine.deleteBackup('first');
    expect(lab.cluster.csi.storage.snapshots.size).toBe(0);
    expect(await lab.snapshotObjects()).toEqual([]);
  });

  it('are snapshotted one by one when no group is wanted', async () => {
    await using lab = await VolumeGroupLab.open();
    const { volumeGroups, issues } = await lab.backup({ groupSnapshots: 'never' });
    expect({ volumeGroups, issues }).toEqual({ volumeGroups: [], issues: [] });
    expect(lab.cluster.csi.storage.snapshots.size).toBe(3);
    expect(lab.cluster.csi.storage.groups.size).toBe(0);
  });

  it('are of different groups when the label has different values, or of none without', async () => {
    await using lab = await VolumeGroupLab.open();
    await lab.create(claim('d', { 'velero.io/volume-group': 'other' }));
    await lab.create(claim('e', { 'velero.io/volume-group': '' }));
    await lab.create(claim('f', {}));
    await lab.cluster.settle();
    const { volumeGroups, issues } = await lab.backup();
    expect(issues).toEqual([]);
    // Which is done first is open.
    const claimNamesOf = Object.fromEntries(
      volumeGroups.map(({ name, claimNames }) => [name, claimNames]),
    );
    expect(claimNamesOf).toEqual({ db: names, other: ['d'] });
    expect(lab.cluster.csi.storage.snapshots.size).toBe(6);
  });

  it('are named when the backup leaves them out although the group takes them in', async () => {
    await using lab = await VolumeGroupLab.open();
    const left = { 'velero.io/exclude-from-backup': 'true' };
    await lab.create(claim('d', { ...group, ...left }));
    await lab.cluster.settle();
    const { backup, issues, volumeGroups } = await lab.backup();
    expect(backup.status.phase).toBe('Completed');
    expect(issues).toMatchObject([
      { severity: 'warning', reason: 'ClaimOnlyInGroup', object: { namespace: 'shop', name: 'd' } },
    ]);
    expect(volumeGroups[0]?.claimNames).toEqual([...names, 'd']);
    expect(lab.cluster.csi.storage.snapshots.size).toBe(4);
    await lab.engine.deleteBackup('first');
    expect(lab.cluster.csi.storage.snapshots.size).toBe(0);
  });
});

describe('a group that cannot be snapshotted as one', () => {
  it.each<[string, (lab: VolumeGroupLab) => Promise<void>, RegExp]>([
    [
      'in a cluster without the API',
      async ({ cluster }) => {
        const definition = { ...Resources.customResourceDefinitions, name: groupDefinition };
        await cluster.delete(definition);
      },
      /does not serve groupsnapshot\.storage\.k8s\.io/,
    ],
    [
      'without a class',
      async ({ cluster }) => {
        const resource = 'volumegroupsnapshotclasses';
        await cluster.delete({ ...groupApi, resource, name: 'fake-csi' });
      },
      /no VolumeGroupSnapshotClass for driver csi\.fake\.lifeboat\.dev/,
    ],
    [
      'with a claim that is not bound',
      (lab) => lab.create(claim('d', group, 'fake-csi-wffc')),
      /claim d is not bound to a volume/,
    ],
  ])('%s fails its claims, or falls back to one by one when told to', async (_case, spoil, why) => {
    await using lab = await VolumeGroupLab.open();
    await lab.create(claim('alone', {}));
    await spoil(lab);
    await lab.cluster.settle();
    const strict = await lab.backup();
    expect(strict.backup.status.phase).toBe('PartiallyFailed');
    const errors = strict.issues.filter(({ severity }) => severity === 'error');
    expect(errors.map(({ object }) => object?.name)).toEqual(names);
    expect(errors.every(({ message }) => why.test(message))).toBe(true);
    expect(lab.cluster.csi.storage.snapshots.size).toBe(1);

    const lenient = await lab.backup({ groupSnapshots: 'prefer' }, 'second');
    expect(lenient.backup.status.phase).toBe('Completed');
    expect(lenient.volumeGroups).toMatchObject([{ name: 'db', consistency: 'volume' }]);
    const warning = lenient.issues.find(({ reason }) => reason === 'VolumeGroupNotConsistent');
    expect(warning?.message).toMatch(why);
    expect(lab.cluster.csi.storage.snapshots.size).toBe(5);
  });
});

describe('a group that does not come', () => {
  it('is told of for each of its claims, with the reason', async () => {
    await using lab = await VolumeGroupLab.open({ timeouts: { snapshotDiagnosisMs: 30 } });
    const fault = {
      call: 'CreateVolumeGroupSnapshot',
      error: 'busy',
      code: 'Unavailable',
    } as const;
    using _fault = lab.cluster.csi.inject(fault);
    const delays: (readonly [string, string])[] = [];
    const { backup } = await lab.backup({
      onEvent: (event) => {
        if (event.type === 'snapshotDelayed' && event.cause === 'DriverUnavailable') {
          delays.push([event.claimName, event.message]);
          lab.cluster.csi.clearFaults();
        }
      },
    });
    expect(backup.status.phase).toBe('Completed');
    expect(delays.slice(0, 3).map(([claimName]) => claimName)).toEqual(names);
    for (const [, message] of delays) {
      expect(message).toMatch(/^driver csi\.fake\.lifeboat\.dev fails: .*busy/);
    }
  });

  it('takes one place among the snapshots of its driver', async () => {
    await using lab = await VolumeGroupLab.open({ concurrency: { snapshotsPerDriver: 1 } });
    await lab.create(claim('alone', {}));
    await lab.create(claim('other', { 'velero.io/volume-group': 'other' }));
    await lab.cluster.settle();
    lab.cluster.csi.inject({ call: 'CreateVolumeGroupSnapshot', delayMs: 100 });
    lab.cluster.csi.inject({ call: 'CreateSnapshot', delayMs: 100 });
    let under = 0;
    let most = 0;
    const { backup } = await lab.backup({
      onEvent: (event) => {
        // Each group reports for its first claim.
        if (event.type === 'snapshot' && ['a', 'alone', 'other'].includes(event.claimName)) {
          under += event.state === 'Requested' ? 1 : event.state === 'HandleAssigned' ? -1 : 0;
          most = Math.max(most, under);
        }
      },
    });
    expect(backup.status.phase).toBe('Completed');
    expect(most).toBe(1);
  });
});

describe('a group that fails or is cancelled', () => {
  it('leaves nothing when the driver keeps failing', async () => {
    await using lab = await VolumeGroupLab.open();
    await lab.create(claim('alone', {}));
    await lab.cluster.settle();
    lab.cluster.csi.inject({ call: 'CreateVolumeGroupSnapshot', error: 'no room' });
    const snapshotter = new VolumeSnapshotter({ cluster: lab.cluster, errorGraceMs: 20 });
    const session = await snapshotter.openGroupSession({ backupName: 'b', runId: 'r' });
    await expect(session?.request(await lab.groupRequest())).rejects.toThrow(
      /volume group shop\/db .*the driver keeps failing: .*no room$/,
    );
    expect(await lab.snapshotObjects()).toEqual([]);
    expect(lab.cluster.csi.storage.snapshots.size).toBe(0);
  });

  it.each(['Requested', 'Bound', 'HandleAssigned', 'ReadyToUse'] as const)(
    'leaves nothing when the backup is cancelled while it is %s',
    async (state) => {
      await using lab = await VolumeGroupLab.open();
      const readyAfterMs = state === 'HandleAssigned' ? 60_000 : 0;
      lab.cluster.csi.inject({ call: 'CreateVolumeGroupSnapshot', delayMs: 30, readyAfterMs });
      const stop = new AbortController();
      const reason = new Error('enough');
      const onEvent = (event: BackupEvent): void => {
        if (event.type === 'snapshot' && event.state === state) {
          stop.abort(reason);
        }
      };
      await expect(lab.backup({ signal: stop.signal, onEvent })).rejects.toBe(reason);
      expect(await lab.snapshotObjects()).toEqual([]);
      expect(lab.cluster.csi.storage.snapshots.size).toBe(0);
      expect(await Array.fromAsync(lab.store.list(''))).toEqual([]);
    },
  );
});

const groupDefinition = 'volumegroupsnapshots.groupsnapshot.storage.k8s.io';
