import { type Cluster, Resources } from '@lifeboat/core';
import { expect, it } from 'vitest';
import { storeBackup } from '../../packages/core/src/restore/stored-backup-fixture.ts';
import { eraBackup, veleroEras } from '../../packages/core/src/restore/velero-eras-fixture.ts';
import { testDriver } from './backup-lab.ts';
import { boundVolumeHandle, VolumeScene } from './volume-scene.ts';

const storageClassName = 'dirvol';
const restored = { restore: { status: { phase: 'Completed' } }, issues: [] };

it('backups as every era of Velero left them are restored from a snapshot of the real driver', async (context) => {
  const scene = await VolumeScene.open(context);
  const { kit, lab, cluster, namespace } = scene;
  const engine = lab.engine();
  await engine.backup(scene.request);
  const [snapshotHandle = ''] = await scene.storageSnapshots();
  await Promise.all(
    veleroEras.map(async (era) => {
      const name = `velero-${era.replace('.', '-')}`;
      const copy = await kit.createNamespace('era');
      const options = { name, namespace, driver: testDriver, snapshotHandle, storageClassName };
      await storeBackup(lab.store, eraBackup(era, options));
      const spec = { backupName: name, namespaceMapping: { [namespace]: copy } };
      expect(await engine.restore({ spec })).toMatchObject(restored);
      expect(await boundVolumeHandle(cluster, copy)).not.toBe(scene.volumeHandle);
      expect(await lab.snapshotObjectsOf(copy, cluster)).toEqual([]);
      // They share one snapshot: only their files may go.
      await engine.catalog.delete(name);
    }),
  );
  expect(await scene.storageSnapshots()).toEqual([snapshotHandle]);
});

it('the content that Velero 1.9 to 1.15 left in the cluster outlives a restore, and goes with its backup', async (context) => {
  const scene = await VolumeScene.open(context);
  const { kit, lab, cluster, namespace } = scene;
  const engine = lab.engine();
  await engine.backup(scene.request);
  const [snapshotHandle = ''] = await scene.storageSnapshots();
  const name = kit.uniqueName('velero-1-13');
  const options = { name, namespace, driver: testDriver, snapshotHandle, storageClassName };
  await storeBackup(lab.store, eraBackup('1.13', options));
  // The snapshot is that of this backup alone.
  await engine.catalog.delete(scene.request.name);
  const content = await createContent(cluster, name, snapshotHandle);

  const copy = await kit.createNamespace('era');
  const spec = { backupName: name, namespaceMapping: { [namespace]: copy } };
  expect(await engine.restore({ spec })).toMatchObject(restored);
  expect(await boundVolumeHandle(cluster, copy)).not.toBe(scene.volumeHandle);
  expect(await lab.snapshotObjectsOf(copy, cluster)).toEqual([]);
  const reference = { ...Resources.volumeSnapshotContents, name: content };
  expect(await cluster.get(reference)).toBeDefined();

  expect(await engine.deleteBackup(name)).toMatchObject({ found: true, issues: [] });
  expect(await scene.storageSnapshots()).toEqual([]);
  expect(await cluster.get(reference)).toBeUndefined();
});

/** Makes a content that is bound to nothing, as Velero put it in the place of the one that the snapshot was taken with. */
async function createContent(
  cluster: Cluster,
  backup: string,
  snapshotHandle: string,
): Promise<string> {
  const name = `snapcontent-${backup}`;
  await cluster.create(Resources.volumeSnapshotContents, {
    apiVersion: 'snapshot.storage.k8s.io/v1',
    kind: 'VolumeSnapshotContent',
    metadata: { name, labels: { 'velero.io/backup-name': backup } },
    spec: {
      driver: testDriver,
      deletionPolicy: 'Retain',
      source: { snapshotHandle },
      volumeSnapshotClassName: 'dirvol',
      volumeSnapshotRef: { namespace: `ns-${backup}`, name: `name-${backup}` },
    },
  });
  return name;
}
