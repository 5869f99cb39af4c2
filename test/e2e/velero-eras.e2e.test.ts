import { expect, it } from 'vitest';
import { storeBackup } from '../../packages/core/src/restore/stored-backup-fixture.ts';
import { eraBackup } from '../../packages/core/src/restore/velero-eras-fixture.ts';
import { testDriver } from './backup-lab.ts';
import { boundVolumeHandle, VolumeScene } from './volume-scene.ts';

it('backups as Velero 1.6 and 1.9 left them are restored from a snapshot of the real driver', async (context) => {
  const scene = await VolumeScene.open(context);
  const { kit, lab, cluster, namespace } = scene;
  const engine = lab.engine();
  await engine.backup(scene.request);
  const [snapshotHandle = ''] = await scene.storageSnapshots();
  await Promise.all(
    (['1.6', '1.9'] as const).map(async (era) => {
      const name = `velero-${era.replace('.', '-')}`;
      const copy = await kit.createNamespace('era');
      const storageClassName = 'dirvol';
      const options = { name, namespace, driver: testDriver, snapshotHandle, storageClassName };
      await storeBackup(lab.store, eraBackup(era, options));
      const spec = { backupName: name, namespaceMapping: { [namespace]: copy } };
      expect(await engine.restore({ spec })).toMatchObject({
        restore: { status: { phase: 'Completed' } },
        issues: [],
      });
      expect(await boundVolumeHandle(cluster, copy)).not.toBe(scene.volumeHandle);
      expect(await lab.snapshotObjectsOf(copy, cluster)).toEqual([]);
      // They share one snapshot: only their files may go.
      await engine.catalog.delete(name);
    }),
  );
  expect(await scene.storageSnapshots()).toEqual([snapshotHandle]);
});
