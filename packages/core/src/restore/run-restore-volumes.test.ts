import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { isLifeboatError, ValidationError } from '../errors.ts';
import { silentLogger } from '../internal/silent-logger.ts';
import { systemClock } from '../internal/system-clock.ts';
import type { RestoreEvent } from '../model/event.ts';
import type { JsonObject } from '../model/json.ts';
import { type KubernetesObject, referenceTo } from '../model/kubernetes.ts';
import { objectsAt, stringAt, withValueAt } from '../model/object-path.ts';
import { Resources } from '../model/resources.ts';
import { importedSnapshotName } from '../snapshot/imported-snapshot.ts';
import { MemoryObjectStore } from '../stores/memory-object-store.ts';
import { FakeCluster } from '../testing/fake-cluster/fake-cluster.ts';
import type { RestoreOptions, RestoreRequest, RestoreResult } from './request.ts';
import { runRestore } from './run-restore.ts';
import { archivedObject, type StoredBackup, storeBackup } from './stored-backup-fixture.ts';

let cluster: FakeCluster;
let store: MemoryObjectStore;

beforeEach(() => {
  cluster = new FakeCluster();
  store = new MemoryObjectStore();
});

afterEach(async () => {
  await cluster.close();
  await store.close();
});

function restore(request: RestoreRequest, options: RestoreOptions = {}): Promise<RestoreResult> {
  return runRestore(
    { cluster, store, clock: systemClock, logger: silentLogger, actions: [], concurrency: 4 },
    request,
    options,
  );
}

type Entry = StoredBackup['objects'][number];

interface SnapshottedClaim {
  readonly name?: string;
  readonly storageClassName?: string;
  readonly driver?: string;
  readonly handle?: string;
  readonly claim?: JsonObject;
}

/** What a backup holds of a claim whose volume holds a file and was snapshotted. */
function snapshottedClaim(options: SnapshottedClaim = {}): readonly Entry[] {
  const { name = 'data', storageClassName = 'fake-csi', driver = cluster.csi.name } = options;
  const { handle: snapshotHandle = takeSnapshot(name) } = options;
  const snapshotName = `velero-${name}-abcde`;
  return [
    [
      'persistentvolumes',
      archivedObject(
        'v1',
        'PersistentVolume',
        { name: `pv-${name}`, namespace: undefined },
        {
          spec: {
            persistentVolumeReclaimPolicy: 'Delete',
            claimRef: { namespace: 'shop', name, uid: 'old' },
          },
        },
      ),
    ],
    [
      'persistentvolumeclaims',
      archivedObject(
        'v1',
        'PersistentVolumeClaim',
        {
          name,
          labels: { 'velero.io/volume-snapshot-name': snapshotName },
          annotations: {
            'velero.io/volume-snapshot-name': snapshotName,
            'pv.kubernetes.io/bind-completed': 'yes',
          },
        },
        {
          spec: {
            accessModes: ['ReadWriteOnce'],
            resources: { requests: { storage: '10Mi' } },
            storageClassName,
            volumeName: `pv-${name}`,
            ...options.claim,
          },
          status: { phase: 'Bound' },
        },
      ),
    ],
    [
      'volumesnapshots',
      archivedObject(
        'snapshot.storage.k8s.io/v1',
        'VolumeSnapshot',
        {
          name: snapshotName,
          annotations: { 'velero.io/csi-volumesnapshot-restore-size': '30Mi' },
        },
        {
          spec: { source: { persistentVolumeClaimName: name } },
          status: { boundVolumeSnapshotContentName: `content-${name}`, readyToUse: true },
        },
      ),
    ],
    [
      'volumesnapshotcontents',
      archivedObject(
        'snapshot.storage.k8s.io/v1',
        'VolumeSnapshotContent',
        { name: `content-${name}`, namespace: undefined },
        {
          spec: { driver, deletionPolicy: 'Delete', sourceVolumeMode: 'Filesystem' },
          status: { snapshotHandle, readyToUse: true, restoreSize: 31_457_280 },
        },
      ),
    ],
  ];
}

function takeSnapshot(name: string): string {
  const createdAt = new Date(0);
  return cluster.csi.storage.addSnapshot({
    name,
    sourceVolumeHandle: 'gone',
    sizeBytes: 31_457_280n,
    createdAt,
    readyAt: createdAt,
    files: new Map([['f', Buffer.from(`precious ${name}`)]]),
  }).handle;
}

