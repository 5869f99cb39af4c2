import { describe, expect, it } from 'vitest';
import { ClusterError, isLifeboatError, ValidationError } from '../errors.ts';
import type { BackupEvent } from '../model/event.ts';
import type { KubernetesManifest, KubernetesObject } from '../model/kubernetes.ts';
import { stringAt } from '../model/object-path.ts';
import { Resources } from '../model/resources.ts';
import type { ObjectBody, ObjectStoreCapabilities, PutOptions } from '../ports/object-store.ts';
import { MemoryObjectStore } from '../stores/memory-object-store.ts';
import { FakeCsiStorage } from '../testing/fake-cluster/csi/fake-csi-storage.ts';
import { FakeCluster } from '../testing/fake-cluster/fake-cluster.ts';
import { FaultyObjectStore } from '../testing/faulty-object-store.ts';
import { createEngine } from './create-engine.ts';
import type { Engine } from './engine.ts';

const claim = { namespace: 'shop', name: 'data' };
const request = { name: 'first', spec: { includedNamespaces: ['shop'] } };

describe('backup and restore', () => {
  it('brings a namespace back with its data after it was lost whole', async () => {
    await using lab = await labWithShop();
    const { backup, issues } = await lab.engine.backup(request);
    expect(issues).toEqual([]);
    expect(backup.status).toMatchObject({ phase: 'Completed', csiVolumeSnapshotsCompleted: 1 });
    await lab.deleteNamespace('shop');

    const { restore, issues: restoreIssues } = await lab.engine.restore({
      spec: { backupName: 'first' },
    });
    expect(restoreIssues.filter(({ severity }) => severity === 'error')).toEqual([]);
    expect(restore.status.phase).toBe('Completed');
    await lab.cluster.settle();
    expect(lab.read(claim)).toBe('treasure');
    expect(await lab.snapshotObjects()).toEqual([]);
  });

  it('restores beside the living namespace, and into another cluster on the same storage', async () => {
    await using lab = await labWithShop();
    await lab.engine.backup(request);
    lab.cluster.csi.writeFile(claim, 'file', 'changed since');
    const spec = { backupName: 'first', namespaceMapping: { shop: 'copy' } };
    expect((await lab.engine.restore({ spec })).restore.status.phase).toBe('Completed');
    await lab.cluster.settle();
    expect(lab.read(claim)).toBe('changed since');
    expect(lab.read({ ...claim, namespace: 'copy' })).toBe('treasure');

    await using other = new FakeCluster({ name: 'other', csiStorage: lab.cluster.csi.storage });
    const elsewhere = createEngine({ cluster: other, store: lab.store });
    const result = await elsewhere.restore({ spec: { backupName: 'first' } });
    expect(result.restore.status.phase).toBe('Completed');
    await other.settle();
    expect(text(other.csi.readFile(claim, 'file'))).toBe('treasure');
  });

  it('leaves no snapshot object behind, or keeps both with policy Retain', async () => {
    await using lab = await labWithShop();
    await lab.engine.backup(request);
    expect(await lab.snapshotObjects()).toEqual([]);

    await lab.engine.backup({ ...request, name: 'second' }, { snapshotObjects: 'keep' });
    const kept = await lab.snapshotObjects();
    expect(kept.map(({ kind }) => kind).sort()).toEqual([
      'VolumeSnapshot',
      'VolumeSnapshotContent',
    ]);
    const content = kept.find(({ kind }) => kind === 'VolumeSnapshotContent');
    expect(content && stringAt(content, ['spec', 'deletionPolicy'])).toBe('Retain');
    expect(lab.cluster.csi.storage.snapshots.size).toBe(2);
  });

  it('frees the storage snapshot and the files when a backup is deleted, repeatedly', async () => {
    await using lab = await labWithShop();
    await lab.engine.backup(request);
    expect(lab.cluster.csi.storage.snapshots.size).toBe(1);
    await lab.engine.deleteBackup('first');
    expect(lab.cluster.csi.storage.snapshots.size).toBe(0);
    expect(await lab.keys()).toEqual([]);
    expect(await lab.snapshotObjects()).toEqual([]);
    await lab.engine.deleteBackup('first');
  });

  it('keeps a backup whose snapshot cannot be freed', async () => {
    await using lab = await labWithShop();
    await lab.engine.backup(request);
    lab.cluster.faults.inject({
      operation: 'create',
      resource: 'volumesnapshotcontents.snapshot.storage.k8s.io',
      error: 'Forbidden',
      times: 1,
    });
    await expect(lab.engine.deleteBackup('first')).rejects.toMatchObject({
      code: 'SnapshotFailed',
      retryable: true,
    });
    expect(await lab.engine.catalog.get('first')).toBeDefined();
    await lab.engine.deleteBackup('first');
    expect(await lab.engine.catalog.get('first')).toBeUndefined();
  });

  it('reports phases in order, the states of the snapshot in order, and progress that never goes back', async () => {
    await using lab = await labWithShop();
    const events: BackupEvent[] = [];
    await lab.engine.backup(request, { onEvent: (event) => events.push(event) });
    expect(events.flatMap((event) => (event.type === 'phase' ? event.phase : []))).toEqual([
      'Claiming',
      'Collecting',
      'WaitingForSnapshots',
      'Finalizing',
    ]);
    expect(events.flatMap((event) => (event.type === 'snapshot' ? event.state : []))).toEqual([
      'Requested',
      'Bound',
      'HandleAssigned',
      'ReadyToUse',
      'Detached',
    ]);
    const done = events.flatMap((event) => (event.type === 'progress' ? event.done : []));
    expect(done).toEqual(done.toSorted((left, right) => left - right));
  });

  it('ignores what a listener throws', async () => {
    await using lab = await labWithShop();
    const onEvent = (): never => {
      throw new Error('listener');
    };
    expect((await lab.engine.backup(request, { onEvent })).backup.status.phase).toBe('Completed');
  });
});

