import { putArtifactList } from '../catalog/backup-files.ts';
import type { StoredFile } from '../catalog/stored-file.ts';
import type { JsonObject } from '../model/json.ts';
import type { KubernetesObject } from '../model/kubernetes.ts';
import { withoutValueAt, withValueAt } from '../model/object-path.ts';
import type { CallOptions, ObjectStore } from '../ports/object-store.ts';
import { archivedVolumeSnapshot, archivedVolumeSnapshotContent } from '../snapshot/manifests.ts';
import type { ReadySnapshot } from '../snapshot/ready-snapshot.ts';

/**
 * Writes the lists of snapshot objects that Velero up to 1.16 expects beside the archive, one object in memory at a time besides
 * what is compressed already: VolumeSnapshots, which its restores read up to 1.16, contents, which its servers made in their clusters
 * up to 1.15, and classes, which they made up to 1.17.
 */
export async function writeLegacyCsiFiles(
  store: ObjectStore,
  name: string,
  snapshots: () => AsyncIterable<ReadySnapshot>,
  options: CallOptions,
): Promise<readonly StoredFile[]> {
  const put = (
    artifact: Parameters<typeof putArtifactList>[2],
    describe: (snapshot: ReadySnapshot) => KubernetesObject | undefined,
  ): Promise<StoredFile> =>
    putArtifactList(store, name, artifact, listed(snapshots(), describe), options);
  const classes = new Set<string>();
  return [
    await put('csiVolumeSnapshots', (snapshot) => archivedVolumeSnapshot(snapshot, name)),
    await put('csiVolumeSnapshotContents', (snapshot) => staticContent(snapshot, name)),
    await put('csiVolumeSnapshotClasses', ({ snapshotClass }) => {
      const isNew = snapshotClass !== undefined && !classes.has(snapshotClass.metadata.name);
      classes.add(snapshotClass?.metadata.name ?? '');
      return isNew ? snapshotClass : undefined;
    }),
  ];
}

/** As entries of a list, which carry neither kind nor apiVersion. */
async function* listed(
  snapshots: AsyncIterable<ReadySnapshot>,
  describe: (snapshot: ReadySnapshot) => KubernetesObject | undefined,
): AsyncIterable<JsonObject> {
  for await (const snapshot of snapshots) {
    const object = describe(snapshot);
    if (object !== undefined) {
      const { kind: _kind, apiVersion: _apiVersion, ...entry } = object;
      yield entry;
    }
  }
}

// A server that makes it in its cluster must neither ask for a new snapshot nor, when the content is deleted, free this one: before it
// deletes a backup it sets the policy itself.
function staticContent(snapshot: ReadySnapshot, backupName: string): KubernetesObject {
  const content = withoutValueAt(archivedVolumeSnapshotContent(snapshot, backupName), [
    'metadata',
    'resourceVersion',
  ]);
  const { snapshotHandle } = snapshot;
  return withValueAt(
    withValueAt(content, ['spec', 'source'], { snapshotHandle }),
    ['spec', 'deletionPolicy'],
    'Retain',
  );
}
