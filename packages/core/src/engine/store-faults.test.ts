import { describe, expect, it, vi } from 'vitest';
import type { BackupArtifact } from '../catalog/artifact.ts';
import { backupKey, claimKey } from '../catalog/key-layout.ts';
import { silentLogger } from '../internal/silent-logger.ts';
import { systemClock } from '../internal/system-clock.ts';
import { Resources } from '../model/resources.ts';
import type { ObjectBody, ObjectStore, PutOptions } from '../ports/object-store.ts';
import { findLeftovers } from '../retention/find-leftovers.ts';
import { removeLeftovers } from '../retention/remove-leftovers.ts';
import { FileSystemObjectStore } from '../stores/file-system-object-store.ts';
import { MemoryObjectStore } from '../stores/memory-object-store.ts';
import { retryingObjectStore } from '../stores/retrying-object-store.ts';
import { FakeCluster } from '../testing/fake-cluster/fake-cluster.ts';
import { FaultyObjectStore } from '../testing/faulty-object-store.ts';
import { createEngine } from './create-engine.ts';
import type { Engine } from './engine.ts';

// For a busy machine.
vi.setConfig({ testTimeout: 60_000 });

const request = { name: 'first', spec: { includedNamespaces: ['shop'] } };
const forGood = Number.POSITIVE_INFINITY;

/** The files of a backup: the first two and the last two come in this order. */
const written = [
  claimKey('first'),
  ...(
    [
      ...['archive', 'logs', 'podVolumeBackups', 'volumeSnapshots', 'resourceList', 'results'],
      ...['itemOperations', 'volumeInfo', 'index', 'manifest', 'backup'],
    ] as BackupArtifact[]
  ).map((artifact) => backupKey('first', artifact)),
];
const rows = written.map((key) => ({ key, file: key.slice('backups/first/'.length) }));

it('stores the archive, up to four of the other files at a time, and at the end the last two, each alone', async () => {
  await using lab = await Lab.open();
  const store = new RecordingStore(new MemoryObjectStore());
  await createEngine({ cluster: lab.cluster, store }).backup(request);
  const keys = store.puts.map(({ key }) => key);
  expect(keys.toSorted()).toEqual(written.toSorted());
  expect(keys.slice(0, 2)).toEqual(written.slice(0, 2));
  expect(keys.slice(-2)).toEqual(written.slice(-2));
  const underWay = store.puts.map((put) => put.underWay);
  expect(underWay.slice(0, 6)).toEqual([1, 1, 1, 2, 3, 4]);
  expect(Math.max(...underWay)).toBe(4);
  expect(underWay.slice(-2)).toEqual([1, 1]);
});

it('stops storing files when the store does not take one, and waits for those under way', async () => {
  await using lab = await Lab.open();
  const inner = new MemoryObjectStore();
  const store = new RecordingStore(inner, { until: 'abort' });
  store.inject({ operation: 'put', key: /resource-list/, error: 'PermissionDenied' });
  const backup = createEngine({ cluster: lab.cluster, store }).backup(request);
  await expect(backup).rejects.toMatchObject({ code: 'PermissionDenied' });
  expect(written.slice(0, 6)).toEqual(expect.arrayContaining(store.puts.map(({ key }) => key)));
  expect(store.underWay).toBe(0);
  expect(await Array.fromAsync(inner.list(''))).toEqual([]);
});

