import { readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { Resources } from '@lifeboat/core';
import { expect, it } from 'vitest';
import { type ClusterTestContext, testCluster } from '../cluster/test-cluster.ts';
import { BackupLab, testDriver } from './backup-lab.ts';
import { VolumeScene, type VolumeSceneOptions } from './volume-scene.ts';

const spec = { backupName: 'backup' };

/** A scene whose claim is backed up, complete, and lost since. */
async function lostScene(
  context: ClusterTestContext,
  options: VolumeSceneOptions = {},
): Promise<VolumeScene> {
  const scene = await VolumeScene.open(context, options);
  const { backup } = await scene.lab.engine().backup(scene.request);
  expect(backup.status.phase).toBe('Completed');
  await scene.loseClaim();
  return scene;
}

async function expectNothingRestored({ lab, cluster, namespace }: VolumeScene): Promise<void> {
  const claims = await Array.fromAsync(
    cluster.list(Resources.persistentVolumeClaims, { namespace }),
  );
  expect(claims).toEqual([]);
  expect(await lab.snapshotObjectsOf(namespace, cluster)).toEqual([]);
  expect(await lab.keys('restores/')).toEqual([]);
}

it.concurrent.for([
  {
    damage: 'cut in the middle',
    inflict: async (path: string) => truncate(path, Math.floor((await readFile(path)).length / 2)),
  },
  {
    damage: 'cut within the last bytes',
    inflict: async (path: string) => truncate(path, (await readFile(path)).length - 4),
  },
  {
    damage: 'changed in one byte',
    inflict: async (path: string) => {
      const bytes = await readFile(path);
      const at = Math.floor(bytes.length / 2);
      bytes[at] = (bytes[at] ?? 0) ^ 0xff;
      await writeFile(path, bytes);
    },
  },
  {
    damage: 'cut between two files, and compressed anew',
    inflict: async (path: string) => {
      const tar = gunzipSync(await readFile(path));
      await writeFile(path, gzipSync(tar.subarray(0, tar.length - 1024)));
    },
  },
  { damage: 'no archive at all', inflict: async (path: string) => writeFile(path, 'hello') },
  { damage: 'missing', inflict: async (path: string) => rm(path) },
])(
  'an archive that is $damage: CorruptBackup, and nothing is created',
  async ({ inflict }, context) => {
    const scene = await lostScene(context);
    await inflict(join(scene.lab.directory, 'backups/backup/backup.tar.gz'));
    const restore = scene.lab.engine().restore({ spec });
    await expect(restore).rejects.toMatchObject({
      code: 'CorruptBackup',
      message: expect.stringContaining('backup') as string,
    });
    await expectNothingRestored(scene);
  },
);

it.concurrent('a backup that is not there: NotFound, with the names of those that are', async (context) => {
  const scene = await lostScene(context);
  const engine = scene.lab.engine();
  await expect(engine.restore({ spec: { backupName: 'unknown' } })).rejects.toMatchObject({
    code: 'NotFound',
    message: expect.stringMatching(/no backup unknown.*: backup$/) as string,
  });
  await expectNothingRestored(scene);
  await engine.deleteBackup('unknown');
  expect(await scene.storageSnapshots()).toHaveLength(1);
});

it.concurrent('an API server that does not answer: Unavailable', async (context) => {
  const scene = await lostScene(context);
  const restore = scene.lab.engine({ server: 'https://127.0.0.1:1' }).restore({ spec });
  await expect(restore).rejects.toMatchObject({ code: 'Unavailable', retryable: true });
  await expectNothingRestored(scene);
});

it.concurrent('a user without rights: the namespace is named, and nothing is created', async (context) => {
  const scene = await lostScene(context);
  const { namespace, cluster } = scene;
  const { restore, issues } = await scene.lab.engine({ user: 'nobody' }).restore({ spec });
  expect(restore.status.phase).toBe('PartiallyFailed');
  expect(issues).toContainEqual({
    severity: 'error',
    reason: 'Forbidden',
    object: { groupResource: 'namespaces', name: namespace },
    message: expect.stringContaining('test-nobody') as string,
  });
  const claims = cluster.list(Resources.persistentVolumeClaims, { namespace });
  expect(await Array.fromAsync(claims)).toEqual([]);
  expect(await scene.lab.snapshotObjectsOf(namespace, cluster)).toEqual([]);
});

it.concurrent('a user without rights may not delete a backup: it stays, with its snapshot', async (context) => {
  const scene = await lostScene(context);
  const deletion = scene.lab.engine({ user: 'nobody' }).deleteBackup('backup');
  await expect(deletion).rejects.toMatchObject({
    code: 'Forbidden',
    message: expect.stringContaining('test-nobody') as string,
  });
  expect(await scene.storageSnapshots()).toHaveLength(1);
  expect(await scene.lab.keys('backups/')).toContain('backups/backup/velero-backup.json');
});

it.concurrent('a StorageClass that is missing: the claim is named at once, and no snapshot object is left', async (context) => {
  const lab = await BackupLab.open(testCluster(context), context);
  const { cluster } = lab.connect();
  const storageClassName = lab.kit.uniqueName('gone');
  const storageClass = { ...Resources.storageClasses, name: storageClassName };
  context.onTestFinished(() => cluster.delete(storageClass));
  await cluster.create(Resources.storageClasses, {
    apiVersion: 'storage.k8s.io/v1',
    kind: 'StorageClass',
    metadata: { name: storageClassName },
    provisioner: testDriver,
  });
  const scene = await lostScene(context, { storageClassName });
  await scene.cluster.delete(storageClass);
  const { restore, issues } = await scene.lab.engine().restore({ spec });
  expect(restore.status.phase).toBe('PartiallyFailed');
  expect(issues).toEqual([
    {
      severity: 'error',
      reason: 'StorageClassMissing',
      object: scene.claim,
      message: expect.stringContaining(storageClassName) as string,
    },
  ]);
  expect(await scene.lab.snapshotObjectsOf(scene.namespace, scene.cluster)).toEqual([]);
});

it.concurrent('a driver that makes no volume: the claim is named, with what the driver says', async (context) => {
  const scene = await lostScene(context);
  const { namespace } = scene;
  const fault = { rpc: 'CreateVolume', namespace, code: 'RESOURCE_EXHAUSTED' } as const;
  await scene.kit.injectFault({ ...fault, message: 'no disks left' });
  const { restore, issues } = await scene.lab
    .engine()
    .restore({ spec }, { claimBoundTimeoutMs: 3_000 });
  expect(restore.status.phase).toBe('PartiallyFailed');
  expect(issues).toMatchObject([
    {
      severity: 'error',
      reason: 'ClaimNotBound',
      object: scene.claim,
      message: expect.stringMatching(/no volume after 3000 ms.*no disks left/) as string,
    },
  ]);
});

it.concurrent('a snapshot that the storage has lost: the claim is named, and the call ends', async (context) => {
  const scene = await lostScene(context);
  const [handle = ''] = await scene.storageSnapshots();
  await rm(join(scene.kit.snapshotDataPath(handle), '..'), { recursive: true });
  const { restore, issues } = await scene.lab
    .engine()
    .restore({ spec }, { claimBoundTimeoutMs: 3_000 });
  expect(restore.status.phase).toBe('PartiallyFailed');
  expect(issues).toMatchObject([{ severity: 'error', object: scene.claim }]);
});
