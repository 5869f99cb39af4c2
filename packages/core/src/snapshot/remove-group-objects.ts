import { randomUUID } from 'node:crypto';

import { isLifeboatError } from '../errors.ts';
import type { JsonObject } from '../model/json.ts';
import type { KubernetesObject, ObjectReference } from '../model/kubernetes.ts';
import { stringAt } from '../model/object-path.ts';
import { Resources } from '../model/resources.ts';
import type { Clock } from '../ports/clock.ts';
import type { Cluster } from '../ports/cluster.ts';
import type { CallOptions } from '../ports/object-store.ts';
import { deleteIfSame } from './delete-if-same.ts';
import {
  type GroupIdentity,
  type GroupObjects,
  groupObjectReference,
  readGroupObjects,
} from './group-objects.ts';
import { groupHandleOf } from './group-snapshot-step.ts';
import { groupHandleAnnotation } from './leftover-group.ts';

/** What {@link removeGroupObjects} works on. */
export interface RemoveGroupObjectsRequest {
  readonly cluster: Cluster;
  readonly clock: Clock;
  readonly identity: GroupIdentity;
  /** Whether the storage snapshots go with the objects: every content gets this policy before anything is deleted. */
  readonly deletionPolicy: 'Delete' | 'Retain';
}

/**
 * Deletes a VolumeGroupSnapshot, its content, its members and their contents, and resolves when all are gone; with policy
 * `Delete` the storage snapshots are gone then too. It goes by what is there at each look, so it finishes what an earlier call
 * or somebody else has begun. Not bounded in time: give it a deadline.
 */
export async function removeGroupObjects(
  request: RemoveGroupObjectsRequest,
  options: CallOptions,
): Promise<void> {
  const { cluster, clock, identity, deletionPolicy } = request;
  // A content outlives its VolumeSnapshot by a moment, and is not found through it then.
  const contentNames = new Set<string>();
  const sleepers = new SleepingContents(clock);
  const late = new LateContent(clock);
  let handle: string | undefined;
  let isConfirmed = false;
  for (;;) {
    const objects = await readGroupObjects(cluster, identity, options);
    handle ??= objects.content && groupHandleOf(objects.content);
    for (const { volumeSnapshotContent } of objects.members) {
      if (volumeSnapshotContent !== undefined) {
        contentNames.add(volumeSnapshotContent.metadata.name);
      }
    }
    const contents = await readContents(cluster, contentNames, options);
    const isEmpty =
      objects.groupSnapshot === undefined &&
      objects.content === undefined &&
      objects.members.length === 0 &&
      contents.length === 0;
    const mayCome = late.mayCome(objects);
    if (isEmpty && mayCome) {
      await clock.sleep(pauseMs, options.signal);
      continue;
    }
    if (isEmpty && (isConfirmed || handle === undefined)) {
      return;
    }
    if (isEmpty) {
      isConfirmed = true;
      for (const name of await contentNamesOfGroup(cluster, handle, options)) {
        contentNames.add(name);
      }
      continue;
    }
    await removeSome(request, objects, contents, deletionPolicy, options);
    for (const content of sleepers.among([...contents, objects.content])) {
      const annotations = { 'lifeboat.dev/wake': randomUUID() };
      const reference = groupObjectReference(identity.resources, content);
      await patchIfThere(cluster, reference, { metadata: { annotations } }, options);
    }
    await clock.sleep(pauseMs, options.signal);
  }
}

const pauseMs = 200;
const patienceMs = 1_000;
const lateMs = 2_000;

/**
 * The content of a group that is deleted before it has one: a group has no finalizers until then, and a snapshot-controller that
 * is at work on it makes the content all the same (external-snapshotter 8.7: checkandAddGroupSnapshotFinalizers).
 */
class LateContent {
  readonly #clock: Clock;
  #hasCome = false;
  #untilMs = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Whether a content may still come, as of a look at the objects. */
  mayCome({ groupSnapshot, content }: GroupObjects): boolean {
    const nowMs = this.#clock.now().getTime();
    this.#hasCome ||= content !== undefined;
    if (groupSnapshot !== undefined) {
      this.#untilMs = nowMs + lateMs;
    }
    return !this.#hasCome && nowMs < this.#untilMs;
  }
}

/**
 * Contents that the sidecar may have overlooked: one whose deletion it could not begin because the storage was still cutting.
 * That it has been cut since is a change of an annotation, which the sidecar makes and pays no heed to; any other change makes
 * it look again (seen with external-snapshotter 8.7).
 */
