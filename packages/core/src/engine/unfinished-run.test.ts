import { expect, it } from 'vitest';
import { backupKey, claimKey } from '../catalog/key-layout.ts';
import { Resources } from '../model/resources.ts';
import { MemoryObjectStore } from '../stores/memory-object-store.ts';
import { FakeCluster } from '../testing/fake-cluster/fake-cluster.ts';
import { FaultyObjectStore } from '../testing/faulty-object-store.ts';
import { createEngine } from './create-engine.ts';
import type { Engine } from './engine.ts';
import { KillPoint } from './kill-point-fixture.ts';

const request = { name: 'first', spec: { includedNamespaces: ['shop'] } };
const dead = { assumeDeadAfterMs: 0 } as const;

it('is deleted with the snapshots that it took, before its claim goes', async () => {
  await using lab = await Lab.withDeadBackup();
  const [snapshot] = lab.handles;
  lab.faulty.inject({ operation: 'delete', key: /lifeboat-claim/, error: 'Unavailable' });
  await expect(lab.engine.deleteBackup('first', dead)).rejects.toMatchObject({
    code: 'Unavailable',
  });
  expect(lab.handles).toEqual([]);
  expect(await lab.objects()).toEqual([]);
  expect(await lab.keys()).toEqual([claimKey('first')]);
  expect(snapshot).toBeDefined();
  await lab.engine.deleteBackup('first');
  expect(await lab.keys()).toEqual([]);
});

it('is told of in full by a dry run, which changes nothing', async () => {
  await using lab = await Lab.withDeadBackup();
  const [snapshotHandle] = lab.handles;
  const keys = await lab.keys();
  const options = { ...dead, dryRun: true };
  const { snapshots } = await lab.engine.deleteBackup('first', options);
  expect(snapshots).toMatchObject([{ snapshotHandle, state: 'wouldBeReleased' }]);
  expect(await lab.keys()).toEqual(keys);
  expect(lab.handles).toHaveLength(1);
  const done = await lab.engine.deleteBackup('first', dead);
  expect(done.snapshots).toMatchObject([{ snapshotHandle, state: 'released' }]);
});

it('keeps its files when a snapshot of it cannot be freed, and is deleted by the next call', async () => {
  await using lab = await Lab.withDeadBackup();
  lab.cluster.faults.inject({ operation: 'create', error: 'Forbidden', times: 1 });
  await expect(lab.engine.deleteBackup('first', dead)).rejects.toMatchObject({
    code: 'SnapshotFailed',
    retryable: true,
  });
  expect(await lab.keys()).toContain(claimKey('first'));
  await lab.engine.deleteBackup('first');
  expect(lab.handles).toEqual([]);
  expect(await lab.objects()).toEqual([]);
  expect(await lab.keys()).toEqual([]);
});

it('does not take the snapshots of another run along', async () => {
  await using lab = await Lab.withDeadBackup();
  await lab.engine.backup({ ...request, name: 'other' }, { snapshotObjects: 'keep' });
  const [, ofOther] = lab.handles;
  await lab.engine.deleteBackup('first', dead);
  expect(lab.handles).toEqual([ofOther]);
  expect(await lab.objects()).toHaveLength(2);
  expect((await lab.engine.verify('other')).intact).toBe(true);
});

it('leaves a snapshot that another backup of the store refers to', async () => {
  await using lab = await Lab.open();
  await lab.engine.backup(request, { snapshotObjects: 'keep' });
  for (const { key } of await Array.fromAsync(lab.store.list('backups/first/'))) {
    const body = await Array.fromAsync(await lab.store.get(key));
    await lab.store.put(key.replaceAll('first', 'copy'), Buffer.concat(body));
  }
  // As if the run had died before it described the backup, and before the file that names its snapshots.
  await lab.store.delete(backupKey('first', 'backup'));
  await lab.store.delete(backupKey('first', 'volumeInfo'));
  await lab.store.delete(backupKey('first', 'archive'));
  await lab.engine.deleteBackup('first', dead);
  expect(await lab.keys('backups/first/')).toEqual([]);
  expect(lab.handles).toHaveLength(1);
  expect(await lab.objects()).toHaveLength(2);
});

it.each([
  { what: 'it made the group', at: 1 },
  { what: 'its second write to it', at: 2 },
  { what: 'its third write to it', at: 3 },
])(
  'is refused, with nothing touched, when it was taking a group and died after $what',
  async ({ at }) => {
    await using lab = await Lab.withDeadBackup({ at, labelKey: 'group' });
    const keys = await lab.keys();
    const handles = lab.handles;
    await expect(lab.engine.deleteBackup('first', dead)).rejects.toMatchObject({
      code: 'Unsupported',
      message: expect.stringMatching(/findLeftovers.*removeLeftovers/) as string,
    });
    expect(await lab.keys()).toEqual(keys);
    expect(lab.handles).toEqual(handles);
  },
);

it('is deleted in a cluster that has no snapshot API, where it left nothing', async () => {
  await using lab = await Lab.withDeadBackup();
  await using bare = new FakeCluster({ withCsi: false });
  await createEngine({ cluster: bare, store: lab.store }).deleteBackup('first', dead);
  expect(await lab.keys()).toEqual([]);
});

class Lab implements AsyncDisposable {
  readonly store = new MemoryObjectStore();
  readonly faulty = new FaultyObjectStore(this.store);
  readonly cluster = new FakeCluster();
  readonly engine: Engine = createEngine({ cluster: this.cluster, store: this.faulty });

  static async open(): Promise<Lab> {
    const lab = new Lab();
    lab.cluster.seed([{ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop' } }]);
    await lab.cluster.create(Resources.persistentVolumeClaims, {
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      metadata: { name: 'data', namespace: 'shop', labels: { group: 'a' } },
      spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Mi' } } },
    });
    await lab.cluster.settle();
    return lab;
  }

  /** A backup whose process died after a write; by default when its snapshot was cut and nothing but its claim stored. */
  static async withDeadBackup({
    at = 2,
    labelKey,
  }: {
    readonly at?: number;
    readonly labelKey?: string;
  } = {}): Promise<Lab> {
    const lab = await Lab.open();
    const process = new KillPoint({ at, when: 'after', die: () => undefined });
    const { cluster, store } = lab;
    const dying = createEngine({ cluster: process.cluster(cluster), store: process.store(store) });
    const spec = { ...request.spec, volumeGroupSnapshotLabelKey: labelKey };
    await expect(dying.backup({ ...request, spec })).rejects.toThrow('died');
    await cluster.settle();
    expect(lab.handles).toHaveLength(1);
    return lab;
  }

  get handles(): readonly string[] {
    return [...this.cluster.csi.storage.snapshots.keys()];
  }

  async keys(prefix = ''): Promise<readonly string[]> {
    return (await Array.fromAsync(this.store.list(prefix))).map(({ key }) => key);
  }

  async objects(): Promise<readonly string[]> {
    await this.cluster.settle();
    const kinds = [Resources.volumeSnapshots, Resources.volumeSnapshotContents];
    const lists = kinds.map((kind) => Array.fromAsync(this.cluster.list(kind)));
    return (await Promise.all(lists)).flat().map(({ metadata }) => metadata.name);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.cluster.close();
  }
}