describe('a backup that fails or is cancelled', () => {
  it.each(['Requested', 'HandleAssigned', 'ReadyToUse'] as const)(
    'leaves nothing when it is cancelled while a snapshot is %s',
    async (state) => {
      await using lab = await labWithShop();
      if (state === 'Requested') {
        lab.cluster.csi.inject({ call: 'CreateSnapshot', delayMs: 50 });
      }
      const stop = new AbortController();
      const reason = new Error('enough');
      const running = lab.engine.backup(request, {
        signal: stop.signal,
        onEvent: (event) => {
          if (event.type === 'snapshot' && event.state === state) {
            stop.abort(reason);
          }
        },
      });
      await expect(running).rejects.toBe(reason);
      await lab.expectNothingLeft();
    },
  );

  it.each([
    { what: 'the archive', key: /\.tar\.gz$/ },
    { what: 'the results', key: /-results\.gz$/ },
    { what: 'velero-backup.json', key: /velero-backup\.json$/ },
  ])('leaves nothing when $what cannot be stored', async ({ key }) => {
    await using lab = await labWithShop();
    lab.faulty.inject({ operation: 'put', key, error: 'PermissionDenied' });
    await expect(lab.engine.backup(request)).rejects.toMatchObject({ code: 'PermissionDenied' });
    await lab.expectNothingLeft();
  });

  it('is rejected before anything is touched when its name is taken', async () => {
    await using lab = await labWithShop();
    await lab.engine.backup(request);
    const before = lab.cluster.requests.length;
    await expect(lab.engine.backup(request)).rejects.toMatchObject({ code: 'AlreadyExists' });
    expect(lab.cluster.requests.length).toBe(before);
    expect(await lab.engine.catalog.get('first')).toBeDefined();
  });

  it('lets exactly one of racing runs have a name', async () => {
    await using lab = await labWithShop();
    const runs = await Promise.allSettled(
      Array.from({ length: 8 }, () => lab.engine.backup(request)),
    );
    const codes = runs.map((run) =>
      run.status === 'fulfilled' ? 'won' : isLifeboatError(run.reason) && run.reason.code,
    );
    expect(codes.toSorted()).toEqual([...Array<string>(7).fill('AlreadyExists'), 'won']);
    expect(lab.cluster.csi.storage.snapshots.size).toBe(1);
  });

  it('throws when the cluster cannot be reached, and gives the name back', async () => {
    await using lab = await labWithShop();
    lab.cluster.faults.inject({ error: 'Unavailable' });
    await expect(lab.engine.backup(request)).rejects.toMatchObject({ code: 'Unavailable' });
    expect(await lab.keys()).toEqual([]);
    lab.cluster.faults.clear();
    expect((await lab.engine.backup(request)).backup.status.phase).toBe('Completed');
  });

  it('throws, and leaves nothing, when the cluster goes out of reach while it collects', async () => {
    await using lab = await labWithShop();
    const cause = new ClusterError('connection refused', {
      code: 'Unavailable',
      operation: 'Cluster.list',
      retryable: true,
    });
    lab.cluster.faults.inject({ operation: 'list', resource: 'configmaps', error: cause });
    await expect(lab.engine.backup(request)).rejects.toBe(cause);
    await lab.expectNothingLeft();
  });

  it('goes on when only one API answers that it is unavailable', async () => {
    await using lab = await labWithShop();
    lab.cluster.faults.inject({
      operation: 'list',
      resource: 'configmaps',
      error: 'Unavailable',
    });
    const { backup } = await lab.engine.backup(request);
    expect(backup.status).toMatchObject({ phase: 'PartiallyFailed', errors: 1 });
  });

  it('throws Forbidden when the caller may not read a single object', async () => {
    await using lab = await labWithShop();
    for (const operation of ['get', 'list', 'watch'] as const) {
      lab.cluster.faults.inject({ operation, error: 'Forbidden' });
    }
    await expect(lab.engine.backup(request)).rejects.toMatchObject({ code: 'Forbidden' });
    expect(await lab.keys()).toEqual([]);
  });

  it('throws NotFound for a namespace that is missing, or is PartiallyFailed when others exist', async () => {
    await using lab = await labWithShop();
    const missing = { name: 'missing', spec: { includedNamespaces: ['nowhere'] } };
    await expect(lab.engine.backup(missing)).rejects.toMatchObject({ code: 'NotFound' });
    expect(await lab.keys()).toEqual([]);

    const both = { name: 'both', spec: { includedNamespaces: ['nowhere', 'shop'] } };
    const { backup, issues } = await lab.engine.backup(both);
    expect(backup.status).toMatchObject({ phase: 'PartiallyFailed', errors: 1 });
    expect(issues).toMatchObject([{ reason: 'NotFound', object: { name: 'nowhere' } }]);
  });

  it('refuses a store that cannot tell two writers apart, unless that is allowed', async () => {
    await using cluster = await clusterWithShop();
    const store = new UnconditionalObjectStore(new MemoryObjectStore());
    const refusing = createEngine({ cluster, store });
    await expect(refusing.backup(request)).rejects.toMatchObject({ code: 'Unsupported' });
    const trusting = createEngine({ cluster, store, allowUnsafeConcurrentWriters: true });
    expect((await trusting.backup(request)).backup.status.phase).toBe('Completed');
  });
});

