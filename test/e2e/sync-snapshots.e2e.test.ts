import { type Cluster, type KubernetesObject, LifeboatLabel, Resources } from '@lifeboat/core';
import { expect, it } from 'vitest';
import { stringAt } from '../../packages/core/src/model/object-path.ts';
import { waitFor } from '../cluster/wait-for.ts';
import { boundVolumeHandle, VolumeScene } from './volume-scene.ts';

/** The contents of a cluster that syncs have made for a backup. */
async function syncedContents(
  cluster: Cluster,
  backupName: string,
): Promise<readonly KubernetesObject[]> {
  const labelSelector = `${LifeboatLabel.syncedFrom},velero.io/backup-name=${backupName}`;
  return Array.fromAsync(cluster.list(Resources.volumeSnapshotContents, { labelSelector }));
}

it('a second cluster on the same storage shows the snapshot of a backup, restores it, and forgets it with the backup', async (context) => {
  const scene = await VolumeScene.open(context);
  const { kit, lab, namespace } = scene;
  // Backups of other tests carry other names: the label of a content tells whose it is.
  const request = { ...scene.request, name: namespace };
  const { cluster: there } = lab.connect({ cluster: 2 });
  const elsewhere = lab.engine({ cluster: 2 });
  await lab.engine().backup(request);
  const [handle] = await scene.storageSnapshots();

  const first = await elsewhere.syncSnapshots();
  expect(first).toMatchObject({
    created: [{ backupName: namespace, snapshotHandle: handle }],
    issues: [],
  });
  expect(await elsewhere.syncSnapshots()).toMatchObject({ created: [], kept: first.created });
  const content = await waitFor(
    async () => {
      const [found] = await syncedContents(there, namespace);
      return found && stringAt(found, ['status', 'snapshotHandle']) === handle ? found : undefined;
    },
    { what: 'the sidecar to look for the snapshot of the synced content' },
  );
  expect(content).toMatchObject({ spec: { deletionPolicy: 'Retain' } });

  kit.deleteNamespaceAtEnd(namespace, { cluster: 2 });
  const restored = await elsewhere.restore({ spec: { backupName: namespace } });
  expect(restored.issues).toEqual([]);
  expect(await boundVolumeHandle(there, namespace)).not.toBe(scene.volumeHandle);

  await lab.engine().deleteBackup(namespace);
  expect(await scene.storageSnapshots()).toEqual([]);
  expect(await elsewhere.syncSnapshots()).toMatchObject({ removed: first.created, issues: [] });
  await waitFor(async () => (await syncedContents(there, namespace)).length === 0, {
    what: 'the synced content to be gone',
  });
});

it('what a sync made goes, and the storage snapshot stays', async (context) => {
  const scene = await VolumeScene.open(context);
  const { lab, namespace } = scene;
  const { cluster: there } = lab.connect({ cluster: 2 });
  await lab.engine().backup({ ...scene.request, name: namespace });
  const elsewhere = lab.engine({ cluster: 2 });
  await elsewhere.syncSnapshots();
  const handles = await scene.storageSnapshots();
  expect(handles).toHaveLength(1);

  // Hidden from the catalog, as on a store that lost it.
  const key = `backups/${namespace}/velero-backup.json`;
  const description = await Array.fromAsync(await lab.store.get(key));
  await lab.store.delete(key);
  expect((await elsewhere.syncSnapshots()).removed).toHaveLength(1);
  await waitFor(async () => (await syncedContents(there, namespace)).length === 0, {
    what: 'the synced content to be gone',
  });
  expect(await scene.storageSnapshots()).toEqual(handles);
  await lab.store.put(key, Buffer.concat(description));
});
