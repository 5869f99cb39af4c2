import { isLifeboatError } from '../errors.ts';
import type { ConcurrencyWindow } from '../internal/concurrency-window.ts';
import type { Clock } from '../ports/clock.ts';
import type { Cluster, ObjectCallOptions } from '../ports/cluster.ts';

/** What {@link pacedCluster} works with. */
export interface PacedClusterOptions {
  readonly cluster: Cluster;
  readonly clock: Clock;
  /** Told of every request that was taken, and of every one that was refused. */
  readonly window: ConcurrencyWindow;
}

const maximumTries = 8;
const firstDelayMs = 1_000;
const longestDelayMs = 30_000;

/**
 * A view of a cluster that is patient with an overloaded API server: a request refused with RateLimited, which was not carried
 * out, is sent again when the server's time or a growing delay is over, and narrows the window. So does one that the cluster sends
 * again by itself. Lists and watches are passed on.
 */
export function pacedCluster({ cluster, clock, window }: PacedClusterOptions): Cluster {
  const patiently = async <T, Options extends ObjectCallOptions>(
    send: (options: Options | ObjectCallOptions) => Promise<T>,
    options?: Options,
  ): Promise<T> => {
    for (let tries = 1; ; tries += 1) {
      let { epoch } = window;
      const onRateLimited = (): void => {
        window.refused(epoch);
        ({ epoch } = window);
        options?.onRateLimited?.();
      };
      try {
        const answer = await send({ ...options, onRateLimited });
        window.succeeded();
        return answer;
      } catch (error) {
        if (!isLifeboatError(error, 'RateLimited')) {
          throw error;
        }
        window.refused(epoch);
        if (tries === maximumTries) {
          throw error;
        }
        const backoffMs = Math.min(firstDelayMs * 2 ** (tries - 1), longestDelayMs);
        await clock.sleep(error.retryAfterMs ?? backoffMs, options?.signal);
      }
    }
  };
  return {
    location: cluster.location,
    version: (options) => cluster.version(options),
    discover: (options) => cluster.discover(options),
    get: (reference, options) => patiently((told) => cluster.get(reference, told), options),
    list: (resource, options) => cluster.list(resource, options),
    watch: (resource, options) => cluster.watch(resource, options),
    create: (resource, manifest, options) =>
      patiently((told) => cluster.create(resource, manifest, told), options),
    patch: (reference, patch, options) =>
      patiently((told) => cluster.patch(reference, patch, told), options),
    delete: (reference, options) => patiently((told) => cluster.delete(reference, told), options),
    close: () => cluster.close(),
    [Symbol.asyncDispose]: () => cluster.close(),
  };
}
