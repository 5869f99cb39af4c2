import { readArtifactList } from '../catalog/backup-files.ts';
import type { JsonObject } from '../model/json.ts';
import { isJsonObject } from '../model/json.ts';
import type { KubernetesObject } from '../model/kubernetes.ts';
import { stringAt, valueAt } from '../model/object-path.ts';
import type { ObjectStore } from '../ports/object-store.ts';
import { snapshotApiVersion } from '../snapshot/manifests.ts';

/** A snapshot as the files beside the archive list it. */
export interface ListedSnapshot {
  readonly volumeSnapshot: KubernetesObject | undefined;
  readonly volumeSnapshotContent: KubernetesObject | undefined;
}

interface Lists {
  readonly volumeSnapshots: readonly KubernetesObject[];
  readonly contents: readonly KubernetesObject[];
}

/**
 * The snapshot objects that Velero listed beside the archive until 1.16. Read when they are first asked for: only a backup
 * whose archive lacks an object needs them.
 */
export class ListedSnapshots {
  readonly #read: () => Promise<Lists>;
  #lists: Promise<Lists> | undefined;

  constructor(store: ObjectStore, backupName: string, signal: AbortSignal) {
    this.#read = async () => ({
      volumeSnapshots: (
        await readArtifactList(store, backupName, 'csiVolumeSnapshots', { signal })
      ).flatMap((object) => asSnapshotObject(object, 'VolumeSnapshot')),
      contents: (
        await readArtifactList(store, backupName, 'csiVolumeSnapshotContents', { signal })
      ).flatMap((object) => asSnapshotObject(object, 'VolumeSnapshotContent')),
    });
  }

  /** Finds a VolumeSnapshot and the content that belongs to it. */
  async find(namespace: string | undefined, name: string): Promise<ListedSnapshot> {
    const { volumeSnapshots, contents } = await (this.#lists ??= this.#read());
    const volumeSnapshot = volumeSnapshots.find(
      ({ metadata }) => metadata.name === name && metadata.namespace === namespace,
    );
    return {
      volumeSnapshot,
      volumeSnapshotContent: contents.find(
        (content) =>
          contentNamesOf(volumeSnapshot).includes(content.metadata.name) ||
          refersTo(content, namespace, name),
      ),
    };
  }
}

/**
 * The names that the content of a backed-up VolumeSnapshot may have: the one it was bound to, and the one that the
 * snapshot-controller gives, for a VolumeSnapshot that was stored before it was bound.
 */
export function contentNamesOf(volumeSnapshot: KubernetesObject | undefined): readonly string[] {
  const bound =
    volumeSnapshot && stringAt(volumeSnapshot, ['status', 'boundVolumeSnapshotContentName']);
  const uid = volumeSnapshot?.metadata.uid;
  return [bound ?? [], uid === undefined ? [] : `snapcontent-${uid}`].flat();
}

function refersTo(content: KubernetesObject, namespace: string | undefined, name: string): boolean {
  return (
    stringAt(content, ['spec', 'volumeSnapshotRef', 'name']) === name &&
    stringAt(content, ['spec', 'volumeSnapshotRef', 'namespace']) === namespace
  );
}

// Entries of a list carry no apiVersion and kind, and those of Velero until 1.8 are of v1beta1, which has the same fields.
function asSnapshotObject(object: JsonObject, kind: string): readonly KubernetesObject[] {
  const named = { ...object, apiVersion: snapshotApiVersion, kind };
  return isNamed(named) ? [named] : [];
}

function isNamed(
  object: JsonObject & { apiVersion: string; kind: string },
): object is KubernetesObject {
  return (
    typeof valueAt(object, ['metadata', 'name']) === 'string' &&
    ['labels', 'annotations'].every((field) => {
      const value = valueAt(object, ['metadata', field]) ?? {};
      return (
        isJsonObject(value) && Object.values(value).every((member) => typeof member === 'string')
      );
    })
  );
}
