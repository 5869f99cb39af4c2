import { expect, it } from 'vitest';
import type { Outage } from '../cluster/outage.ts';
import { waitFor } from '../cluster/wait-for.ts';
import { VolumeScene } from './volume-scene.ts';

it('a snapshot-controller that dies while a backup is deleted: the storage snapshot goes, and the objects when it is back', async (context) => {
  const scene = await VolumeScene.open(context);
  const engine = scene.lab.engine();
  const { issues } = await engine.backup(scene.request, { snapshotObjects: 'keep' });
  expect(issues).toEqual([]);
  expect(await snapshotObjectsOf(scene)).toHaveLength(2);
  let outage: Promise<Outage> | undefined;
  await engine.deleteBackup('backup', {
    onEvent: (event) => {
      if (event.type === 'phase' && event.phase === 'Inspecting') {
        outage ??= scene.kit.stopProcess('snapshot-controller');
      }
    },
  });
  const away = await outage;
  expect(away).toBeDefined();
  expect(await scene.storageSnapshots()).toEqual([]);
  expect(await scene.lab.keys()).toEqual([]);
  await away?.end();
  await waitFor(async () => (await snapshotObjectsOf(scene)).length === 0, {
    what: `the snapshot objects of ${scene.namespace} to be gone`,
  });
});

function snapshotObjectsOf({ lab, namespace, cluster }: VolumeScene): Promise<readonly string[]> {
  return lab.snapshotObjectsOf(namespace, cluster);
}
