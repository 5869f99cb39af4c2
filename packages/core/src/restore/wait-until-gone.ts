import { withDeadline } from '../internal/with-deadline.ts';
import type { ObjectReference } from '../model/kubernetes.ts';
import type { Clock } from '../ports/clock.ts';
import type { Cluster } from '../ports/cluster.ts';

/** What {@link waitUntilGone} works with. */
export interface WaitUntilGoneOptions {
  readonly cluster: Cluster;
  readonly clock: Clock;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/** Waits, through a watch, until an object that is being deleted is not there any more; `false` when it still is after the timeout. */
export async function waitUntilGone(
  reference: ObjectReference,
  { cluster, clock, timeoutMs, signal }: WaitUntilGoneOptions,
): Promise<boolean> {
  const { namespace, name } = reference;
  using deadline = withDeadline(signal, timeoutMs, clock);
  try {
    const events = cluster.watch(reference, {
      namespace,
      fieldSelector: `metadata.name=${name}`,
      signal: deadline.signal,
    });
    for await (const event of events) {
      if (event.type === 'deleted') {
        return true;
      }
      const isSynced = event.type === 'synced';
      if (isSynced && (await cluster.get(reference, { signal })) === undefined) {
        return true;
      }
    }
  } catch (error) {
    if (!deadline.expired) {
      throw error;
    }
  }
  return false;
}
