import { Readable } from 'node:stream';
import { createGzip } from 'node:zlib';
import { pack } from 'tar-stream';
import { backupKey } from '../catalog/key-layout.ts';
import { readAll } from '../internal/read-all.ts';
import type { KubernetesObject } from '../model/kubernetes.ts';
import type { ObjectStore } from '../ports/object-store.ts';
import { storeBackup } from './stored-backup-fixture.ts';

/** The folder of an object, below `resources/`, and the object. */
export type VersionedEntry = readonly [folder: string, object: KubernetesObject];

/** Stores a backup as Velero does with EnableAPIGroupVersions: objects in several versions, the folder of each named by the test. */
export async function storeVersionedBackup(
  store: ObjectStore,
  name: string,
  entries: readonly VersionedEntry[],
): Promise<void> {
  await storeBackup(store, { name, objects: [] });
  const tar = pack();
  tar.entry({ name: 'metadata/version' }, '1.1.0\n');
  for (const [folder, object] of entries) {
    const { namespace, name: objectName } = object.metadata;
    const scope = namespace === undefined ? 'cluster' : `namespaces/${namespace}`;
    const path = `resources/${folder}/${scope}/${objectName}.json`;
    tar.entry({ name: path, mode: 0o755 }, JSON.stringify(object));
  }
  tar.finalize();
  const bytes = await readAll(Readable.from(tar).pipe(createGzip()), { maximumBytes: 1_000_000 });
  await store.put(backupKey(name, 'archive'), bytes);
}