function podUsing(claimName: string): Entry {
  const spec = {
    containers: [{ name: 'c', image: 'busybox' }],
    volumes: [{ name: 'v', persistentVolumeClaim: { claimName } }],
  };
  return ['pods', archivedObject('v1', 'Pod', { name: 'web' }, { spec })];
}

function getClaim(namespace: string, name = 'data'): Promise<KubernetesObject | undefined> {
  return cluster.get({ ...Resources.persistentVolumeClaims, namespace, name });
}

async function snapshotObjects(): Promise<readonly KubernetesObject[]> {
  return [
    ...(await Array.fromAsync(cluster.list(Resources.volumeSnapshots))),
    ...(await Array.fromAsync(cluster.list(Resources.volumeSnapshotContents))),
  ];
}

function claimStates(events: readonly RestoreEvent[]): readonly string[] {
  return events.flatMap((event) =>
    event.type === 'claim' ? `${event.claimName} ${event.state}` : [],
  );
}

describe('a snapshotted claim', () => {
  it('comes back with its data, in any namespace, and leaves no snapshot objects', async () => {
    await storeBackup(store, { name: 'shop', objects: snapshottedClaim() });
    for (const target of ['shop', 'copy']) {
      const events: RestoreEvent[] = [];
      const spec = { backupName: 'shop', namespaceMapping: { shop: target } };
      const { restore: done, issues } = await restore(
        { name: `to-${target}`, spec },
        { onEvent: (event) => events.push(event) },
      );
      expect(issues).toEqual([]);
      expect(done.status.phase).toBe('Completed');
      expect(claimStates(events)).toEqual(['data Bound']);
      const bytes = cluster.csi.readFile({ namespace: target, name: 'data' }, 'f');
      expect(Buffer.from(bytes ?? []).toString()).toBe('precious data');
      expect(await getClaim(target)).toMatchObject({
        spec: {
          dataSource: { kind: 'VolumeSnapshot' },
          resources: { requests: { storage: '30Mi' } },
        },
      });
    }
    expect(await snapshotObjects()).toEqual([]);
    expect(cluster.csi.storage.snapshots.size).toBe(1);
  });

  it('is written to by nobody before it is bound, whatever is to be put back', async () => {
    const configMap = { apiVersion: 'v1', kind: 'ConfigMap', name: 'owner', uid: 'uid-of-owner' };
    const managedFields = [{ manager: 'kubectl', operation: 'Apply' }];
    const owned = snapshottedClaim().map(([resource, object]): Entry => {
      const metadata = { ...object.metadata, ownerReferences: [configMap], managedFields };
      return [resource, resource === 'persistentvolumeclaims' ? { ...object, metadata } : object];
    });
    const { name, uid } = configMap;
    const owner: Entry = ['configmaps', archivedObject('v1', 'ConfigMap', { name, uid })];
    await storeBackup(store, { name: 'shop', objects: [...owned, owner] });
    const { issues } = await restore(
      { spec: { backupName: 'shop', existingResourcePolicy: 'update' } },
      { relinkOwners: true, restoreManagedFields: true },
    );
    expect(issues).toEqual([]);
    const writes = cluster.requests
      .filter(({ operation }) => operation === 'patch' || operation === 'delete')
      .map(({ operation, resource }) => `${operation} ${resource}`);
    // The pair goes when the claim is bound.
    const bound = writes.indexOf('delete volumesnapshots.snapshot.storage.k8s.io');
    expect(bound).toBeGreaterThanOrEqual(0);
    expect(writes.indexOf('patch persistentvolumeclaims')).toBeGreaterThan(bound);
  });

  it('is filled though only its namespace is selected, or it alone', async () => {
    await storeBackup(store, { name: 'shop', objects: snapshottedClaim() });
    const spec = { backupName: 'shop', includedNamespaces: ['shop'], includedResources: ['pvc'] };
    const { issues } = await restore({ spec });
    expect(issues).toEqual([]);
    expect(cluster.csi.listFiles({ namespace: 'shop', name: 'data' })).toEqual(['f']);
  });

  it('comes back beside the original under another name, with the pod that mounts it', async () => {
    await storeBackup(store, {
      name: 'shop',
      objects: [...snapshottedClaim(), podUsing('data')],
    });
    await restore({ name: 'first', spec: { backupName: 'shop', includedResources: ['pvc'] } });
    cluster.csi.writeFile({ namespace: 'shop', name: 'data' }, 'f', 'newer');
    const { issues } = await restore(
      { name: 'second', spec: { backupName: 'shop' } },
      { claimNameMapping: { 'shop/data': 'data-copy' } },
    );
    expect(issues).toEqual([]);
    const read = (name: string): string =>
      Buffer.from(cluster.csi.readFile({ namespace: 'shop', name }, 'f') ?? []).toString();
    expect([read('data'), read('data-copy')]).toEqual(['newer', 'precious data']);
    const pod = await cluster.get({ ...Resources.pods, namespace: 'shop', name: 'web' });
    expect(pod && objectsAt(pod, ['spec', 'volumes'])[0]).toEqual({
      name: 'v',
      persistentVolumeClaim: { claimName: 'data-copy' },
    });
    expect(await snapshotObjects()).toEqual([]);
  });

  it('cannot get a name that is none, or that another claim gets', async () => {
    await storeBackup(store, { name: 'shop', objects: snapshottedClaim() });
    const claimNameMapping = { 'shop/data': 'x', 'shop/logs': 'x', data: 'y', 'shop/a': 'Not' };
    const error: unknown = await restore(
      { spec: { backupName: 'shop' } },
      { claimNameMapping },
    ).catch((cause: unknown) => cause);
    expect(error instanceof ValidationError && error.violations).toMatchObject([
      { path: 'options.claimNameMapping["shop/logs"]' },
      { path: 'options.claimNameMapping["data"]' },
      { path: 'options.claimNameMapping["shop/a"]' },
    ]);
  });

  it('gets a volume with the labels and the reclaim policy of the original', async () => {
    const objects = snapshottedClaim().map(([resource, object]): Entry => {
      const labelled = withValueAt(object, ['metadata', 'labels'], { tier: 'gold' });
      const kept = ['spec', 'persistentVolumeReclaimPolicy'] as const;
      return resource === 'persistentvolumes'
        ? [resource, withValueAt(labelled, kept, 'Retain')]
        : [resource, object];
    });
    await storeBackup(store, { name: 'shop', objects });
    const { issues } = await restore({ spec: { backupName: 'shop' } });
    expect(issues).toEqual([]);
    const claim = await getClaim('shop');
    const name = (claim && stringAt(claim, ['spec', 'volumeName'])) ?? '';
    expect(await cluster.get({ ...Resources.persistentVolumes, name })).toMatchObject({
      metadata: { labels: { tier: 'gold' } },
      spec: { persistentVolumeReclaimPolicy: 'Retain' },
    });
  });

  it('keeps the snapshot objects on request, as Velero does', async () => {
    await storeBackup(store, { name: 'shop', objects: snapshottedClaim() });
    const request = { name: 'again', spec: { backupName: 'shop' }, metadata: { uid: 'u-1' } };
    await restore(request, { importedSnapshots: 'keep' });
    const name = importedSnapshotName('u-1', 'velero-data-abcde');
    const kept = await snapshotObjects();
    expect(kept.map(({ kind, metadata }) => `${kind} ${metadata.name}`)).toEqual([
      `VolumeSnapshot ${name}`,
      `VolumeSnapshotContent ${name}`,
    ]);
    expect(kept[1]).toMatchObject({ spec: { deletionPolicy: 'Retain' } });
  });

  it('waits for its pod where its class does so, and is bound when the pod is restored too', async () => {
    const objects = [...snapshottedClaim({ storageClassName: 'fake-csi-wffc' }), podUsing('data')];
    await storeBackup(store, { name: 'shop', objects });
    const events: RestoreEvent[] = [];
    await restore({ spec: { backupName: 'shop' } }, { onEvent: (event) => events.push(event) });
    expect(claimStates(events)).toEqual(['data Bound']);
  });

  it('is no failure while it waits for a pod that nobody restored, and keeps what it will be filled from', async () => {
    const objects = snapshottedClaim({ storageClassName: 'fake-csi-wffc' });
    await storeBackup(store, { name: 'shop', objects });
    const events: RestoreEvent[] = [];
    const { issues, restore: done } = await restore(
      { spec: { backupName: 'shop' } },
      { onEvent: (event) => events.push(event) },
    );
    const [snapshot, content] = await snapshotObjects();
    expect(content?.metadata.name).toBe(snapshot?.metadata.name);
    expect(issues).toMatchObject([
      {
        severity: 'warning',
        reason: 'ClaimWaitsForPod',
        message: expect.stringContaining(snapshot?.metadata.name ?? '?') as string,
        object: { groupResource: 'persistentvolumeclaims', namespace: 'shop', name: 'data' },
      },
    ]);
    expect(done.status.phase).toBe('Completed');
    expect(claimStates(events)).toEqual(['data WaitingForFirstConsumer']);
  });

  it('that exists is left alone: nothing is imported for it', async () => {
    await storeBackup(store, { name: 'shop', objects: snapshottedClaim() });
    await restore({ name: 'first', spec: { backupName: 'shop' } });
    cluster.csi.writeFile({ namespace: 'shop', name: 'data' }, 'f', 'newer');
    const { issues, items } = await restore({ name: 'second', spec: { backupName: 'shop' } });
    expect(issues).toEqual([]);
    expect(items.filter(({ object }) => object.name === 'data')).toMatchObject([
      { object: { groupResource: 'persistentvolumeclaims' }, action: 'skipped' },
    ]);
    expect(await snapshotObjects()).toEqual([]);
    const bytes = cluster.csi.readFile({ namespace: 'shop', name: 'data' }, 'f');
    expect(Buffer.from(bytes ?? []).toString()).toBe('newer');
  });

  it('gets an empty volume when no data is wanted', async () => {
    await storeBackup(store, { name: 'shop', objects: snapshottedClaim() });
    const { issues } = await restore({ spec: { backupName: 'shop', restorePVs: false } });
    expect(issues).toEqual([]);
    expect(cluster.csi.listFiles({ namespace: 'shop', name: 'data' })).toEqual([]);
  });
});

