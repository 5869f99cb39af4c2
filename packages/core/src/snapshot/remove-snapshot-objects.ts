import { isLifeboatError } from '../errors.ts';
import { type KubernetesObject, referenceTo } from '../model/kubernetes.ts';
import { LifeboatLabel, VeleroLabel } from '../model/labels.ts';
import { stringAt } from '../model/object-path.ts';
import { Resources } from '../model/resources.ts';
import type { Cluster } from '../ports/cluster.ts';
import type { CallOptions } from '../ports/object-store.ts';
import { deleteIfSame } from './delete-if-same.ts';
import { snapshotApiMissing } from './served-snapshot-api.ts';
import { handleOf } from './snapshot-step.ts';

/** Which storage snapshots are gone. */
export interface RemoveSnapshotObjectsRequest {
  readonly cluster: Cluster;
  readonly snapshots: readonly { readonly driver: string; readonly snapshotHandle: string }[];
}

/**
 * Deletes the VolumeSnapshotContents that still stand for storage snapshots which are gone, and their VolumeSnapshots: those
 * that a backup or a restore has kept, of whichever version of Velero. Contents that neither Lifeboat nor Velero has labelled
 * are somebody else's and stay. Missing objects are success. Does not wait until they are gone.
 *
 * @throws {LifeboatError} code Unsupported when there are snapshots and the cluster has no VolumeSnapshot API.
 */
export async function removeSnapshotObjects(
  { cluster, snapshots }: RemoveSnapshotObjectsRequest,
  { signal }: CallOptions = {},
): Promise<void> {
  if (snapshots.length === 0) {
    return;
  }
  const gone = new Set(
    snapshots.map(({ driver, snapshotHandle }) => `${driver}\n${snapshotHandle}`),
  );
  for await (const content of contentsOf(cluster, signal)) {
    const handle = handleOf(content) ?? stringAt(content, ['spec', 'source', 'snapshotHandle']);
    const driver = stringAt(content, ['spec', 'driver']);
    if (!gone.has(`${driver}\n${handle}`) || !isLabelled(content)) {
      continue;
    }
    const volumeSnapshot = await boundSnapshotOf(cluster, content, signal);
    const reference = referenceTo(Resources.volumeSnapshotContents, content);
    await deleteIfSame(cluster, reference, content, { signal });
    if (volumeSnapshot !== undefined) {
      const bound = referenceTo(Resources.volumeSnapshots, volumeSnapshot);
      await deleteIfSame(cluster, bound, volumeSnapshot, { signal });
    }
  }
}

async function* contentsOf(
  cluster: Cluster,
  signal: AbortSignal | undefined,
): AsyncGenerator<KubernetesObject> {
  try {
    yield* cluster.list(Resources.volumeSnapshotContents, { signal });
  } catch (error) {
    throw isLifeboatError(error, 'NotFound')
      ? snapshotApiMissing('removeSnapshotObjects', cluster, error)
      : error;
  }
}

const ownLabels: readonly string[] = [
  VeleroLabel.backupName,
  VeleroLabel.restoreName,
  LifeboatLabel.run,
];

function isLabelled({ metadata }: KubernetesObject): boolean {
  return ownLabels.some((label) => Object.hasOwn(metadata.labels ?? {}, label));
}

/** The VolumeSnapshot that is bound to a content; not another one that has taken its name since. */
async function boundSnapshotOf(
  cluster: Cluster,
  content: KubernetesObject,
  signal: AbortSignal | undefined,
): Promise<KubernetesObject | undefined> {
  const namespace = stringAt(content, ['spec', 'volumeSnapshotRef', 'namespace']);
  const name = stringAt(content, ['spec', 'volumeSnapshotRef', 'name']);
  if (namespace === undefined || name === undefined) {
    return undefined;
  }
  const reference = { ...Resources.volumeSnapshots, namespace, name };
  const found = await cluster.get(reference, { signal });
  const bound = found && stringAt(found, ['status', 'boundVolumeSnapshotContentName']);
  return bound === content.metadata.name ? found : undefined;
}
