import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type Cluster,
  FileSystemObjectStore,
  Resources,
  ValidationError,
  VeleroAnnotation,
} from '@lifeboat/core';
import { FaultyObjectStore } from '@lifeboat/core/testing';
import { expect, it } from 'vitest';
import { stringAt } from '../../packages/core/src/model/object-path.ts';
import { testCluster } from '../cluster/test-cluster.ts';
import { waitFor } from '../cluster/wait-for.ts';
import { BackupLab, testDriver } from './backup-lab.ts';
import { createClaim, VolumeScene } from './volume-scene.ts';

it.concurrent('a snapshot class that is missing fails the claim, and the rest is stored', async (context) => {
  const scene = await VolumeScene.open(context);
  const { backup, issues } = await scene.lab
    .engine()
    .backup(scene.request, { volumeSnapshotClasses: { [testDriver]: 'no-such-class' } });
  expect(backup.status).toMatchObject({ phase: 'PartiallyFailed', errors: 1 });
  expect(issues).toEqual([
    {
      severity: 'error',
      reason: 'SnapshotFailed',
      object: scene.claim,
      message: expect.stringMatching(
        /VolumeSnapshotClass no-such-class.* does not exist; there are .*dirvol/,
      ) as string,
    },
  ]);
  expect(await scene.storageSnapshots()).toEqual([]);
});

it.concurrent('a snapshot class of another driver, named by the claim, fails the claim', async (context) => {
  const className = `other-${Date.now()}`;
  const annotations = { [VeleroAnnotation.volumeSnapshotClass]: className };
  const scene = await VolumeScene.open(context, { annotations });
  const reference = { ...Resources.volumeSnapshotClasses, name: className };
  await scene.cluster.create(Resources.volumeSnapshotClasses, {
    apiVersion: 'snapshot.storage.k8s.io/v1',
    kind: 'VolumeSnapshotClass',
    metadata: { name: className },
    driver: 'other.csi.example',
    deletionPolicy: 'Delete',
  });
  try {
    const { backup, issues } = await scene.lab.engine().backup(scene.request);
    expect(backup.status.phase).toBe('PartiallyFailed');
    expect(issues).toMatchObject([
      {
        object: scene.claim,
        message: expect.stringMatching(
          /of driver other\.csi\.example, but the volume is of driver dirvol/,
        ) as string,
      },
    ]);
    expect(await scene.storageSnapshots()).toEqual([]);
  } finally {
    await scene.cluster.delete(reference);
  }
});

it.concurrent('a driver that cannot snapshot fails the claim in its own words and leaves nothing', async (context) => {
  const scene = await VolumeScene.open(context);
  const { namespace } = scene;
  const code = 'INTERNAL';
  await scene.kit.injectFault({ rpc: 'CreateSnapshot', namespace, code, message: 'disk on fire' });
  const { backup, issues } = await scene.lab.engine().backup({
    ...scene.request,
    spec: { ...scene.request.spec, csiSnapshotTimeout: '3s' },
  });
  expect(backup.status).toMatchObject({ phase: 'PartiallyFailed', csiVolumeSnapshotsAttempted: 1 });
  expect(issues).toMatchObject([
    {
      severity: 'error',
      reason: 'SnapshotFailed',
      object: scene.claim,
      message: expect.stringContaining('disk on fire') as string,
    },
  ]);
  expect(await scene.lab.snapshotObjectsOf(namespace, scene.cluster)).toEqual([]);
  expect(await scene.storageSnapshots()).toEqual([]);
});

it.concurrent('a driver that fails once and then works is no problem', async (context) => {
  const scene = await VolumeScene.open(context);
  const { namespace } = scene;
  await scene.kit.injectFault({ rpc: 'CreateSnapshot', namespace, code: 'UNAVAILABLE', times: 1 });
  const { backup, issues } = await scene.lab.engine().backup(scene.request);
  expect(issues).toEqual([]);
  expect(backup.status.phase).toBe('Completed');
});

