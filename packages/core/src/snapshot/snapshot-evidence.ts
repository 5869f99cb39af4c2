import { withDeadline } from '../internal/with-deadline.ts';
import type { KubernetesObject } from '../model/kubernetes.ts';
import { Resources } from '../model/resources.ts';
import type { Clock } from '../ports/clock.ts';
import type { Cluster } from '../ports/cluster.ts';
import type { CallOptions } from '../ports/object-store.ts';
import type { SnapshotEvidence } from './diagnose.ts';
import type { TrackedSnapshot } from './tracked-snapshot.ts';

// It is only an explanation: nobody waits long for it.
const longestMs = 5_000;

/**
 * Gathers what there is to judge a snapshot by. What may not be read, or cannot be at present, is left out. Aborted: rejects
 * with `signal.reason`.
 */
export async function gatherSnapshotEvidence(
  { cluster, clock }: { readonly cluster: Cluster; readonly clock: Clock },
  {
    tracked,
    driver,
  }: {
    readonly tracked: Pick<TrackedSnapshot, 'volumeSnapshot' | 'volumeSnapshotContent'>;
    readonly driver: string;
  },
  { signal }: CallOptions,
): Promise<SnapshotEvidence> {
  using deadline = withDeadline(signal, longestMs, clock);
  const { volumeSnapshot, volumeSnapshotContent } = tracked;
  const orUnknown = async <T>(read: Promise<T>): Promise<T | undefined> => {
    try {
      return await read;
    } catch {
      signal?.throwIfAborted();
      return undefined;
    }
  };
  const events =
    volumeSnapshot && (await orUnknown(eventsOf(cluster, volumeSnapshot, deadline.signal)));
  const driverIsRegistered = await orUnknown(
    cluster
      .get({ ...Resources.csiDrivers, name: driver }, { signal: deadline.signal })
      .then((found) => found !== undefined),
  );
  return { driver, volumeSnapshot, volumeSnapshotContent, events, driverIsRegistered };
}

function eventsOf(
  cluster: Cluster,
  { metadata: { namespace, uid } }: KubernetesObject,
  signal: AbortSignal,
): Promise<readonly KubernetesObject[]> {
  const fieldSelector = `involvedObject.uid=${uid ?? ''}`;
  return Array.fromAsync(cluster.list(Resources.events, { namespace, fieldSelector, signal }));
}
