import { withDeadline } from '../internal/with-deadline.ts';
import type { Clock } from '../ports/clock.ts';
import type { Cluster } from '../ports/cluster.ts';
import type { CallOptions } from '../ports/object-store.ts';
import { deleteIfSame } from './delete-if-same.ts';
import { groupObjectReference } from './group-objects.ts';
import {
  isMadeForHandle,
  type LeftoverGroup,
  objectsOfGroup,
  snapshotsOfGroup,
} from './leftover-group.ts';
import {
  dropFinalizersOf,
  removeLeftoverPair,
  retainIfSame,
  withinRemoval,
} from './leftover-removal.ts';
import { untilGone } from './observe-object.ts';
import { releaseGroupSnapshot } from './release-group-snapshot.ts';
import { removeGroupObjects } from './remove-group-objects.ts';
import { describeSnapshotObject } from './snapshot-failure.ts';

/** What {@link removeLeftoverGroup} and {@link freeLeftoverGroup} work on. */
export interface LeftoverGroupRequest {
  readonly cluster: Cluster;
  readonly clock: Clock;
  readonly group: LeftoverGroup;
  /** The backup as the label of the group names it. */
  readonly backupName: string;
  /** How long the objects may take to go. @default 60000 */
  readonly timeoutMs?: number | undefined;
}

/**
 * Deletes the objects of a group and resolves when they are gone; the storage snapshots stay. Objects that were being deleted
 * already and still do not go lose the finalizers of the snapshot controllers, which nobody seems to serve.
 *
 * @throws {ClusterError} code Conflict, with nothing done, when the group's content has changed since it was read.
 * @throws {LifeboatError} code SnapshotFailed when the objects are still there after `timeoutMs`.
 */
export async function removeLeftoverGroup(
  request: LeftoverGroupRequest,
  { signal }: CallOptions = {},
): Promise<void> {
  const { cluster, clock, group, timeoutMs = defaultTimeoutMs } = request;
  await within(request, signal, async (workSignal) => {
    await retainContent(request, workSignal);
    if (isBeingDeleted(group)) {
      using patience = withDeadline(workSignal, timeoutMs / 2, clock);
      try {
        await removeObjects(request, patience.signal);
        return;
      } catch (error) {
        if (!patience.expired) {
          throw error;
        }
      }
      for (const object of objectsOfGroup(group)) {
        const resource = groupObjectReference(group.resources, object);
        await dropFinalizersOf(cluster, resource, object, workSignal);
      }
    }
    await removeObjects(request, workSignal);
  });
}

/**
 * Frees the storage snapshots of a group, whether they are cut already or about to be, then deletes the objects, and resolves
 * when all of them are gone.
 *
 * @throws {ClusterError} code Conflict, with nothing done, when the group's content has changed since it was read.
 * @throws {LifeboatError} code SnapshotFailed when the driver did not free them, or the objects are still there after
 * `timeoutMs`.
 */
export async function freeLeftoverGroup(
  request: LeftoverGroupRequest,
  { signal }: CallOptions = {},
): Promise<void> {
  const { cluster, clock, group, backupName, timeoutMs } = request;
  const { resources, identity } = group;
  const { driver, groupSnapshotHandle, snapshotHandles } = snapshotsOfGroup(group) ?? {};
  if (driver === undefined || snapshotHandles === undefined || groupSnapshotHandle === undefined) {
    await within(request, signal, async (workSignal) => {
      if (identity !== undefined) {
        const what = { cluster, clock, identity, deletionPolicy: 'Delete' } as const;
        await removeGroupObjects(what, { signal: workSignal });
      }
    });
    return;
  }
  await retainContent(request, signal);
  await releaseGroupSnapshot(
    {
      ...{ cluster, clock, resources, backupName, timeoutMs },
      ...{ driver, groupSnapshotHandle, snapshotHandles },
    },
    { signal },
  );
  await within(request, signal, (workSignal) => removeObjects(request, workSignal));
}

const defaultTimeoutMs = 60_000;

function within(
  { clock, group, timeoutMs = defaultTimeoutMs }: LeftoverGroupRequest,
  signal: AbortSignal | undefined,
  work: (signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const target = objectsOfGroup(group).map(describeSnapshotObject).join(' and ');
  return withinRemoval({ clock, timeoutMs, target }, signal, work);
}

async function retainContent(
  { cluster, group: { content, resources } }: LeftoverGroupRequest,
  signal: AbortSignal | undefined,
): Promise<void> {
  if (content !== undefined) {
    await retainIfSame(cluster, resources.contents, content, signal);
  }
}

async function removeObjects(
  { cluster, clock, group, backupName, timeoutMs }: LeftoverGroupRequest,
  signal: AbortSignal,
): Promise<void> {
  const { content, identity, orphans, resources } = group;
  if (content !== undefined && isMadeForHandle(content)) {
    await deleteIfSame(cluster, groupObjectReference(resources, content), content, { signal });
    await untilGone(cluster, resources.contents, content, { signal });
  }
  if (identity !== undefined) {
    await removeGroupObjects({ cluster, clock, identity, deletionPolicy: 'Retain' }, { signal });
  }
  for (const volumeSnapshotContent of orphans) {
    const live = await cluster.get(groupObjectReference(resources, volumeSnapshotContent), {
      signal,
    });
    if (live !== undefined && live.metadata.uid === volumeSnapshotContent.metadata.uid) {
      const pair = { volumeSnapshotContent: live };
      await removeLeftoverPair({ cluster, clock, pair, backupName, timeoutMs }, { signal });
    }
  }
}

function isBeingDeleted(group: LeftoverGroup): boolean {
  return objectsOfGroup(group).some(
    ({ metadata: { deletionTimestamp } }) => deletionTimestamp !== undefined,
  );
}
