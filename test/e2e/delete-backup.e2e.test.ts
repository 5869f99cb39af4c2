import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import {
  type Clock,
  createEngine,
  type DeleteBackupOptions,
  type DeletionEvent,
  type Engine,
  type ObjectStore,
} from '@lifeboat/core';
import { expect, it, type TestContext } from 'vitest';
import { systemClock } from '../../packages/core/src/internal/system-clock.ts';
import { VolumeScene } from './volume-scene.ts';

interface Scene {
  readonly volume: VolumeScene;
  readonly engine: Engine;
  /** Of the backup's only snapshot. */
  readonly handle: string;
}

/** A backup of one volume, whose snapshot nothing in the cluster stands for. */
async function setTheScene(context: TestContext): Promise<Scene> {
  const volume = await VolumeScene.open(context);
  const engine = volume.lab.engine();
  const { backup } = await engine.backup(volume.request);
  expect(backup.status.phase).toBe('Completed');
  const [handle = ''] = await volume.storageSnapshots();
  expect(handle).not.toBe('');
  return { volume, engine, handle };
}

/** Copies a backup inside its store, as somebody would who keeps it under another name. */
async function copyBackup(store: ObjectStore, from: string, to: string): Promise<void> {
  for (const { key } of await Array.fromAsync(store.list(`backups/${from}/`))) {
    const bytes = Buffer.concat(await Array.fromAsync(await store.get(key)));
    const copied = key.endsWith('velero-backup.json')
      ? Buffer.from(bytes.toString().replace(`"name": "${from}"`, `"name": "${to}"`))
      : bytes;
    await store.put(key.replaceAll(`/${from}`, `/${to}`), copied);
  }
}

it.concurrent('a backup is deleted with its snapshot, and deleting it again is success', async (context) => {
  const { volume, engine, handle } = await setTheScene(context);
  const events: DeletionEvent[] = [];
  const options: DeleteBackupOptions = { onEvent: (event) => events.push(event) };
  expect(await engine.deleteBackup('backup', { dryRun: true })).toMatchObject({
    snapshots: [{ snapshotHandle: handle, state: 'wouldBeReleased' }],
  });
  expect(await volume.storageSnapshots()).toEqual([handle]);
  expect(await engine.deleteBackup('backup', options)).toMatchObject({
    found: true,
    snapshots: [{ snapshotHandle: handle, state: 'released' }],
    issues: [],
  });
  expect(events).toContainEqual(expect.objectContaining({ type: 'snapshot', state: 'Released' }));
  await volume.expectNothingLeft();
  expect(await engine.deleteBackup('backup')).toMatchObject({ found: false });
});

it.concurrent('a snapshot is kept until the last backup that refers to it is deleted', async (context) => {
  const { volume, engine, handle } = await setTheScene(context);
  await copyBackup(volume.lab.store, 'backup', 'copy');
  expect(await engine.deleteBackup('backup')).toMatchObject({
    snapshots: [{ snapshotHandle: handle, state: 'shared', sharedWith: ['copy'] }],
  });
  expect(await volume.storageSnapshots()).toEqual([handle]);
  expect(await volume.lab.keys('backups/backup/')).toEqual([]);
  await engine.deleteBackup('copy');
  await volume.expectNothingLeft();
});

it.concurrent('a snapshot that is gone from the storage does not keep its backup', async (context) => {
  const { volume, engine, handle } = await setTheScene(context);
  const folder = join(volume.kit.describe().dirvolPath, 'snapshots', handle);
  await rm(folder, { recursive: true });
  const { snapshots } = await engine.deleteBackup('backup');
  expect(snapshots).toMatchObject([{ snapshotHandle: handle, state: 'notFound' }]);
  await volume.expectNothingLeft();
});

it.concurrent('a driver that fails once deletes the snapshot all the same', async (context) => {
  const { volume, engine, handle } = await setTheScene(context);
  const fault = await volume.kit.injectFault({
    rpc: 'DeleteSnapshot',
    handle,
    code: 'INTERNAL',
    times: 1,
  });
  await engine.deleteBackup('backup');
  expect(await fault.hits()).toBe(1);
  await volume.expectNothingLeft();
});

it.concurrent('a driver that always fails keeps the backup, and a repeated call deletes it once it works', async (context) => {
  const { volume, engine, handle } = await setTheScene(context);
  const { kit, lab } = volume;
  const fault = await kit.injectFault({ rpc: 'DeleteSnapshot', handle, code: 'INTERNAL' });
  const deleted = engine.deleteBackup('backup', { releaseTimeoutMs: 1_000 });
  await expect(deleted).rejects.toMatchObject({
    code: 'SnapshotFailed',
    retryable: true,
    message: expect.stringMatching(/backup backup is not deleted.* within 1 s/) as string,
  });
  expect(await engine.catalog.get('backup')).toBeDefined();
  expect(await volume.storageSnapshots()).toEqual([handle]);
  await fault.end();
  await engine.deleteBackup('backup');
  await volume.expectNothingLeft();
  expect(await lab.snapshotObjectsOf(volume.namespace, volume.cluster)).toEqual([]);
});

it.concurrent('a driver that answers too late keeps the backup, and a repeated call finds the snapshot gone', async (context) => {
  const { volume, engine, handle } = await setTheScene(context);
  await volume.kit.injectFault({ rpc: 'DeleteSnapshot', handle, delayMs: 2_000, times: 1 });
  const deleted = engine.deleteBackup('backup', { releaseTimeoutMs: 1_000 });
  await expect(deleted).rejects.toMatchObject({ code: 'SnapshotFailed' });
  expect(await engine.catalog.get('backup')).toBeDefined();
  await engine.deleteBackup('backup');
  await volume.expectNothingLeft();
});

it.concurrent('expire deletes the backup that is due, with its snapshot, from the other cluster', async (context) => {
  const volume = await VolumeScene.open(context);
  const { lab, request } = volume;
  const engine = lab.engine();
  const due = { ...request, spec: { ...request.spec, ttl: '1h0m0s' } };
  await engine.backup({ ...due, name: 'due' });
  await engine.backup({ ...due, name: 'later', spec: { ...due.spec, ttl: '24h0m0s' } });
  const inTwoHours: Clock = {
    now: () => new Date(Date.now() + 2 * 3_600_000),
    sleep: (ms, signal) => systemClock.sleep(ms, signal),
  };
  const elsewhere = lab.connect({ cluster: 2 });
  const expiring = createEngine({ ...elsewhere, store: lab.store, clock: inTwoHours });
  expect((await engine.expire()).backups).toEqual([]);
  expect((await expiring.expire()).backups).toMatchObject([
    { backupName: 'due', outcome: 'deleted', deletion: { snapshots: [{ state: 'released' }] } },
  ]);
  expect(await volume.storageSnapshots()).toHaveLength(1);
  expect(await lab.keys('backups/due/')).toEqual([]);
  expect(await engine.catalog.get('later')).toBeDefined();
});
