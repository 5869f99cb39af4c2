import { messageOf } from '../errors.ts';
import type { AdaptivePool } from '../internal/adaptive-pool.ts';
import { unlessAborted } from '../internal/unless-aborted.ts';
import { withDeadline } from '../internal/with-deadline.ts';
import type { ResourceIdentifier } from '../model/kubernetes.ts';
import type { Clock } from '../ports/clock.ts';
import type { RestoreItemOutput } from '../ports/item-action.ts';

/** What {@link awaitAdditionalItems} works with. */
export interface AwaitAdditionalItemsOptions {
  readonly areReady: NonNullable<RestoreItemOutput['areAdditionalItemsReady']>;
  /** What is asked about. */
  readonly additionalItems: readonly ResourceIdentifier[];
  /** @default 600000 */
  readonly timeoutMs: number | undefined;
  readonly clock: Clock;
  /** Has begun the work that waits. */
  readonly pool: Pick<AdaptivePool, 'pause'>;
  readonly signal: AbortSignal;
}

// As often, and by default as long, as Velero asks (`--resource-timeout`).
const intervalMs = 1_000;
const defaultTimeoutMs = 600_000;

/**
 * Asks an item action whether what it has had restored is ready, at once and then every second, until it is. Resolves with what went
 * wrong, for people; `undefined` when nothing did. Rejects only when aborted.
 */
export async function awaitAdditionalItems({
  areReady,
  additionalItems,
  timeoutMs = defaultTimeoutMs,
  clock,
  pool,
  signal,
}: AwaitAdditionalItemsOptions): Promise<string | undefined> {
  using deadline = withDeadline(signal, timeoutMs, clock);
  const input = { additionalItems, signal: deadline.signal };
  try {
    while (!(await unlessAborted(areReady(input), deadline.signal))) {
      await pool.pause(() => clock.sleep(intervalMs, deadline.signal));
    }
    return undefined;
  } catch (error) {
    signal.throwIfAborted();
    return deadline.expired
      ? `not ready after ${timeoutMs} ms`
      : `not known to be ready: ${messageOf(error)}`;
  }
}
