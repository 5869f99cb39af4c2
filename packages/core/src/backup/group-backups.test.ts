import { describe, expect, it } from 'vitest';
import { createEngine, type Engine } from '../engine/create-engine.ts';
import type { BackupEvent } from '../model/event.ts';
import type { KubernetesManifest } from '../model/kubernetes.ts';
import { stringAt } from '../model/object-path.ts';
import { Resources } from '../model/resources.ts';
import { MemoryObjectStore } from '../stores/memory-object-store.ts';
import { FakeCluster } from '../testing/fake-cluster/fake-cluster.ts';
import { type BackupOptions, type BackupResult } from './request.ts';

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
  });
});

class Lab implements AsyncDisposable {
  readonly cluster = new FakeCluster();
  readonly store = new MemoryObjectStore();
  readonly engine: Engine = createEngine({ cluster: this.cluster, store: this.store });

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

  backup(options: BackupOptions = {}): Promise<BackupResult> {
    const spec = { includedNamespaces: ['shop'] };
    return this.engine.backup({ name: 'first', spec }, options);
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

function claim(name: string, labels: Readonly<Record<string, string>> = group): KubernetesManifest {
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: { name, namespace: 'shop', labels },
    spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
  };
}