describe('a claim without a snapshot', () => {
  function unsnapshotted(reclaimPolicy: string): readonly Entry[] {
    return [
      [
        'persistentvolumes',
        archivedObject(
          'v1',
          'PersistentVolume',
          { name: 'pv-data', namespace: undefined },
          {
            spec: {
              accessModes: ['ReadWriteOnce'],
              capacity: { storage: '10Mi' },
              hostPath: { path: '/data' },
              persistentVolumeReclaimPolicy: reclaimPolicy,
              storageClassName: 'fake-csi',
              claimRef: { namespace: 'shop', name: 'data', uid: 'old' },
            },
          },
        ),
      ],
      [
        'persistentvolumeclaims',
        archivedObject(
          'v1',
          'PersistentVolumeClaim',
          { name: 'data' },
          {
            spec: {
              accessModes: ['ReadWriteOnce'],
              resources: { requests: { storage: '10Mi' } },
              storageClassName: 'fake-csi',
              volumeName: 'pv-data',
            },
            status: { phase: 'Bound' },
          },
        ),
      ],
    ];
  }

  it('is bound again to a volume that outlived it, though only its namespace is selected', async () => {
    await storeBackup(store, { name: 'shop', objects: unsnapshotted('Retain') });
    const spec = { backupName: 'shop', includedNamespaces: ['shop'] };
    const { issues } = await restore({ spec });
    expect(issues).toEqual([]);
    expect(await getClaim('shop')).toMatchObject({
      spec: { volumeName: 'pv-data' },
      status: { phase: 'Bound' },
    });
  });

  it('is bound to that volume under another name', async () => {
    await storeBackup(store, { name: 'shop', objects: unsnapshotted('Retain') });
    const spec = { backupName: 'shop', namespaceMapping: { shop: 'copy' } };
    const { issues } = await restore({ spec }, { claimNameMapping: { 'shop/data': 'renamed' } });
    expect(issues).toEqual([]);
    expect(await getClaim('copy', 'renamed')).toMatchObject({
      spec: { volumeName: 'pv-data' },
      status: { phase: 'Bound' },
    });
  });

  it('is not bound to a volume that another claim of the target has', async () => {
    await storeBackup(store, { name: 'shop', objects: unsnapshotted('Retain') });
    await restore({ name: 'first', spec: { backupName: 'shop' } });
    const spec = { backupName: 'shop', namespaceMapping: { shop: 'copy' } };
    const { issues } = await restore({ name: 'second', spec });
    expect(issues.filter(({ severity }) => severity === 'error')).toMatchObject([
      { reason: 'VolumeInUse', object: { namespace: 'copy', name: 'data' } },
    ]);
    expect(await getClaim('copy')).toBeUndefined();
  });

  it('gets an empty volume, with a warning, when the old one went with it', async () => {
    await storeBackup(store, { name: 'shop', objects: unsnapshotted('Delete') });
    const { issues } = await restore({ spec: { backupName: 'shop' } });
    expect(issues).toMatchObject([
      { severity: 'warning', reason: 'VolumeNotInBackup', object: { name: 'data' } },
    ]);
    expect(cluster.csi.listFiles({ namespace: 'shop', name: 'data' })).toEqual([]);
  });
});