describe.each(rows)('a store that does not take $file', ({ key }) => {
  it.each([
    { how: 'and says so', when: 'before', error: 'PermissionDenied' },
    { how: 'because it is out of reach', when: 'before', error: 'Unavailable' },
    { how: 'although it has, and its answer is lost', when: 'after', error: 'Unavailable' },
  ] as const)('fails the backup, which leaves nothing: $how', async ({ when, error }) => {
    await using lab = await Lab.open();
    lab.faulty.inject({ operation: 'put', key, when, error, times: forGood });
    await expect(lab.engine.backup(request)).rejects.toMatchObject({ code: error });
    await lab.expectNothingLeft();
    if (key === claimKey('first')) {
      expect(lab.cluster.requests).toEqual([]);
    }
  });

  it('for a while is tried again by a store that may', async () => {
    await using lab = await Lab.open();
    const fault = lab.faulty.inject({ operation: 'put', key, error: 'Unavailable', times: 2 });
    const store = retryingObjectStore(lab.faulty, { attempts: 3, firstPauseMs: 1 });
    const backup = createEngine({ cluster: lab.cluster, store }).backup(request);
    if (key.endsWith('.tar.gz')) {
      // A stream can be read once; the stores of the clouds send its parts again.
      await expect(backup).rejects.toMatchObject({
        ...{ name: 'ObjectStoreError', code: 'Unavailable', retryable: true, target: key },
        message: expect.stringContaining('run the backup again') as string,
      });
      await lab.expectNothingLeft();
    } else {
      expect((await backup).backup.status.phase).toBe('Completed');
      expect(fault.hits).toBe(2);
      expect(await lab.engine.verify('first')).toMatchObject({ intact: true });
    }
  });

  it('loses an answer, and is asked what it has', async () => {
    await using lab = await Lab.open();
    const fault = { operation: 'put', key, when: 'after', error: 'Unavailable' } as const;
    lab.faulty.inject(fault);
    const store = retryingObjectStore(lab.faulty, { attempts: 3, firstPauseMs: 1 });
    const backup = createEngine({ cluster: lab.cluster, store }).backup(request);
    if (key.endsWith('.tar.gz')) {
      await expect(backup).rejects.toMatchObject({ code: 'Unavailable' });
      await lab.expectNothingLeft();
    } else {
      expect((await backup).backup.status.phase).toBe('Completed');
      expect(await lab.engine.verify('first')).toMatchObject({ intact: true });
    }
  });

  it('lets an undone backup delete it no more: then it is left with the claim, found and removed', async () => {
    await using lab = await Lab.open();
    const refusal = { operation: 'delete', key, error: 'PermissionDenied' } as const;
    const fault = lab.faulty.inject({ ...refusal, times: forGood });
    const failed = { operation: 'put', key: /velero-backup/, when: 'after' } as const;
    lab.faulty.inject({ ...failed, error: 'Unavailable' });
    await expect(lab.engine.backup(request)).rejects.toMatchObject({ code: 'Unavailable' });
    expect(fault.hits).toBe(1);
    expect(await lab.keys()).toEqual([...new Set([key, claimKey('first')])].sort());
    expect(lab.cluster.csi.storage.snapshots.size).toBe(0);
    fault.remove();
    if (key === backupKey('first', 'backup')) {
      return;
    }
    expect(await lab.removeLeftovers()).toEqual(['BackupUnfinished']);
    await lab.expectNothingLeft();
    expect((await lab.engine.backup(request)).backup.status.phase).toBe('Completed');
  });
});

it('a store that lets nothing be deleted: all is left, with a warning, is found, and removed later', async () => {
  await using lab = await Lab.open();
  const fault = lab.faulty.inject({
    operation: 'delete',
    error: 'PermissionDenied',
    times: forGood,
  });
  lab.faulty.inject({ operation: 'put', key: /velero-backup/, error: 'PermissionDenied' });
  const warnings: string[] = [];
  const logger = { ...silentLogger, warn: (message: string): number => warnings.push(message) };
  const engine = createEngine({ cluster: lab.cluster, store: lab.faulty, logger });
  await expect(engine.backup(request)).rejects.toMatchObject({ code: 'PermissionDenied' });
  expect(warnings).toContain('files of an unfinished backup are left in the store');
  expect(await lab.keys()).toEqual(written.slice(0, -1).toSorted());
  expect(lab.cluster.csi.storage.snapshots.size).toBe(0);
  await expect(engine.backup(request)).rejects.toMatchObject({ code: 'AlreadyExists' });
  fault.remove();
  expect(await lab.removeLeftovers()).toEqual(['BackupUnfinished']);
  await lab.expectNothingLeft();
});

it('a store that cannot be listed: the name is given back before the cluster is touched', async () => {
  await using lab = await Lab.open();
  lab.faulty.inject({ operation: 'list', error: 'Unavailable', times: forGood });
  await expect(lab.engine.backup(request)).rejects.toMatchObject({ code: 'Unavailable' });
  await lab.expectNothingLeft();
  expect(lab.cluster.requests).toEqual([]);
});