class SleepingContents {
  readonly #clock: Clock;
  readonly #seen = new Map<string, { readonly version: string; readonly sinceMs: number }>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Those that are being deleted and have not changed for a while. Each is counted from anew then. */
  among(contents: readonly (KubernetesObject | undefined)[]): readonly KubernetesObject[] {
    const nowMs = this.#clock.now().getTime();
    return contents
      .filter((content) => content?.metadata.deletionTimestamp !== undefined)
      .filter((content) => content !== undefined)
      .filter(({ metadata: { uid = '', resourceVersion: version = '' } }) => {
        const seen = this.#seen.get(uid);
        const isUnchanged = seen?.version === version;
        const isAsleep = isUnchanged && nowMs - seen.sinceMs >= patienceMs;
        if (!isUnchanged || isAsleep) {
          this.#seen.set(uid, { version, sinceMs: nowMs });
        }
        return isAsleep;
      });
  }
}

async function removeSome(
  { cluster, identity: { resources } }: RemoveGroupObjectsRequest,
  { groupSnapshot, content, members }: GroupObjects,
  contents: readonly KubernetesObject[],
  deletionPolicy: 'Delete' | 'Retain',
  options: CallOptions,
): Promise<void> {
  const remove = async (object: KubernetesObject): Promise<void> => {
    if (object.metadata.deletionTimestamp === undefined) {
      await deleteIfSame(cluster, groupObjectReference(resources, object), object, options);
    }
  };
  const orphans = contents.filter((orphan) => !members.some((member) => owns(member, orphan)));
  for (const each of content === undefined ? contents : [content, ...contents]) {
    const isOrphan = each === content ? groupSnapshot === undefined : orphans.includes(each);
    const patch = patchFor(each, deletionPolicy, isOrphan);
    if (patch !== undefined) {
      await patchIfThere(cluster, groupObjectReference(resources, each), patch, options);
    }
  }
  if (groupSnapshot !== undefined) {
    // The controller deletes the members with it, and refuses to let one go before.
    await remove(groupSnapshot);
    return;
  }
  for (const object of [content, ...members.map((member) => member.volumeSnapshot), ...orphans]) {
    if (object !== undefined) {
      await remove(object);
    }
  }
}

// The marks with which the snapshot-controller tells the sidecar that a content may go (external-snapshotter: pkg/utils/util.go).
const beingDeleted: Readonly<Record<string, string>> = {
  VolumeGroupSnapshotContent:
    'groupsnapshot.storage.kubernetes.io/volumegroupsnapshot-being-deleted',
  VolumeSnapshotContent: 'snapshot.storage.kubernetes.io/volumesnapshot-being-deleted',
};

function patchFor(
  content: KubernetesObject,
  deletionPolicy: 'Delete' | 'Retain',
  isOrphan: boolean,
): JsonObject | undefined {
  const mark = beingDeleted[content.kind] ?? '';
  const needsMark = isOrphan && content.metadata.annotations?.[mark] === undefined;
  const needsPolicy = stringAt(content, ['spec', 'deletionPolicy']) !== deletionPolicy;
  return needsMark || needsPolicy
    ? {
        ...(needsMark ? { metadata: { annotations: { [mark]: 'yes' } } } : {}),
        spec: { deletionPolicy },
      }
    : undefined;
}

function owns(
  { volumeSnapshot }: GroupObjects['members'][number],
  content: KubernetesObject,
): boolean {
  return stringAt(content, ['spec', 'volumeSnapshotRef', 'uid']) === volumeSnapshot.metadata.uid;
}

async function readContents(
  cluster: Cluster,
  names: ReadonlySet<string>,
  options: CallOptions,
): Promise<readonly KubernetesObject[]> {
  const found: KubernetesObject[] = [];
  for (const name of names) {
    const content = await cluster.get({ ...Resources.volumeSnapshotContents, name }, options);
    if (content !== undefined) {
      found.push(content);
    }
  }
  return found;
}

/** The contents that the snapshot-controller has made for a group, also for members that were never seen. */
async function contentNamesOfGroup(
  cluster: Cluster,
  groupSnapshotHandle: string | undefined,
  options: CallOptions,
): Promise<readonly string[]> {
  const names: string[] = [];
  for await (const content of cluster.list(Resources.volumeSnapshotContents, options)) {
    const isDynamic = stringAt(content, ['spec', 'source', 'volumeHandle']) !== undefined;
    const handle = content.metadata.annotations?.[groupHandleAnnotation];
    if (isDynamic && handle === groupSnapshotHandle) {
      names.push(content.metadata.name);
    }
  }
  return names;
}

async function patchIfThere(
  cluster: Cluster,
  reference: ObjectReference,
  patch: JsonObject,
  options: CallOptions,
): Promise<void> {
  try {
    await cluster.patch(reference, { type: 'merge', patch }, options);
  } catch (error) {
    if (!isLifeboatError(error, 'NotFound')) {
      throw error;
    }
  }
}
