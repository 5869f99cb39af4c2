import { describe, expect, it } from 'vitest';

import { readArchive } from '../archive/archive-reader.ts';
import type { BackupOptions, BackupResult } from '../backup/request.ts';
import { readArtifactList } from '../catalog/backup-files.ts';
import { backupKey } from '../catalog/key-layout.ts';
import type { BackupEvent } from '../model/event.ts';
import { isJsonObject, type JsonObject, parseJson } from '../model/json.ts';
import type { KubernetesManifest } from '../model/kubernetes.ts';
import { arrayAt, objectAt, stringAt, valueAt } from '../model/object-path.ts';
import { Resources } from '../model/resources.ts';
import type { TakeGroupSnapshotRequest } from '../snapshot/take-group-snapshot.ts';
import type { GroupMember } from '../snapshot/taken-group-snapshot.ts';
import { VolumeSnapshotter } from '../snapshot/volume-snapshotter.ts';
import { MemoryObjectStore } from '../stores/memory-object-store.ts';
import { FakeCluster } from '../testing/fake-cluster/fake-cluster.ts';
import { createEngine } from './create-engine.ts';

const names = ['a', 'b', 'c'] as const;
const group = { 'velero.io/volume-group': 'db' };

describe('the claims of a volume group', () => {
  it('are snapshotted as of one moment, restored, and freed as one', async () => {
    await using lab = await Lab.open();
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

  it('say in the archive and beside it which group they are of', async () => {
    await using lab = await Lab.open();
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

  it('keep their objects with policy Retain when asked to', async () => {
    await using lab = await Lab.open();
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
    await using lab = await Lab.open();
    const { volumeGroups, issues } = await lab.backup({ groupSnapshots: 'never' });
    expect({ volumeGroups, issues }).toEqual({ volumeGroups: [], issues: [] });
    expect(lab.cluster.csi.storage.snapshots.size).toBe(3);
    expect(lab.cluster.csi.storage.groups.size).toBe(0);
  });

  it('are of different groups when the label has different values, or of none without', async () => {
    await using lab = await Lab.open();
    await lab.create(claim('d', { 'velero.io/volume-group': 'other' }));
    await lab.create(claim('e', { 'velero.io/volume-group': '' }));
    await lab.create(claim('f', {}));
    await lab.cluster.settle();
    const { volumeGroups, issues } = await lab.backup();
    expect(issues).toEqual([]);
    expect(volumeGroups.map(({ name, claimNames }) => [name, claimNames])).toEqual([
      ['db', names],
      ['other', ['d']],
    ]);
    expect(lab.cluster.csi.storage.snapshots.size).toBe(6);
  });

  it('are named when the backup leaves them out although the group takes them in', async () => {
    await using lab = await Lab.open();
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
  it.each<[string, (lab: Lab) => Promise<void>, RegExp]>([
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
    await using lab = await Lab.open();
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

describe('a group that fails or is cancelled', () => {
  it('leaves nothing when the driver keeps failing', async () => {
    await using lab = await Lab.open();
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
      await using lab = await Lab.open();
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

class Lab implements AsyncDisposable {
  readonly cluster = new FakeCluster();
  readonly store = new MemoryObjectStore();
  readonly engine: ReturnType<typeof createEngine> = createEngine({
    cluster: this.cluster,
    store: this.store,
  });

  static async open(): Promise<Lab> {
    const lab = new Lab();
    lab.cluster.seed([{ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop' } }]);
    for (const name of names) {
      await lab.create(claim(name));
    }
    await lab.cluster.settle();
    for (const name of names) {
      lab.cluster.csi.writeFile({ namespace: 'shop', name }, 'file', `of ${name}`);
    }
    return lab;
  }

  async create(manifest: KubernetesManifest): Promise<void> {
    await this.cluster.create(Resources.persistentVolumeClaims, manifest);
  }

  backup(options: BackupOptions = {}, name = 'first'): Promise<BackupResult> {
    return this.engine.backup({ name, spec: { includedNamespaces: ['shop'] } }, options);
  }

  /** What {@link GroupSnapshotSession.request} wants for the group. */
  async groupRequest(): Promise<TakeGroupSnapshotRequest> {
    const { cluster } = this;
    const claims = cluster.list(Resources.persistentVolumeClaims, {
      namespace: 'shop',
      labelSelector: 'velero.io/volume-group=db',
    });
    const groupSnapshotClass = await cluster.get({
      ...groupApi,
      resource: 'volumegroupsnapshotclasses',
      name: 'fake-csi',
    });
    const members: GroupMember[] = [];
    for await (const each of claims) {
      const name = stringAt(each, ['spec', 'volumeName']) ?? '';
      const volume = await cluster.get({ ...Resources.persistentVolumes, name });
      if (volume !== undefined) {
        members.push({ claim: each, volume });
      }
    }
    if (groupSnapshotClass === undefined) {
      throw new Error('no VolumeGroupSnapshotClass fake-csi');
    }
    return {
      namespace: 'shop',
      labelKey: 'velero.io/volume-group',
      labelValue: 'db',
      members,
      groupSnapshotClass,
    };
  }

  async archivedSnapshots(): Promise<readonly JsonObject[]> {
    const found: JsonObject[] = [];
    const source = await this.store.get(backupKey('first', 'archive'));
    for await (const { entry, bytes } of readArchive(source)) {
      const object = parseJson(Buffer.from(bytes).toString());
      if (
        entry.groupResource === 'volumesnapshots.snapshot.storage.k8s.io' &&
        isJsonObject(object)
      ) {
        found.push(object);
      }
    }
    return found;
  }

  read(namespace: string, name: string): string {
    return Buffer.from(this.cluster.csi.readFile({ namespace, name }, 'file') ?? []).toString();
  }

  async snapshotObjects(): Promise<readonly string[]> {
    await this.cluster.settle();
    const found: string[] = [];
    for (const resource of groupResources) {
      for await (const object of this.cluster.list(resource)) {
        found.push(
          `${object.kind} ${object.metadata.name} ${stringAt(object, ['spec', 'deletionPolicy']) ?? ''}`,
        );
      }
    }
    return found;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.cluster.close();
  }
}

const groupApi = { group: 'groupsnapshot.storage.k8s.io', version: 'v1' };
const groupResources = [
  { ...groupApi, resource: 'volumegroupsnapshots' },
  { ...groupApi, resource: 'volumegroupsnapshotcontents' },
  Resources.volumeSnapshots,
  Resources.volumeSnapshotContents,
];

const groupDefinition = 'volumegroupsnapshots.groupsnapshot.storage.k8s.io';

function claim(
  name: string,
  labels: Readonly<Record<string, string>> = group,
  storageClassName = 'fake-csi',
): KubernetesManifest {
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: { name, namespace: 'shop', labels },
    spec: {
      storageClassName,
      accessModes: ['ReadWriteOnce'],
      resources: { requests: { storage: '1Gi' } },
    },
  };
}