describe('a volume that cannot be snapshotted', () => {
  it('is an error of its claim alone when the driver fails, in the words of the driver', async () => {
    await using lab = await labWithShop();
    lab.cluster.csi.inject({ call: 'CreateSnapshot', error: 'array is on fire' });
    const engine = createEngine({ cluster: lab.cluster, store: lab.store });
    const { backup, issues } = await engine.backup({
      ...request,
      spec: { ...request.spec, csiSnapshotTimeout: '1s' },
    });
    expect(backup.status).toMatchObject({
      phase: 'PartiallyFailed',
      errors: 1,
      csiVolumeSnapshotsAttempted: 1,
    });
    expect(issues).toMatchObject([{ reason: 'SnapshotFailed', object: claimIdentifier() }]);
    expect(issues[0]?.message).toContain('array is on fire');
    expect(await lab.snapshotObjects()).toEqual([]);
    expect(lab.cluster.csi.storage.snapshots.size).toBe(0);
  });

  it('is an error that names the candidates when no class is fit', async () => {
    await using lab = await labWithShop();
    for await (const { metadata } of lab.cluster.list(Resources.volumeSnapshotClasses)) {
      await lab.cluster.delete({ ...Resources.volumeSnapshotClasses, name: metadata.name });
    }
    const other = {
      apiVersion: 'snapshot.storage.k8s.io/v1',
      kind: 'VolumeSnapshotClass',
      metadata: { name: 'other' },
      driver: 'other.example.com',
      deletionPolicy: 'Delete',
    };
    await lab.cluster.create(Resources.volumeSnapshotClasses, other);
    const { backup, issues } = await lab.engine.backup(request);
    expect(backup.status.phase).toBe('PartiallyFailed');
    expect(issues).toMatchObject([{ reason: 'SnapshotFailed', object: claimIdentifier() }]);
    expect(issues[0]?.message).toContain('other (driver other.example.com)');
  });

  it('is stored as an object with a warning while its claim is Pending', async () => {
    await using lab = await labWithShop();
    await lab.cluster.create(
      Resources.persistentVolumeClaims,
      claimManifest('waiting', 'fake-csi-wffc'),
    );
    const { backup, issues } = await lab.engine.backup(request);
    expect(backup.status).toMatchObject({ phase: 'Completed', warnings: 1 });
    expect(issues).toMatchObject([
      {
        severity: 'warning',
        reason: 'ClaimNotBound',
        object: { namespace: 'shop', name: 'waiting' },
      },
    ]);
  });
});