describe('what goes wrong with claims', () => {
  const refused: readonly [what: string, claim: SnapshottedClaim, reason: string, word: string][] =
    [
      ['a missing StorageClass', { storageClassName: 'gone' }, 'StorageClassMissing', 'gone'],
      [
        'a missing driver',
        { driver: 'gone.example.com', handle: 'h' },
        'DriverMissing',
        'gone.example.com',
      ],
    ];
  it.each(refused)(
    '%s is an error that names it, and the claim is not created',
    async (_what, claim, reason, word) => {
      await storeBackup(store, { name: 'shop', objects: snapshottedClaim(claim) });
      const { issues, restore: done } = await restore({ spec: { backupName: 'shop' } });
      expect(issues).toMatchObject([
        {
          severity: 'error',
          reason,
          message: expect.stringContaining(word) as string,
          object: { groupResource: 'persistentvolumeclaims', namespace: 'shop', name: 'data' },
        },
      ]);
      expect(done.status.phase).toBe('PartiallyFailed');
      expect(await getClaim('shop')).toBeUndefined();
      expect(await snapshotObjects()).toEqual([]);
    },
  );

  it('a snapshot that the backup lacks is an error, not an empty volume', async () => {
    const objects = snapshottedClaim().filter(([resource]) => resource !== 'volumesnapshots');
    await storeBackup(store, { name: 'shop', objects });
    const { issues } = await restore({ spec: { backupName: 'shop' } });
    expect(issues).toMatchObject([{ severity: 'error', reason: 'VolumeDataOutOfReach' }]);
    expect(await getClaim('shop')).toBeUndefined();
  });

  it('a claim that the API server refuses leaves no snapshot objects', async () => {
    await storeBackup(store, { name: 'shop', objects: snapshottedClaim() });
    cluster.faults.inject({
      operation: 'create',
      resource: 'persistentvolumeclaims',
      error: 'Forbidden',
    });
    const { issues } = await restore({ spec: { backupName: 'shop' } });
    expect(issues).toMatchObject([
      { severity: 'error', reason: 'Forbidden', object: { name: 'data' } },
    ]);
    expect(await snapshotObjects()).toEqual([]);
  });

  it('a claim that gets no volume in time is an error with what the cluster says, and keeps its snapshot objects', async () => {
    await storeBackup(store, { name: 'shop', objects: snapshottedClaim() });
    cluster.csi.inject({ call: 'CreateVolume', error: 'disk on fire' });
    const { issues } = await restore(
      { spec: { backupName: 'shop' } },
      { claimBoundTimeoutMs: 2_000 },
    );
    expect(issues).toMatchObject([
      {
        severity: 'error',
        reason: 'ClaimNotBound',
        message: expect.stringContaining('disk on fire') as string,
        object: { groupResource: 'persistentvolumeclaims', namespace: 'shop', name: 'data' },
      },
    ]);
    expect(await snapshotObjects()).toHaveLength(2);
  });

  it('an abort before a claim is created removes its snapshot objects', async () => {
    await storeBackup(store, { name: 'shop', objects: snapshottedClaim() });
    const controller = new AbortController();
    const reason = new Error('stop');
    cluster.faults.inject({
      operation: 'create',
      resource: 'volumesnapshots.snapshot.storage.k8s.io',
      delayMs: 20,
    });
    const running = restore({ spec: { backupName: 'shop' } }, { signal: controller.signal });
    const contents = cluster.connect();
    for await (const event of contents.watch(Resources.volumeSnapshotContents)) {
      if (event.type === 'added') {
        controller.abort(reason);
        break;
      }
    }
    await expect(running).rejects.toBe(reason);
    await cluster.settle();
    expect(await getClaim('shop')).toBeUndefined();
    expect(await snapshotObjects()).toEqual([]);
  });

  it('an abort while claims are waited for rejects with its reason and keeps what they are filled from', async () => {
    await storeBackup(store, { name: 'shop', objects: snapshottedClaim() });
    cluster.csi.inject({ call: 'CreateVolume', error: 'busy' });
    const controller = new AbortController();
    const reason = new Error('stop');
    const running = restore(
      { spec: { backupName: 'shop' } },
      {
        signal: controller.signal,
        onEvent: (event) => {
          if (event.type === 'phase' && event.phase === 'WaitingForClaims') {
            controller.abort(reason);
          }
        },
      },
    );
    await expect(running).rejects.toBe(reason);
    expect(await getClaim('shop')).toBeDefined();
    expect(await snapshotObjects()).toHaveLength(2);
  });
});