it.concurrent('a missing namespace: nothing is stored, and the error says which', async (context) => {
  const scene = await VolumeScene.open(context);
  const spec = { includedNamespaces: ['no-such-namespace'] };
  await expect(scene.lab.engine().backup({ name: 'backup', spec })).rejects.toMatchObject({
    code: 'NotFound',
    message: expect.stringContaining('namespace no-such-namespace does not exist') as string,
  });
  await scene.expectNothingLeft();
});

it.concurrent('a missing namespace beside one that exists: the backup is partial and says which', async (context) => {
  const scene = await VolumeScene.open(context);
  const spec = { includedNamespaces: [scene.namespace, 'no-such-namespace'] };
  const { backup, issues } = await scene.lab.engine().backup({ name: 'backup', spec });
  expect(backup.status).toMatchObject({ phase: 'PartiallyFailed', csiVolumeSnapshotsCompleted: 1 });
  const object = { groupResource: 'namespaces', name: 'no-such-namespace' };
  expect(issues).toMatchObject([{ severity: 'error', reason: 'NotFound', object }]);
});

it.concurrent('a name that is used: refused, and the first backup stays as it is', async (context) => {
  const scene = await VolumeScene.open(context);
  const engine = scene.lab.engine();
  const { backup } = await engine.backup(scene.request);
  const keys = await scene.lab.keys();
  await expect(engine.backup(scene.request)).rejects.toMatchObject({ code: 'AlreadyExists' });
  expect(await scene.lab.keys()).toEqual(keys);
  expect(await engine.catalog.get('backup')).toEqual(backup);
  expect(await scene.storageSnapshots()).toHaveLength(1);
});

it.concurrent('a request that is not valid: every violation is told, and nothing is touched', async (context) => {
  const scene = await VolumeScene.open(context);
  const backup = scene.lab.engine().backup({
    name: 'Not A Name',
    spec: { includedNamespaces: [scene.namespace], csiSnapshotTimeout: 'soon' },
  });
  const error: unknown = await backup.catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(ValidationError);
  expect(error).toMatchObject({
    violations: [{ path: 'name' }, { path: 'spec.csiSnapshotTimeout' }],
  });
  await scene.expectNothingLeft();
});

it.concurrent('an API server that does not answer: Unavailable, and nothing in the store', async (context) => {
  const scene = await VolumeScene.open(context);
  const engine = scene.lab.engine({ server: 'https://127.0.0.1:1' });
  await expect(engine.backup(scene.request)).rejects.toMatchObject({
    code: 'Unavailable',
    retryable: true,
    message: expect.stringContaining('127.0.0.1:1') as string,
  });
  await scene.expectNothingLeft();
});

it.concurrent('a user without rights: Forbidden, and nothing in the store', async (context) => {
  const scene = await VolumeScene.open(context);
  const engine = scene.lab.engine({ user: 'nobody' });
  await expect(engine.backup(scene.request)).rejects.toMatchObject({
    code: 'Forbidden',
    message: expect.stringContaining('test-nobody') as string,
  });
  await scene.expectNothingLeft();
});

it.concurrent('a store that cannot be written: the call fails before the cluster is touched', async (context) => {
  const scene = await VolumeScene.open(context);
  const folder = await mkdtemp(join(tmpdir(), 'lifeboat-e2e-'));
  context.onTestFinished(() => rm(folder, { recursive: true }));
  await writeFile(join(folder, 'file'), 'not a folder');
  const store = new FileSystemObjectStore({ directory: join(folder, 'file', 'below') });
  const backup = scene.lab.engine({}, store).backup(scene.request);
  await expect(backup).rejects.toMatchObject({
    name: 'ObjectStoreError',
    operation: 'ObjectStore.put',
  });
  await scene.expectNothingLeft();
});

