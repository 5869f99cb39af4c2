import { expect, it } from 'vitest';
import type { KubernetesObject } from '../model/kubernetes.ts';
import { referenceTo } from '../model/kubernetes.ts';
import { Resources } from '../model/resources.ts';
import type { Leftover } from '../retention/leftover.ts';
import { MemoryObjectStore } from '../stores/memory-object-store.ts';
import { FakeCluster } from '../testing/fake-cluster/fake-cluster.ts';
import { FaultyObjectStore } from '../testing/faulty-object-store.ts';
import { LeapingClock } from '../testing/leaping-clock.ts';
import { createEngine } from './create-engine.ts';
import type { Engine } from './engine.ts';
import { KillPoint } from './kill-point-fixture.ts';

const contents = Resources.volumeSnapshotContents;
const request = { name: 'first', spec: { includedNamespaces: ['shop'] } };
const all = { minimumAgeMs: 0 } as const;

it('leaves young leftovers alone: they may be of a run under way', async () => {
  await using lab = await Lab.withDeadBackup();
  expect(await lab.engine.findLeftovers()).toEqual([]);
  expect(await lab.causes()).toEqual(['BackupUnfinished', 'SnapshotOfUnfinishedBackup']);
});

it('refuses a negative age', async () => {
  await using lab = await Lab.open();
  await expect(lab.engine.findLeftovers({ minimumAgeMs: -1 })).rejects.toMatchObject({
    code: 'Validation',
  });
});

it('removes nothing that it only reports', async () => {
  await using lab = await Lab.withDeadBackup();
  const elsewhere = createEngine({ cluster: lab.cluster, store: new MemoryObjectStore() });
  const found = await elsewhere.findLeftovers(all);
  expect(found).toMatchObject([{ cause: 'UnknownBackup', action: 'None' }]);
  expect(await elsewhere.removeLeftovers(found)).toMatchObject([{ outcome: 'Reported' }]);
  expect(await lab.snapshots()).toHaveLength(1);

  const asked = await elsewhere.findLeftovers({ ...all, unknownBackups: 'remove' });
  expect(await elsewhere.removeLeftovers(asked)).toMatchObject([{ outcome: 'Removed' }]);
  expect(lab.cluster.csi.storage.snapshots.size).toBe(0);
});

it('frees no snapshot of a backup that was completed after the search', async () => {
  await using lab = await Lab.withDeadBackup();
  const found = await lab.engine.findLeftovers(all);
  // As if the run had only been slow.
  await lab.store.put('backups/first/velero-backup.json', Buffer.from('{}'));
  expect(await lab.engine.removeLeftovers(found)).toMatchObject([
    { outcome: 'Changed' },
    { outcome: 'Changed' },
  ]);
  expect(lab.cluster.csi.storage.snapshots.size).toBe(1);
});

it('leaves an object alone that has taken the name of what was found', async () => {
  await using lab = await Lab.withDeadBackup();
  const found = await lab.engine.findLeftovers(all);
  const changed = found.map((leftover) => ({
    ...leftover,
    objects: leftover.objects.map((object) => ({ ...object, uid: 'another' })),
  }));
  const [files, pair] = await lab.engine.removeLeftovers(sorted(changed));
  expect(pair).toMatchObject({ outcome: 'Changed' });
  expect(files).toMatchObject({ outcome: 'Failed' });
  expect(await lab.keys()).not.toEqual([]);
});

it('keeps the files of a run as long as its snapshots are there: nothing else would tell whose they are', async () => {
  await using lab = await Lab.withDeadBackup();
  const [files, pair] = sorted(await lab.engine.findLeftovers(all));
  const onlyFiles = await lab.engine.removeLeftovers(files === undefined ? [] : [files]);
  expect(onlyFiles).toMatchObject([{ outcome: 'Failed' }]);
  const both = [files, pair].filter((leftover) => leftover !== undefined);
  expect(await lab.engine.removeLeftovers(both)).toMatchObject([
    { outcome: 'Removed' },
    { outcome: 'Removed' },
  ]);
  expect(await lab.keys()).toEqual([]);
  expect(await lab.engine.removeLeftovers(both)).toMatchObject([
    { outcome: 'Changed' },
    { outcome: 'Changed' },
  ]);
});