/** Says of every static content, until it is disposed of, that its driver has found the snapshot. */
function answerForDriver(): AsyncDisposable {
  const connection = cluster.connect();
  const answer = async (): Promise<void> => {
    for await (const event of connection.watch(Resources.volumeSnapshotContents)) {
      const snapshotHandle =
        'object' in event && stringAt(event.object, ['spec', 'source', 'snapshotHandle']);
      if (typeof snapshotHandle === 'string' && event.type === 'added') {
        const patch = { status: { readyToUse: true, snapshotHandle } };
        const reference = referenceTo(Resources.volumeSnapshotContents, event.object);
        await connection.patch(reference, { type: 'merge', patch }, { subresource: 'status' });
      }
    }
  };
  const answered = answer().catch((error: unknown) => {
    if (!isLifeboatError(error, 'Closed')) {
      throw error;
    }
  });
  return {
    async [Symbol.asyncDispose]() {
      await connection.close();
      await answered;
    },
  };
}

describe('a backup that Velero made', () => {
  it('is restored as Velero restored it', async () => {
    const folder = join(import.meta.dirname, '../../../../test/vectors/seed-csi');
    for (const file of readdirSync(folder)) {
      await store.put(`backups/default/${file}`, readFileSync(join(folder, file)));
    }
    cluster.seed([
      {
        apiVersion: 'storage.k8s.io/v1',
        kind: 'StorageClass',
        metadata: { name: 'hostpath' },
        provisioner: 'hostpath.csi.k8s.io',
        volumeBindingMode: 'WaitForFirstConsumer',
      },
    ]);
    await using _driver = answerForDriver();
    const { issues } = await restore(
      {
        name: 'default-restore',
        spec: { backupName: 'default', excludedResources: ['pods'] },
        metadata: { uid: '3f8b5504-ee50-4683-97f1-8f94aee5b406' },
      },
      { importedSnapshots: 'keep' },
    );
    expect(issues).toMatchObject([{ severity: 'warning', reason: 'ClaimWaitsForPod' }]);
    const name = '41aa93d4f6453c59938f08c6e33d311ebf6b49888bd87502f90836536950a7d1';
    expect(await getClaim('default', 'local-pvc')).toMatchObject({
      metadata: {
        labels: {
          'velero.io/backup-name': 'default',
          'velero.io/restore-name': 'default-restore',
          'velero.io/volume-snapshot-name': 'velero-local-pvc-pg6qb',
        },
      },
      spec: {
        accessModes: ['ReadWriteOnce'],
        dataSource: { apiGroup: 'snapshot.storage.k8s.io', kind: 'VolumeSnapshot', name },
        resources: { requests: { storage: '30Mi' } },
        storageClassName: 'hostpath',
        volumeMode: 'Filesystem',
      },
    });
    expect(await cluster.get({ ...Resources.volumeSnapshotContents, name })).toMatchObject({
      spec: {
        deletionPolicy: 'Retain',
        driver: 'hostpath.csi.k8s.io',
        source: { snapshotHandle: '9a3e042d-e810-11f1-ab2d-069dd3634bc5' },
        sourceVolumeMode: 'Filesystem',
        volumeSnapshotRef: { namespace: 'default', name },
      },
    });
  });
});