it.concurrent.for([
  { file: 'the archive', key: /\.tar\.gz$/ },
  { file: 'a file beside it', key: /-volumeinfo\.json\.gz$/ },
  { file: 'velero-backup.json', key: /velero-backup\.json$/ },
])(
  'a store that refuses $file: the call fails, and the snapshot is freed',
  async ({ key }, context) => {
    const scene = await VolumeScene.open(context);
    const store = new FaultyObjectStore(scene.lab.store);
    const fault = store.inject({ operation: 'put', key, error: 'PermissionDenied' });
    const backup = scene.lab.engine({}, store).backup(scene.request);
    await expect(backup).rejects.toMatchObject({ code: 'PermissionDenied' });
    expect(fault.hits).toBe(1);
    await scene.expectNothingLeft();
  },
);

it.concurrent('a claim that is Pending is stored without a snapshot, with a warning', async (context) => {
  const lab = await BackupLab.open(testCluster(context), context);
  const { cluster } = lab.connect();
  const namespace = await lab.kit.createNamespace('volume');
  await createClaim(cluster, namespace, { storageClassName: 'dirvol-wffc' });
  const spec = { includedNamespaces: [namespace] };
  const { backup, issues } = await lab.engine().backup({ name: 'pending', spec });
  expect(backup.status).toMatchObject({ phase: 'Completed', warnings: 1 });
  const claim = { groupResource: 'persistentvolumeclaims', namespace, name: 'data' };
  expect(issues).toMatchObject([{ severity: 'warning', reason: 'ClaimNotBound', object: claim }]);
  await cluster.delete({ ...Resources.persistentVolumeClaims, namespace, name: 'data' });
  const restored = await lab.engine().restore({ spec: { backupName: 'pending' } });
  expect(restored.restore.status.phase).toBe('Completed');
});

it.concurrent('a claim that lost its volume is stored without a snapshot, with a warning', async (context) => {
  const lab = await BackupLab.open(testCluster(context), context);
  const { cluster } = lab.connect();
  const namespace = await lab.kit.createNamespace('volume');
  await createLostClaim(cluster, namespace);
  const spec = { includedNamespaces: [namespace] };
  const { backup, issues } = await lab.engine().backup({ name: 'lost', spec });
  expect(backup.status).toMatchObject({ phase: 'Completed', warnings: 1 });
  expect(issues).toMatchObject([
    {
      severity: 'warning',
      reason: 'ClaimNotBound',
      object: { groupResource: 'persistentvolumeclaims', namespace, name: 'data' },
      message: expect.stringContaining('the claim is Lost') as string,
    },
  ]);
});

/** A claim whose volume, made by hand, was deleted under it. */
async function createLostClaim(cluster: Cluster, namespace: string): Promise<void> {
  const common = { storageClassName: '', accessModes: ['ReadWriteOnce'] };
  const volume = { ...Resources.persistentVolumes, name: namespace };
  await cluster.create(Resources.persistentVolumes, {
    apiVersion: 'v1',
    kind: 'PersistentVolume',
    metadata: { name: namespace },
    spec: {
      ...common,
      capacity: { storage: '1Mi' },
      hostPath: { path: `/nonexistent/${namespace}` },
      claimRef: { namespace, name: 'data' },
    },
  });
  await cluster.create(Resources.persistentVolumeClaims, {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: { name: 'data', namespace },
    spec: { ...common, volumeName: namespace, resources: { requests: { storage: '1Mi' } } },
  });
  await untilPhase(cluster, namespace, 'Bound');
  await cluster.delete(volume);
  // Kubernetes protects a volume that is in use.
  await cluster.patch(volume, { type: 'merge', patch: { metadata: { finalizers: null } } });
  await untilPhase(cluster, namespace, 'Lost');
}

async function untilPhase(cluster: Cluster, namespace: string, phase: string): Promise<void> {
  const reference = { ...Resources.persistentVolumeClaims, namespace, name: 'data' };
  await waitFor(
    async () => {
      const claim = await cluster.get(reference);
      return claim !== undefined && stringAt(claim, ['status', 'phase']) === phase;
    },
    { what: `claim ${namespace}/data to be ${phase}` },
  );
}
