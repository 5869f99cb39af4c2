import { readDeletionMark } from '../catalog/deletion-mark.ts';
import { backupKey } from '../catalog/key-layout.ts';
import { readClaim } from '../catalog/stored-claim.ts';
import { isLifeboatError, LifeboatError } from '../errors.ts';
import type { GroupVersionResource, KubernetesObject } from '../model/kubernetes.ts';
import { LifeboatLabel } from '../model/labels.ts';
import { stringAt } from '../model/object-path.ts';
import { Resources } from '../model/resources.ts';
import type { Cluster } from '../ports/cluster.ts';
import type { CallOptions, ObjectStore } from '../ports/object-store.ts';
import { groupSnapshotApiGroup, groupSnapshotResources } from '../snapshot/group-resources.ts';
import {
  contentNameFor,
  type LeftoverPair,
  pairSnapshotObjects,
  snapshotHandleOf,
} from '../snapshot/leftover-pair.ts';
import { findSharedSnapshots } from './shared-snapshots.ts';
import { snapshotKeyOf } from './stored-snapshot.ts';

/** Which snapshots to look for. */
export interface RunSnapshotsRequest extends CallOptions {
  readonly cluster: Cluster;
  readonly store: ObjectStore;
  readonly backupName: string;
  readonly runId: string;
  /** Those that the files of the backup name, by {@link snapshotKeyOf}: they are freed by what the files tell. */
  readonly known: ReadonlySet<string>;
}

/**
 * Finds the snapshots that a run which never came to its end has left in this cluster, with their objects: its files need not
 * name them. Those that another backup of the store refers to are not among them. A cluster without the VolumeSnapshot API has
 * none.
 *
 * @throws {LifeboatError} code Unsupported when the run was taking a group of snapshots; CorruptBackup when another backup
 * cannot be read.
 */
export async function findRunSnapshots(
  request: RunSnapshotsRequest,
): Promise<readonly LeftoverPair[]> {
  const { store, backupName, known, signal } = request;
  const pairs = (await pairsOfRun(request)).filter((pair) => !isAmong(known, pair));
  await refuseGroups(request, pairs);
  const snapshots = pairs.flatMap((pair) => snapshotHandleOf(pair) ?? []);
  const shared = await findSharedSnapshots(store, backupName, snapshots, { signal });
  return pairs.filter((pair) => !isAmong(shared, pair));
}

/** The run that was making a backup and did not come to its end; `undefined` when it did, or nothing tells. */
export async function unfinishedRunOf(
  store: ObjectStore,
  name: string,
  { keys, signal }: CallOptions & { readonly keys: readonly string[] },
): Promise<string | undefined> {
  const mark = await readDeletionMark(store, name, { signal });
  if (mark !== undefined) {
    return mark.isUnfinished ? mark.runId : undefined;
  }
  return keys.includes(backupKey(name, 'backup'))
    ? undefined
    : (await readClaim(store, name, { signal }))?.backupRunId;
}

function isAmong(
  keys: ReadonlySet<string> | ReadonlyMap<string, unknown>,
  pair: LeftoverPair,
): boolean {
  const snapshot = snapshotHandleOf(pair);
  return snapshot !== undefined && keys.has(snapshotKeyOf(snapshot));
}

async function pairsOfRun(request: RunSnapshotsRequest): Promise<readonly LeftoverPair[]> {
  const { cluster, signal } = request;
  const snapshots = await ofRun(request, Resources.volumeSnapshots);
  const contents = await ofRun(request, Resources.volumeSnapshotContents);
  // The snapshot-controller makes contents without labels; the run may have died before it put its own on.
  const labelled = new Set(contents.map(({ metadata }) => metadata.name));
  const names = snapshots.map(contentNameFor).filter((name) => !labelled.has(name));
  for (const name of names) {
    const content = await cluster.get({ ...Resources.volumeSnapshotContents, name }, { signal });
    contents.push(...(content === undefined ? [] : [content]));
  }
  return pairSnapshotObjects(snapshots, contents);
}

async function ofRun(
  { cluster, runId, signal }: RunSnapshotsRequest,
  resource: GroupVersionResource,
): Promise<KubernetesObject[]> {
  try {
    const labelSelector = `${LifeboatLabel.run}=${runId}`;
    return await Array.fromAsync(cluster.list(resource, { labelSelector, signal }));
  } catch (error) {
    if (isLifeboatError(error, 'NotFound')) {
      return [];
    }
    throw error;
  }
}

// One snapshot of a group cannot be freed alone, and which others there are only the objects of the group tell.
async function refuseGroups(
  request: RunSnapshotsRequest,
  pairs: readonly LeftoverPair[],
): Promise<void> {
  const { cluster, backupName, signal } = request;
  const resources = groupSnapshotResources(await cluster.discover({ signal }));
  const groups = resources === undefined ? [] : await ofRun(request, resources.groupSnapshots);
  if (groups.length > 0 || pairs.some(isOfGroup)) {
    throw new LifeboatError(
      `backup ${backupName} is not deleted: its run has not come to its end and has left a group of snapshots in ${cluster.location}, which can be freed only as a whole. Pass what findLeftovers reports of it to removeLeftovers, which frees the group and deletes the files`,
      { code: 'Unsupported', operation: 'deleteBackup', target: backupName },
    );
  }
}

function isOfGroup({ volumeSnapshot, volumeSnapshotContent }: LeftoverPair): boolean {
  const handle =
    volumeSnapshotContent &&
    stringAt(volumeSnapshotContent, ['status', 'volumeGroupSnapshotHandle']);
  const isMember = (volumeSnapshot?.metadata.ownerReferences ?? []).some(
    ({ apiVersion, kind }) =>
      kind === 'VolumeGroupSnapshot' && apiVersion.startsWith(`${groupSnapshotApiGroup}/`),
  );
  return isMember || handle !== undefined;
}