it('a directory that there cannot be is refused before the cluster is touched', async () => {
  await using cluster = new FakeCluster();
  const store = new FileSystemObjectStore({ directory: '/proc/lifeboat' });
  const backup = createEngine({ cluster, store }).backup(request);
  await expect(backup).rejects.toMatchObject({
    name: 'ObjectStoreError',
    operation: 'ObjectStore.put',
    target: claimKey('first'),
  });
  expect(cluster.requests).toEqual([]);
});

const firstBeside = written.slice(2, 5);

/** Knows what is being stored, and holds the first three files beside the archive until there is a fourth, or an abort. */
class RecordingStore extends FaultyObjectStore {
  readonly puts: { readonly key: string; readonly underWay: number }[] = [];
  underWay = 0;
  readonly #until: 'fourth' | 'abort';
  readonly #fourth = Promise.withResolvers<void>();

  constructor(
    inner: ObjectStore,
    { until = 'fourth' }: { readonly until?: 'fourth' | 'abort' } = {},
  ) {
    super(inner);
    this.#until = until;
  }

  override async put(key: string, body: ObjectBody, options: PutOptions = {}): Promise<void> {
    this.underWay += 1;
    const { underWay } = this;
    const index = this.puts.push({ key, underWay }) - 1;
    try {
      if (this.#until === 'fourth' ? index >= 2 && index < 5 : firstBeside.includes(key)) {
        await this.#hold(options.signal);
      } else if (index === 5) {
        this.#fourth.resolve();
      }
      await super.put(key, body, options);
    } finally {
      this.underWay -= 1;
    }
  }

  async #hold(signal: AbortSignal | undefined): Promise<void> {
    if (this.#until === 'fourth') {
      await this.#fourth.promise;
    } else if (signal?.aborted === false) {
      const { promise: aborted, resolve } = Promise.withResolvers<void>();
      signal.addEventListener('abort', () => resolve(), { once: true });
      await aborted;
    }
  }
}

class Lab implements AsyncDisposable {
  readonly cluster = new FakeCluster();
  readonly faulty: FaultyObjectStore;
  readonly engine: Engine;
  readonly #store: ObjectStore;

  private constructor(store: ObjectStore) {
    this.#store = store;
    this.faulty = new FaultyObjectStore(store);
    this.engine = createEngine({ cluster: this.cluster, store: this.faulty });
  }

  static async open(store: ObjectStore = new MemoryObjectStore()): Promise<Lab> {
    const lab = new Lab(store);
    const metadata = { namespace: 'shop', name: 'data' };
    lab.cluster.seed([{ apiVersion: 'v1', kind: 'ConfigMap', metadata }]);
    await lab.cluster.create(Resources.persistentVolumeClaims, {
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      metadata,
      spec: {
        storageClassName: 'fake-csi',
        accessModes: ['ReadWriteOnce'],
        resources: { requests: { storage: '1Mi' } },
      },
    });
    await lab.cluster.settle();
    lab.cluster.forgetRequests();
    return lab;
  }

  async keys(): Promise<readonly string[]> {
    return (await Array.fromAsync(this.#store.list(''))).map(({ key }) => key);
  }

  /** Removes what is left; returns what it was. */
  async removeLeftovers(): Promise<readonly string[]> {
    const { cluster } = this;
    const store = this.#store;
    const dependencies = { cluster, store, clock: systemClock, logger: silentLogger };
    const leftovers = await findLeftovers(dependencies, { minimumAgeMs: 0 });
    await removeLeftovers({ ...dependencies, concurrency: 4 }, leftovers);
    return leftovers.map(({ cause }) => cause);
  }

  async expectNothingLeft(): Promise<void> {
    expect(await this.keys()).toEqual([]);
    const { requests } = this.cluster;
    expect(this.cluster.csi.storage.snapshots.size).toBe(0);
    for (const resource of [Resources.volumeSnapshots, Resources.volumeSnapshotContents]) {
      expect(await Array.fromAsync(this.cluster.connect().list(resource))).toEqual([]);
    }
    expect(this.cluster.requests).toEqual(requests);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.cluster.close();
  }
}
