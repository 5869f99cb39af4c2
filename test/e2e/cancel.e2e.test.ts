import { type BackupEvent, Resources } from '@lifeboat/core';
import { FaultyObjectStore } from '@lifeboat/core/testing';
import { expect, it } from 'vitest';
import { waitFor } from '../cluster/wait-for.ts';
import { testDriver } from './backup-lab.ts';
import { VolumeScene } from './volume-scene.ts';

/** A reason that nothing else could be mistaken for. */
class Stopped extends Error {
  override readonly name = 'Stopped';
}

function isState(state: string): (event: BackupEvent) => boolean {
  return (event) => event.type === 'snapshot' && event.state === state;
}

function isPhase(phase: string): (event: BackupEvent) => boolean {
  return (event) => event.type === 'phase' && event.phase === phase;
}

it.concurrent.for([
  { moment: 'its name is taken', is: isPhase('Collecting') },
  { moment: 'its snapshot is requested', is: isState('Requested') },
  { moment: 'its snapshot is bound', is: isState('Bound') },
  { moment: 'its snapshot has a handle but is not ready', is: isState('HandleAssigned') },
  { moment: 'its snapshot is ready', is: isState('ReadyToUse') },
  { moment: 'it waits for its snapshots', is: isPhase('WaitingForSnapshots') },
  { moment: 'its archive is stored', is: isPhase('Finalizing') },
])(
  'a backup is cancelled when $moment: it rejects with the reason and leaves nothing',
  async ({ is }, context) => {
    const scene = await VolumeScene.open(context);
    const controller = new AbortController();
    const reason = new Stopped();
    const backup = scene.lab.engine().backup(scene.request, {
      signal: controller.signal,
      volumeSnapshotClasses: { [testDriver]: 'dirvol-slow' },
      onEvent: (event) => {
        if (is(event)) {
          controller.abort(reason);
        }
      },
    });
    const error: unknown = await backup.catch((thrown: unknown) => thrown);
    expect(controller.signal.aborted).toBe(true);
    expect(error).toBe(reason);
    await scene.expectNothingLeft();
  },
);

it.concurrent('a backup is cancelled while the driver is cutting its snapshot', async (context) => {
  const scene = await VolumeScene.open(context);
  const { namespace } = scene;
  const fault = await scene.kit.injectFault({ rpc: 'CreateSnapshot', namespace, delayMs: 2_000 });
  const reason = new Stopped();
  const controller = new AbortController();
  const outcome = scene.lab
    .engine()
    .backup(scene.request, { signal: controller.signal })
    .catch((thrown: unknown) => thrown);
  await waitFor(async () => (await fault.hits()) > 0, { what: 'the driver to be at work' });
  controller.abort(reason);
  expect(await outcome).toBe(reason);
  await scene.expectNothingLeft();
});

it.concurrent('a backup is cancelled while its last file is being written', async (context) => {
  const scene = await VolumeScene.open(context);
  const store = new FaultyObjectStore(scene.lab.store);
  const controller = new AbortController();
  const reason = new Stopped();
  store.inject({
    operation: 'put',
    key: /velero-backup\.json$/,
    hold: Promise.withResolvers<void>().promise,
  });
  const backup = scene.lab.engine({}, store).backup(scene.request, {
    signal: controller.signal,
    onEvent: (event) => {
      if (isPhase('Finalizing')(event)) {
        setTimeout(() => controller.abort(reason), 200);
      }
    },
  });
  expect(await backup.catch((thrown: unknown) => thrown)).toBe(reason);
  await scene.expectNothingLeft();
});

it.concurrent('a backup whose signal has aborted before it begins does nothing', async (context) => {
  const scene = await VolumeScene.open(context);
  const reason = new Stopped();
  const backup = scene.lab.engine().backup(scene.request, { signal: AbortSignal.abort(reason) });
  expect(await backup.catch((thrown: unknown) => thrown)).toBe(reason);
  await scene.expectNothingLeft();
});

it.concurrent('a cancelled name is free again', async (context) => {
  const scene = await VolumeScene.open(context);
  const controller = new AbortController();
  const engine = scene.lab.engine();
  const backup = engine.backup(scene.request, {
    signal: controller.signal,
    onEvent: (event) => {
      if (isState('Requested')(event)) {
        controller.abort(new Stopped());
      }
    },
  });
  await expect(backup).rejects.toThrow(Stopped);
  expect((await engine.backup(scene.request)).backup.status.phase).toBe('Completed');
  expect(await scene.storageSnapshots()).toHaveLength(1);
});

it.concurrent('a restore is cancelled while its claim is waited for: what was created can be found, and no data is lost', async (context) => {
  const scene = await VolumeScene.open(context);
  const { cluster, namespace } = scene;
  const engine = scene.lab.engine();
  await engine.backup(scene.request);
  await scene.loseClaim();
  await scene.kit.injectFault({ rpc: 'CreateVolume', namespace, code: 'UNAVAILABLE' });
  const controller = new AbortController();
  const reason = new Stopped();
  const restore = engine.restore(
    { name: `cancelled-${namespace}`, spec: { backupName: 'backup' } },
    {
      signal: controller.signal,
      onEvent: (event) => {
        if (event.type === 'phase' && event.phase === 'WaitingForClaims') {
          controller.abort(reason);
        }
      },
    },
  );
  expect(await restore.catch((thrown: unknown) => thrown)).toBe(reason);

  const labelSelector = `velero.io/restore-name=cancelled-${namespace}`;
  const found = await Promise.all(
    [
      Resources.persistentVolumeClaims,
      Resources.volumeSnapshots,
      Resources.volumeSnapshotContents,
    ].map((resource) => Array.fromAsync(cluster.list(resource, { labelSelector }))),
  );
  expect(found.map(({ length }) => length)).toEqual([1, 1, 1]);
  await cluster.delete({ ...Resources.namespaces, name: namespace });
  expect(await scene.storageSnapshots()).toHaveLength(1);
});

it.concurrent('a restore is cancelled while it reads: nothing is created', async (context) => {
  const scene = await VolumeScene.open(context);
  const { cluster, namespace } = scene;
  const engine = scene.lab.engine();
  await engine.backup(scene.request);
  await scene.loseClaim();
  const controller = new AbortController();
  const reason = new Stopped();
  const restore = engine.restore(
    { spec: { backupName: 'backup' } },
    {
      signal: controller.signal,
      onEvent: () => {
        controller.abort(reason);
      },
    },
  );
  expect(await restore.catch((thrown: unknown) => thrown)).toBe(reason);
  const claims = cluster.list(Resources.persistentVolumeClaims, { namespace });
  expect(await Array.fromAsync(claims)).toEqual([]);
  expect(await scene.lab.snapshotObjectsOf(namespace, cluster)).toEqual([]);
});