it('removes nothing when the store cannot be read', async () => {
  await using lab = await Lab.withDeadBackup();
  const found = await lab.engine.findLeftovers(all);
  lab.faulty.inject({ operation: 'list', error: 'Unavailable', times: 2 });
  await expect(lab.engine.removeLeftovers(found)).rejects.toMatchObject({ code: 'Unavailable' });
  await expect(lab.engine.findLeftovers(all)).rejects.toMatchObject({ code: 'Unavailable' });
  expect(await lab.snapshots()).toHaveLength(1);
});

it('removes nothing when a complete backup cannot be read, since it may need any snapshot', async () => {
  await using lab = await Lab.withDeadBackup();
  await lab.store.put('backups/second/velero-backup.json', Buffer.from('{}'));
  await lab.store.put('backups/second/second-volumeinfo.json.gz', Buffer.from('damaged'));
  await lab.store.put('backups/second/second.tar.gz', Buffer.from('damaged'));
  await expect(lab.engine.findLeftovers(all)).rejects.toMatchObject({ code: 'CorruptBackup' });
});

it('goes on with the others when one cannot be removed, and finds that one again', async () => {
  await using lab = await Lab.withDeadBackup();
  lab.cluster.faults.inject({ operation: 'patch', error: 'Forbidden', times: 1 });
  const outcomes = await lab.engine.removeLeftovers(sorted(await lab.engine.findLeftovers(all)));
  expect(outcomes).toMatchObject([{ outcome: 'Failed' }, { outcome: 'Failed' }]);
  await lab.engine.removeLeftovers(await lab.engine.findLeftovers(all));
  expect(await lab.causes()).toEqual([]);
  expect(lab.cluster.csi.storage.snapshots.size).toBe(0);
});

it('takes an aborted removal up again', async () => {
  await using lab = await Lab.withDeadBackup();
  const found = await lab.engine.findLeftovers(all);
  const reason = new Error('enough');
  const removed = lab.engine.removeLeftovers(found, { signal: AbortSignal.abort(reason) });
  await expect(removed).rejects.toBe(reason);
  expect(await lab.causes()).toHaveLength(2);
});

it('frees what Velero before 1.16 retained, when that is asked for', async () => {
  await using lab = await Lab.open();
  await lab.engine.backup(request);
  const [snapshot] = [...lab.cluster.csi.storage.snapshots.values()];
  await lab.engine.catalog.delete('first');
  const [driver] = await Array.fromAsync(lab.cluster.list(Resources.volumeSnapshotClasses));
  await lab.cluster.create(contents, {
    apiVersion: 'snapshot.storage.k8s.io/v1',
    kind: 'VolumeSnapshotContent',
    metadata: { name: 'snapcontent-1', labels: { 'velero.io/backup-name': 'first' } },
    spec: {
      deletionPolicy: 'Retain',
      driver: driver?.['driver'] ?? '',
      source: { snapshotHandle: snapshot?.handle ?? '' },
      volumeSnapshotRef: { namespace: 'ns-1', name: 'name-1' },
    },
  });
  await lab.cluster.settle();
  expect(await lab.engine.findLeftovers(all)).toMatchObject([{ action: 'None' }]);
  const found = await lab.engine.findLeftovers({ ...all, retainedByVelero: 'remove' });
  expect(await lab.engine.removeLeftovers(found)).toMatchObject([{ outcome: 'Removed' }]);
  expect(await lab.snapshots()).toEqual([]);
  expect(lab.cluster.csi.storage.snapshots.size).toBe(0);
});

