import { createEngine, Resources, type RestoreEvent } from '@lifeboat/core';
import { expect, it } from 'vitest';
import { stringAt } from '../../packages/core/src/model/object-path.ts';
import { boundVolumeHandle, createClaim, VolumeScene } from './volume-scene.ts';

const places = 2;
const unready = ['data', 'data-2', 'data-3'];
const answered = 'ready';

it('snapshots that the driver cannot find yet, more than there are places, hold back no other claim; a cancelled restore removes what it made for them', async (context) => {
  const scene = await VolumeScene.open(context);
  const { cluster, kit, lab, namespace } = scene;
  for (const name of [...unready.slice(1), answered]) {
    await createClaim(cluster, namespace, { name });
  }
  const engine = createEngine({
    ...lab.connect(),
    store: lab.store,
    concurrency: { restoredObjects: places },
  });
  const { backup } = await engine.backup(scene.request);
  expect(backup.status.phase).toBe('Completed');
  for (const name of unready) {
    const [handle] = await lab.storageSnapshotsOf([
      await boundVolumeHandle(cluster, namespace, name),
    ]);
    // An error, since calls that hang would take the workers of the sidecar away from other tests.
    await kit.injectFault({ rpc: 'ListSnapshots', handle, code: 'UNAVAILABLE', message: 'asleep' });
  }

  const target = await kit.createNamespace('volume');
  const controller = new AbortController();
  const reason = new Error('the test has seen enough');
  const outcomes: string[] = [];
  const onEvent = (event: RestoreEvent): void => {
    if (event.type === 'item' && event.object.groupResource === 'persistentvolumeclaims') {
      outcomes.push(`${event.object.name} ${event.action}`);
      controller.abort(reason);
    }
  };
  const restore = engine.restore(
    {
      name: `awaited-${target}`,
      spec: { backupName: 'backup', namespaceMapping: { [namespace]: target } },
    },
    { signal: controller.signal, onEvent },
  );
  expect(await restore.catch((thrown: unknown) => thrown)).toBe(reason);
  expect(outcomes).toEqual([`${answered} created`]);

  const claims = await Array.fromAsync(
    cluster.list(Resources.persistentVolumeClaims, { namespace: target }),
  );
  expect(claims.map(({ metadata }) => metadata.name)).toEqual([answered]);
  const snapshots = await Array.fromAsync(
    cluster.list(Resources.volumeSnapshots, { namespace: target }),
  );
  // Its own may be gone too: the claim may have been bound before the restore had ended.
  const sources = claims.map((claim) => stringAt(claim, ['spec', 'dataSource', 'name']));
  const left = snapshots.filter(
    ({ metadata }) => metadata.deletionTimestamp === undefined && !sources.includes(metadata.name),
  );
  expect(left).toEqual([]);
});
