/** How one try of a request ended. */
export interface TryOutcome {
  /** Counted from one. */
  readonly tries: number;
  /** How long the tries have taken together, without the pauses between them. */
  readonly spentMs: number;
  /** Repeating it comes to the same: a GET, and a write that names what is to be so in the end. */
  readonly isRepeatable: boolean;
  /** The HTTP status; absent when there was no whole answer. */
  readonly httpStatus?: number | undefined;
  readonly retryAfterMs?: number | undefined;
  /** Whether a request without an answer cannot have reached the server. */
  readonly isUnsent?: boolean | undefined;
  /** Whether trying again may help. */
  readonly retryable?: boolean | undefined;
}

const maximumTries = 5;
const firstDelayMs = 100;
const longestDelayMs = 5_000;
const longestRetryAfterMs = 30_000;
const longestTriesMs = 30_000;

/**
 * How long to wait before a request is tried again, in milliseconds; `undefined` when the outcome is final.
 *
 * - 429, and 503 with Retry-After: the server did not carry the request out, so it is repeated whatever it was.
 * - A connection that was never made is tried again; one that broke, and 500, 502, 503, 504, only for what is repeatable.
 * - The server's Retry-After is kept to unless it is longer than 30 seconds, which the caller should know of. Up to a
 *   fifth is added at random, so that many clients do not come back at once.
 * - Who refuses slowly is not asked for long: a 5xx is final when the tries have taken 30 seconds. An API server that waits for an
 *   aggregated one that does not answer would otherwise cost minutes.
 */
export function retryDelayMs(outcome: TryOutcome, random: () => number): number | undefined {
  if (outcome.tries >= maximumTries || !mayRepeat(outcome)) {
    return undefined;
  }
  const backoffMs = Math.min(firstDelayMs * 2 ** (outcome.tries - 1), longestDelayMs);
  const waitMs = outcome.retryAfterMs ?? backoffMs;
  return waitMs > longestRetryAfterMs ? undefined : Math.round(waitMs * (1 + random() / 5));
}

function mayRepeat({
  spentMs,
  isRepeatable,
  httpStatus,
  retryAfterMs,
  isUnsent,
  retryable,
}: TryOutcome): boolean {
  if (spentMs >= longestTriesMs && httpStatus !== undefined && httpStatus !== 429) {
    return false;
  }
  switch (httpStatus) {
    case undefined:
      return retryable === true && (isRepeatable || isUnsent === true);
    case 429:
      return true;
    case 503:
      return isRepeatable || retryAfterMs !== undefined;
    case 500:
    case 502:
    case 504:
      return isRepeatable;
    default:
      return false;
  }
}
