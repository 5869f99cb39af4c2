import { writeArchive } from '../archive/archive-writer.ts';
import { putArtifact, putBackup } from '../catalog/backup-files.ts';
import { backupKey, claimKey } from '../catalog/key-layout.ts';
import { putRestore, putRestoreText } from '../catalog/restore-files.ts';
import { silentLogger } from '../internal/silent-logger.ts';
import type { JsonObject } from '../model/json.ts';
import type { KubernetesObject } from '../model/kubernetes.ts';
import { Resources } from '../model/resources.ts';
import type { Clock } from '../ports/clock.ts';
import type { Cluster } from '../ports/cluster.ts';
import type { ObjectStore } from '../ports/object-store.ts';
import { fakeCsiDriverName } from '../testing/fake-cluster/csi/fake-csi-driver.ts';
import type { DeleteBackupDependencies } from './delete-request.ts';

/** A VolumeSnapshotContent as an archive holds it. */
export function storedContent(
  backupName: string,
  snapshotHandle: string,
  fields: JsonObject = {},
): KubernetesObject {
  return {
    apiVersion: 'snapshot.storage.k8s.io/v1',
    kind: 'VolumeSnapshotContent',
    metadata: {
      name: `content-of-${snapshotHandle}`,
      labels: { 'velero.io/backup-name': backupName },
    },
    spec: { driver: fakeCsiDriverName, deletionPolicy: 'Delete', source: { volumeHandle: 'v-1' } },
    status: { snapshotHandle },
    ...fields,
  };
}

/** An entry of the volume information for a snapshot. */
export function snapshotInfo(
  snapshotHandle: string,
  driver: string = fakeCsiDriverName,
): JsonObject {
  return {
    pvName: `pv-of-${snapshotHandle}`,
    backupMethod: 'CSISnapshot',
    snapshotDataMoved: false,
    csiSnapshotInfo: { driver, snapshotHandle },
  };
}

/** A backup that tests put into a store, with a restore that was made from it. */
export interface DeletableBackup {
  readonly name: string;
  readonly handles: readonly string[];
  readonly status?: JsonObject | undefined;
}

/** Stores a backup as a run would have, its claim included. */
export async function storeDeletableBackup(
  store: ObjectStore,
  { name, handles, status = {} }: DeletableBackup,
): Promise<void> {
  await store.put(claimKey(name), Buffer.from('{"owner":"lifeboat"}'));
  await storeArchive(
    store,
    name,
    handles.map((handle) => storedContent(name, handle)),
  );
  await putArtifact(
    store,
    name,
    'volumeInfo',
    handles.map((handle) => snapshotInfo(handle)),
  );
  await putBackup(store, {
    kind: 'Backup',
    apiVersion: 'velero.io/v1',
    metadata: { name, namespace: 'velero', uid: `${name}-uid` },
    spec: {},
    status: { version: 1, formatVersion: '1.1.0', phase: 'Completed', ...status },
  });
}

/** Stores the archive of a backup: contents, and nothing else. */
export async function storeArchive(
  store: ObjectStore,
  name: string,
  contents: readonly KubernetesObject[],
): Promise<void> {
  await writeArchive(
    (body, signal) => store.put(backupKey(name, 'archive'), body, { signal }),
    async (archive) => {
      for (const content of contents) {
        await archive.writeObject(Resources.volumeSnapshotContents, content);
      }
    },
    { modifiedAt: new Date(0) },
  );
}

/** Stores the results of a restore. */
export async function storeRestore(
  store: ObjectStore,
  name: string,
  backupName: string,
): Promise<void> {
  await putRestore(store, {
    kind: 'Restore',
    apiVersion: 'velero.io/v1',
    metadata: { name },
    spec: { backupName },
    status: { phase: 'Completed' },
  });
  await putRestoreText(store, name, 'logs', 'done\n');
}

/** What a deletion works with. */
export function dependenciesOf(
  cluster: Cluster,
  store: ObjectStore,
  clock: Clock,
): DeleteBackupDependencies {
  return { cluster, store, clock, logger: silentLogger, concurrency: 4 };
}

/** The keys of a store. */
export async function keysOf(store: ObjectStore, prefix = ''): Promise<readonly string[]> {
  return Array.fromAsync(store.list(prefix), ({ key }) => key);
}
