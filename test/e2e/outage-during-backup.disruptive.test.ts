import { expect, it } from 'vitest';
import type { Outage } from '../cluster/outage.ts';
import { waitFor } from '../cluster/wait-for.ts';
import { snapshotStatesIn, testDriver } from './backup-lab.ts';
import { VolumeScene } from './volume-scene.ts';

it('a snapshot-controller that hangs: the claim fails in time, with a hint, and nothing is left', async (context) => {
  const scene = await VolumeScene.open(context);
  const outage = await scene.kit.pauseProcess('snapshot-controller');
  const { backup, issues } = await scene.lab.engine().backup({
    ...scene.request,
    spec: { ...scene.request.spec, csiSnapshotTimeout: '2s' },
  });
  expect(backup.status).toMatchObject({ phase: 'PartiallyFailed', csiVolumeSnapshotsAttempted: 1 });
  expect(issues).toMatchObject([
    {
      severity: 'error',
      reason: 'SnapshotFailed',
      object: scene.claim,
      message: expect.stringMatching(/within 2 s.*the snapshot-controller/) as string,
    },
  ]);
  await outage.end();
  await untilNoSnapshotIsLeft(scene);
});

it('a snapshot-controller that hangs once the snapshot is cut: the claim fails, and what is left when it is back can be removed', async (context) => {
  const scene = await VolumeScene.open(context);
  let outage: Promise<Outage> | undefined;
  const { backup, issues } = await scene.lab.engine().backup(
    { ...scene.request, spec: { ...scene.request.spec, itemOperationTimeout: '2s' } },
    {
      volumeSnapshotClasses: { [testDriver]: 'dirvol-slow' },
      onEvent: (event) => {
        if (snapshotStatesIn([event]).includes('HandleAssigned')) {
          outage ??= scene.kit.pauseProcess('snapshot-controller');
        }
      },
    },
  );
  expect(backup.status.phase).toBe('PartiallyFailed');
  // It could not be removed in time, so its user is told how to find it.
  expect(issues).toMatchObject([
    {
      severity: 'error',
      reason: 'SnapshotFailed',
      object: scene.claim,
      message: expect.stringMatching(
        /within 2 s.*VolumeSnapshot .* may be left.* lifeboat\.dev\/run=/,
      ) as string,
    },
  ]);
  await (await outage)?.end();
  // Awake again it may act on what it saw before: then it lets the VolumeSnapshot go and forgets the content.
  const engine = scene.lab.engine();
  await untilNoSnapshotIsLeft(scene, async () => {
    await engine.removeLeftovers(await engine.findLeftovers({ minimumAgeMs: 0 }));
  });
});

it('a snapshot-controller that dies while a snapshot is taken and comes back: the backup is complete', async (context) => {
  const scene = await VolumeScene.open(context);
  const { namespace } = scene;
  // Cut only once the controller is away: what the storage says then reaches the VolumeSnapshot through another one.
  await scene.kit.injectFault({ rpc: 'CreateSnapshot', namespace, delayMs: 2_000, times: 1 });
  let recovery: Promise<void> | undefined;
  const { backup, issues } = await scene.lab.engine().backup(scene.request, {
    onEvent: (event) => {
      if (snapshotStatesIn([event]).includes('Bound')) {
        recovery ??= scene.kit.stopProcess('snapshot-controller').then((outage) => outage.end());
      }
    },
  });
  await recovery;
  expect(issues).toEqual([]);
  expect(backup.status).toMatchObject({ phase: 'Completed', csiVolumeSnapshotsCompleted: 1 });
  expect(await scene.storageSnapshots()).toHaveLength(1);
  expect(await scene.lab.snapshotObjectsOf(namespace, scene.cluster)).toEqual([]);
});

it('a sidecar that dies while a snapshot is taken and comes back: the backup is complete', async (context) => {
  const scene = await VolumeScene.open(context);
  const { namespace } = scene;
  // Long enough that the sidecar dies waiting for it.
  await scene.kit.injectFault({ rpc: 'CreateSnapshot', namespace, delayMs: 1_000, times: 1 });
  let recovery: Promise<void> | undefined;
  const { backup, issues } = await scene.lab.engine().backup(scene.request, {
    onEvent: (event) => {
      if (snapshotStatesIn([event]).includes('Bound')) {
        recovery ??= scene.kit.stopProcess('csi-snapshotter-dirvol').then((outage) => outage.end());
      }
    },
  });
  await recovery;
  expect(issues).toEqual([]);
  expect(backup.status).toMatchObject({ phase: 'Completed', csiVolumeSnapshotsCompleted: 1 });
  expect(await scene.storageSnapshots()).toHaveLength(1);
  expect(await scene.lab.snapshotObjectsOf(namespace, scene.cluster)).toEqual([]);
});

it('an API server that is restarted while snapshots are waited for: the backup is complete and can be restored', async (context) => {
  const scene = await VolumeScene.open(context);
  const { namespace } = scene;
  let recovery: Promise<void> | undefined;
  const { backup, issues } = await scene.lab.engine().backup(scene.request, {
    volumeSnapshotClasses: { [testDriver]: 'dirvol-slow' },
    onEvent: (event) => {
      if (event.type === 'phase' && event.phase === 'WaitingForSnapshots') {
        recovery ??= scene.kit.stopProcess('kube-apiserver').then((outage) => outage.end());
      }
    },
  });
  await recovery;
  expect(issues).toEqual([]);
  expect(backup.status).toMatchObject({ phase: 'Completed', csiVolumeSnapshotsCompleted: 1 });
  expect(await scene.storageSnapshots()).toHaveLength(1);
  expect(await scene.lab.snapshotObjectsOf(namespace, scene.cluster)).toEqual([]);

  await scene.loseClaim();
  const restored = await scene.lab.engine().restore({ spec: { backupName: 'backup' } });
  expect(restored.restore.status.phase).toBe('Completed');
});

it('an API server that goes away while objects are listed: the backup rejects, and is undone once the server is back', async (context) => {
  const scene = await VolumeScene.open(context);
  let outage: Promise<Outage> | undefined;
  let recovery: Promise<void> | undefined;
  const recover = (message: string): void => {
    if (message.startsWith('undoing')) {
      recovery ??= outage?.then((away) => away.end());
    }
  };
  const ignore = (): void => undefined;
  const logger = { debug: ignore, info: recover, warn: ignore, error: ignore };
  const backup = scene.lab.engine({}, scene.lab.store, logger).backup(scene.request, {
    onEvent: (event) => {
      if (event.type === 'phase' && event.phase === 'Collecting') {
        outage ??= scene.kit.stopProcess('kube-apiserver');
      }
    },
  });
  await expect(backup).rejects.toMatchObject({ code: 'Unavailable', retryable: true });
  await recovery;
  await scene.expectNothingLeft();
});

/** Waits until nothing is left in the cluster and the storage of a snapshot that came to nothing. */
async function untilNoSnapshotIsLeft(
  scene: VolumeScene,
  help: () => Promise<void> = () => Promise.resolve(),
): Promise<void> {
  await waitFor(
    async () => {
      await help();
      const objects = await scene.lab.snapshotObjectsOf(scene.namespace, scene.cluster);
      return objects.length === 0 && (await scene.storageSnapshots()).length === 0;
    },
    { what: `the snapshots of ${scene.namespace} to be gone`, timeoutMs: 120_000 },
  );
}
