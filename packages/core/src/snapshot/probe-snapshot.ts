import { randomUUID } from 'node:crypto';
import { messageOf } from '../errors.ts';
import { withDeadline } from '../internal/with-deadline.ts';
import type { KubernetesObject, ObjectReference } from '../model/kubernetes.ts';
import { LifeboatLabel, labelValueOf, VeleroLabel } from '../model/labels.ts';
import { booleanAt } from '../model/object-path.ts';
import { Resources } from '../model/resources.ts';
import type { Clock } from '../ports/clock.ts';
import type { Cluster } from '../ports/cluster.ts';
import type { CallOptions } from '../ports/object-store.ts';
import { isSnapshotNotFound } from './driver-error.ts';
import { observeObject } from './observe-object.ts';
import { errorOf } from './snapshot-step.ts';
import { staticContentManifest } from './static-pair.ts';

/** Which storage snapshot to look for. */
export interface ProbeSnapshotRequest {
  readonly cluster: Cluster;
  readonly clock: Clock;
  readonly backupName: string;
  readonly driver: string;
  readonly snapshotHandle: string;
  /** The content as the backup holds it: it may name the Secret that the driver needs. */
  readonly volumeSnapshotContent?: KubernetesObject | undefined;
  /** The VolumeSnapshotClasses of the cluster. */
  readonly volumeSnapshotClasses: readonly KubernetesObject[];
  /** How long the driver may take. */
  readonly timeoutMs: number;
}

/** What a look at the storage has shown. `unknown`: nobody answered, and `reason` says why that may be. */
export type SnapshotProbe =
  | { readonly state: 'found' }
  | { readonly state: 'missing' | 'unknown'; readonly reason: string };

const cleanUpTimeoutMs = 30_000;

/**
 * Asks the driver of a storage snapshot whether it is there: a temporary VolumeSnapshotContent with policy Retain is created for
 * its handle, which makes the driver's sidecar look, and deleted again, which keeps the snapshot.
 *
 * A driver that cannot list snapshots says of every handle that it is there. Aborted: the content is removed all the same.
 */
export async function probeSnapshot(
  request: ProbeSnapshotRequest,
  { signal }: CallOptions,
): Promise<SnapshotProbe> {
  const { cluster, clock, driver, timeoutMs } = request;
  const name = `lifeboat-probe-${randomUUID()}`;
  const resource = Resources.volumeSnapshotContents;
  const reference = { ...resource, name };
  using deadline = withDeadline(signal, timeoutMs, clock);
  try {
    await cluster.create(resource, contentFor(request, name), { signal: deadline.signal });
    return await untilAnswered(cluster, reference, deadline.signal);
  } catch (error) {
    signal?.throwIfAborted();
    const reason = deadline.expired
      ? `nothing looked for it within ${timeoutMs / 1000} s: check that the csi-snapshotter sidecar of driver ${driver} is running`
      : messageOf(error);
    return { state: 'unknown', reason };
  } finally {
    using removal = withDeadline(undefined, cleanUpTimeoutMs, clock);
    await cluster.delete(reference, { signal: removal.signal }).catch(() => undefined);
  }
}

function contentFor(
  { backupName, driver, snapshotHandle, volumeSnapshotContent, ...request }: ProbeSnapshotRequest,
  name: string,
): ReturnType<typeof staticContentManifest> {
  return staticContentManifest({
    name,
    driver,
    snapshotHandle,
    deletionPolicy: 'Retain',
    // It must refer to a VolumeSnapshot, and to none that could ever exist.
    volumeSnapshotRef: { namespace: name, name },
    labels: {
      [VeleroLabel.backupName]: labelValueOf(backupName),
      [LifeboatLabel.run]: name.slice('lifeboat-probe-'.length),
    },
    origin: volumeSnapshotContent,
    classes: request.volumeSnapshotClasses,
  });
}

async function untilAnswered(
  cluster: Cluster,
  reference: ObjectReference,
  signal: AbortSignal,
): Promise<SnapshotProbe> {
  for await (const content of observeObject(cluster, reference, { signal })) {
    if (content === undefined) {
      return {
        state: 'unknown',
        reason: 'the content that asks for it was deleted by someone else',
      };
    }
    const error = errorOf(content);
    if (booleanAt(content, ['status', 'readyToUse']) === true) {
      return { state: 'found' };
    }
    if (error !== undefined) {
      return { state: isSnapshotNotFound(error) ? 'missing' : 'unknown', reason: error };
    }
  }
  return { state: 'unknown', reason: 'the watch ended' };
}
