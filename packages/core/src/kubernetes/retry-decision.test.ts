import { describe, expect, it } from 'vitest';
import { retryDelayMs } from './retry-decision.ts';

const never = (): number => 0;

describe('retryDelayMs', () => {
  it.each([
    ['200', { httpStatus: 200 }, true, undefined],
    ['404', { httpStatus: 404 }, true, undefined],
    ['500 of a read', { httpStatus: 500 }, true, 100],
    ['500 of a write', { httpStatus: 500 }, false, undefined],
    ['429 of a read', { httpStatus: 429 }, true, 100],
    ['429 of a write', { httpStatus: 429 }, false, 100],
    ['429 with Retry-After', { httpStatus: 429, retryAfterMs: 2_000 }, false, 2_000],
    [
      '429 with a Retry-After of a minute',
      { httpStatus: 429, retryAfterMs: 60_000 },
      true,
      undefined,
    ],
    ['503 of a read', { httpStatus: 503 }, true, 100],
    ['503 of a write', { httpStatus: 503 }, false, undefined],
    ['503 of a write with Retry-After', { httpStatus: 503, retryAfterMs: 1_000 }, false, 1_000],
    ['502 of a read', { httpStatus: 502 }, true, 100],
    ['504 of a write', { httpStatus: 504 }, false, undefined],
    ['503 that took nearly 30 s', { httpStatus: 503, spentMs: 29_999 }, true, 100],
    ['503 that took 30 s', { httpStatus: 503, spentMs: 30_000 }, true, undefined],
    ['504 that took a minute', { httpStatus: 504, spentMs: 60_000 }, true, undefined],
    ['429 that took a minute', { httpStatus: 429, spentMs: 60_000 }, true, 100],
    ['a connection that broke after 30 s', { retryable: true, spentMs: 30_000 }, true, 100],
    ['a broken connection of a read', { isUnsent: false, retryable: true }, true, 100],
    ['a broken connection of a write', { isUnsent: false, retryable: true }, false, undefined],
    ['a write that was never sent', { isUnsent: true, retryable: true }, false, 100],
    ['a certificate that is not accepted', { isUnsent: true, retryable: false }, true, undefined],
  ])('%s', (_name, outcome, isRepeatable, delayMs) => {
    expect(retryDelayMs({ tries: 1, spentMs: 0, isRepeatable, ...outcome }, never)).toBe(delayMs);
  });

  it('the pause doubles, and after five tries the outcome is final', () => {
    const delays = [1, 2, 3, 4, 5].map((tries) =>
      retryDelayMs({ tries, spentMs: 0, isRepeatable: true, httpStatus: 429 }, never),
    );
    expect(delays).toEqual([100, 200, 400, 800, undefined]);
  });

  it('up to a fifth is added at random, never taken away', () => {
    const outcome = {
      tries: 1,
      spentMs: 0,
      isRepeatable: true,
      httpStatus: 429,
      retryAfterMs: 1_000,
    };
    expect(retryDelayMs(outcome, () => 0)).toBe(1_000);
    expect(retryDelayMs(outcome, () => 0.999)).toBe(1_200);
  });
});