it('leaves the pair of a claim that waits for its first pod, and removes it once that has come', async () => {
  await using lab = await Lab.open('fake-csi-wffc');
  await lab.runPod('shop');
  await lab.engine.backup(request);
  const spec = { backupName: 'first', namespaceMapping: { shop: 'copy' } };
  await lab.engine.restore({ spec: { ...spec, excludedResources: ['pods'] } });
  expect(await lab.snapshots()).toHaveLength(1);
  expect(await lab.causes()).toEqual([]);

  await lab.runPod('copy');
  expect(await lab.causes()).toEqual(['RestoreFinished']);
  await lab.engine.removeLeftovers(await lab.engine.findLeftovers(all));
  expect(await lab.snapshots()).toEqual([]);
  expect(lab.cluster.csi.storage.snapshots.size).toBe(1);
});

it('takes the finalizers off objects whose deletion nobody brings to its end', async () => {
  await using lab = await Lab.open();
  await lab.engine.backup(request, { snapshotObjects: 'keep' });
  const [kept] = await Array.fromAsync(lab.cluster.list(contents));
  await lab.pretendNobodyServes(kept);
  const { cluster, store } = lab;
  const clock = new LeapingClock(() => cluster.requests.length);
  const engine = createEngine({ cluster, store, clock });
  const found = await engine.findLeftovers(all);
  expect(found).toMatchObject([{ cause: 'RemovalStuck', action: 'DeleteObjects' }]);
  const outcomes = await engine.removeLeftovers(found);
  expect(outcomes).toMatchObject([{ outcome: 'Removed' }]);
  expect(await lab.snapshots()).toEqual([]);
  expect(lab.cluster.csi.storage.snapshots.size).toBe(1);
});

/** Files before objects. */
function sorted(leftovers: readonly Leftover[]): readonly Leftover[] {
  return leftovers.toSorted((left, right) => left.objects.length - right.objects.length);
}

class Lab implements AsyncDisposable {
  readonly store = new MemoryObjectStore();
  readonly faulty = new FaultyObjectStore(this.store);
  readonly cluster = new FakeCluster();
  readonly engine: Engine = createEngine({ cluster: this.cluster, store: this.faulty });

  static async open(storageClassName = 'fake-csi'): Promise<Lab> {
    const lab = new Lab();
    lab.cluster.seed([{ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop' } }]);
    await lab.cluster.create(Resources.persistentVolumeClaims, {
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      metadata: { name: 'data', namespace: 'shop' },
      spec: {
        storageClassName,
        accessModes: ['ReadWriteOnce'],
        resources: { requests: { storage: '1Mi' } },
      },
    });
    await lab.cluster.settle();
    return lab;
  }

  /** A backup whose process died once its archive was stored. */
  static async withDeadBackup(): Promise<Lab> {
    const lab = await Lab.open();
    const process = new KillPoint({ at: 3, when: 'after', die: () => undefined });
    const { cluster, store } = lab;
    const dying = createEngine({ cluster: process.cluster(cluster), store: process.store(store) });
    await expect(dying.backup(request)).rejects.toThrow('died');
    await cluster.settle();
    return lab;
  }

  async causes(): Promise<readonly string[]> {
    return (await this.engine.findLeftovers(all)).map(({ cause }) => cause).toSorted();
  }

  async keys(): Promise<readonly string[]> {
    return (await Array.fromAsync(this.store.list(''))).map(({ key }) => key);
  }

  async snapshots(): Promise<readonly KubernetesObject[]> {
    return Array.fromAsync(this.cluster.list(contents));
  }

  async runPod(namespace: string): Promise<void> {
    await this.cluster.create(Resources.pods, {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'web', namespace },
      spec: {
        containers: [{ name: 'web', image: 'web' }],
        volumes: [{ name: 'data', persistentVolumeClaim: { claimName: 'data' } }],
      },
    });
    await this.cluster.settle();
  }

  /** Deletes a content as if its driver, sidecar included, had been removed from the cluster before. */
  async pretendNobodyServes(content: KubernetesObject | undefined): Promise<void> {
    if (content === undefined) {
      throw new TypeError('no content');
    }
    const finalizers = ['snapshot.storage.kubernetes.io/nobody-serves-this'];
    const reference = referenceTo(contents, content);
    await this.cluster.patch(reference, { type: 'merge', patch: { metadata: { finalizers } } });
    await this.cluster.delete(reference);
    await this.cluster.settle();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.cluster.close();
  }
}
