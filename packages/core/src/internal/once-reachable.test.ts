import { expect, it } from 'vitest';
import { ClusterError } from '../errors.ts';
import { onceReachable } from './once-reachable.ts';

const unreachable = new ClusterError('connection refused', {
  code: 'Unavailable',
  operation: 'Cluster.get',
  retryable: true,
});
const answered = new ClusterError('busy', {
  code: 'Unavailable',
  operation: 'Cluster.get',
  retryable: true,
  httpStatus: 503,
});

function failing(...errors: readonly unknown[]): {
  readonly calls: () => number;
  readonly work: () => Promise<void>;
} {
  let calls = 0;
  return {
    calls: () => calls,
    work: async () => {
      calls += 1;
      if (calls <= errors.length) {
        throw errors[calls - 1];
      }
    },
  };
}

const instantClock = {
  now: () => new Date(0),
  sleep: async (_ms: number, signal?: AbortSignal) => signal?.throwIfAborted(),
};

it('begins again while the server is out of reach', async () => {
  const { calls, work } = failing(unreachable, unreachable);
  await onceReachable(work, instantClock, new AbortController().signal);
  expect(calls()).toBe(3);
});

it('throws any other failure at once', async () => {
  const { calls, work } = failing(unreachable, answered);
  await expect(onceReachable(work, instantClock, new AbortController().signal)).rejects.toBe(
    answered,
  );
  expect(calls()).toBe(2);
});

it('gives up with the reason of the signal', async () => {
  const reason = new Error('time is up');
  const { work } = failing(unreachable, unreachable);
  await expect(onceReachable(work, instantClock, AbortSignal.abort(reason))).rejects.toBe(reason);
});
