import { writeArchive } from '../archive/archive-writer.ts';
import { putArtifact, putBackup } from '../catalog/backup-files.ts';
import { backupKey } from '../catalog/key-layout.ts';
import type { Backup } from '../model/backup.ts';
import type { JsonObject } from '../model/json.ts';
import { type KubernetesObject, parseApiVersion, type StringMap } from '../model/kubernetes.ts';
import type { ObjectStore } from '../ports/object-store.ts';

/** A backup that tests put into a store: objects by their resource. */
export interface StoredBackup {
  readonly name: string;
  /** Plural resource and object; the group and version are the object's own. */
  readonly objects: readonly (readonly [resource: string, object: KubernetesObject])[];
  readonly phase?: Backup['status']['phase'];
  /** `none`: the file is not written, as by Velero before 1.13. */
  readonly volumeInfo?: readonly JsonObject[] | 'none';
  readonly csiVolumeSnapshots?: readonly JsonObject[];
  readonly csiVolumeSnapshotContents?: readonly JsonObject[];
  readonly spec?: Backup['spec'];
  readonly labels?: StringMap;
  readonly startTimestamp?: string;
}

const listArtifacts = ['volumeInfo', 'csiVolumeSnapshots', 'csiVolumeSnapshotContents'] as const;

/** Stores a backup as a run would have. */
export async function storeBackup(store: ObjectStore, stored: StoredBackup): Promise<void> {
  const { name, objects, phase = 'Completed', volumeInfo = [], spec = {} } = stored;
  await writeArchive(
    (body, signal) => store.put(backupKey(name, 'archive'), body, { signal }),
    async (archive) => {
      for (const [resource, object] of objects) {
        await archive.writeObject({ ...parseApiVersion(object.apiVersion), resource }, object);
      }
    },
    { modifiedAt: new Date(0) },
  );
  const lists = {
    volumeInfo: volumeInfo === 'none' ? undefined : volumeInfo,
    csiVolumeSnapshots: stored.csiVolumeSnapshots,
    csiVolumeSnapshotContents: stored.csiVolumeSnapshotContents,
  };
  for (const artifact of listArtifacts) {
    const list = lists[artifact];
    if (list !== undefined) {
      await putArtifact(store, name, artifact, list);
    }
  }
  await putBackup(store, {
    kind: 'Backup',
    apiVersion: 'velero.io/v1',
    metadata: {
      name,
      namespace: 'velero',
      uid: `${name}-uid`,
      ...(stored.labels === undefined ? {} : { labels: stored.labels }),
    },
    spec,
    status: {
      version: 1,
      formatVersion: '1.1.0',
      phase,
      ...(stored.startTimestamp === undefined ? {} : { startTimestamp: stored.startTimestamp }),
    },
  });
}

/** An object as a backup holds it: in namespace `shop` unless it has none, with what the API server had put. */
export function archivedObject(
  apiVersion: string,
  kind: string,
  metadata: JsonObject & { readonly name: string },
  fields: JsonObject = {},
): KubernetesObject {
  return {
    apiVersion,
    kind,
    metadata: {
      namespace: 'shop',
      uid: `uid-of-${metadata.name}`,
      resourceVersion: '1',
      creationTimestamp: '2026-01-01T00:00:00Z',
      ...metadata,
    },
    ...fields,
  };
}