it('refuses options that cannot work, all at once', () => {
  const action = { name: 'a', appliesTo: {}, execute: async () => ({}) };
  const create = (): Engine =>
    createEngine({
      cluster: new FakeCluster(),
      store: new MemoryObjectStore(),
      concurrency: { snapshotsPerDriver: 0, restoredObjects: 1.5, releasedSnapshots: 0 },
      timeouts: { snapshotErrorGraceMs: -1, snapshotCleanUpMs: 0 },
      backupItemActions: [action, action],
    });
  expect(create).toThrow(ValidationError);
  expect(create).toThrow(
    /snapshotsPerDriver.*restoredObjects.*releasedSnapshots.*timeouts.snapshotErrorGraceMs.*backupItemActions/,
  );
  expect(create).not.toThrow(/snapshotCleanUpMs/);
});

/** A store that overwrites whatever it is asked to create, as some S3 clones do. */
class UnconditionalObjectStore extends FaultyObjectStore {
  override get capabilities(): ObjectStoreCapabilities {
    return { ifAbsent: false };
  }

  override put(key: string, body: ObjectBody, options: PutOptions = {}): Promise<void> {
    return super.put(key, body, { ...options, ifAbsent: false });
  }
}

class Lab implements AsyncDisposable {
  readonly store = new MemoryObjectStore();
  readonly faulty = new FaultyObjectStore(this.store);
  readonly engine: Engine;
  readonly cluster: FakeCluster;

  constructor(cluster: FakeCluster) {
    this.cluster = cluster;
    this.engine = createEngine({ cluster, podExec: cluster.podExec, store: this.faulty });
  }

  read(reference: { readonly namespace: string; readonly name: string }): string | undefined {
    return text(this.cluster.csi.readFile(reference, 'file'));
  }

  async deleteNamespace(name: string): Promise<void> {
    await this.cluster.delete({ ...Resources.namespaces, name });
    await this.cluster.settle();
    expect(await this.cluster.get({ ...Resources.namespaces, name })).toBeUndefined();
  }

  async snapshotObjects(): Promise<readonly KubernetesObject[]> {
    return [
      ...(await Array.fromAsync(this.cluster.list(Resources.volumeSnapshots))),
      ...(await Array.fromAsync(this.cluster.list(Resources.volumeSnapshotContents))),
    ];
  }

  async keys(): Promise<readonly string[]> {
    return (await Array.fromAsync(this.store.list(''))).map(({ key }) => key);
  }

  async expectNothingLeft(): Promise<void> {
    await this.cluster.settle();
    expect(await this.snapshotObjects()).toEqual([]);
    expect(this.cluster.csi.storage.snapshots.size).toBe(0);
    expect(await this.keys()).toEqual([]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.cluster.close();
  }
}

async function labWithShop(): Promise<Lab> {
  return new Lab(await clusterWithShop());
}

async function clusterWithShop(): Promise<FakeCluster> {
  const cluster = new FakeCluster({ csiStorage: new FakeCsiStorage() });
  const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop' } };
  await cluster.create(Resources.namespaces, namespace);
  await cluster.create(Resources.persistentVolumeClaims, claimManifest('data', 'fake-csi'));
  await cluster.create(Resources.pods, {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'web', namespace: 'shop' },
    spec: {
      containers: [
        { name: 'web', image: 'web', volumeMounts: [{ name: 'data', mountPath: '/data' }] },
      ],
      volumes: [{ name: 'data', persistentVolumeClaim: { claimName: 'data' } }],
    },
  });
  await cluster.settle();
  cluster.csi.writeFile(claim, 'file', 'treasure');
  return cluster;
}

function claimManifest(name: string, storageClassName: string): KubernetesManifest {
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: { name, namespace: 'shop' },
    spec: {
      storageClassName,
      accessModes: ['ReadWriteOnce'],
      resources: { requests: { storage: '30Mi' } },
    },
  };
}

function claimIdentifier(): object {
  return { groupResource: 'persistentvolumeclaims', ...claim };
}

function text(bytes: Uint8Array | undefined): string | undefined {
  return bytes && Buffer.from(bytes).toString();
}
