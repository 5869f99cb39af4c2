import assert from 'node:assert/strict';
import { isLifeboatError } from '../../errors.ts';
import { rejectsWith, rejectsWithReason } from '../cluster-contract/expectations.ts';
import { defineCase } from './define-case.ts';
import type { ObjectStoreContractCase } from './object-store-contract-context.ts';
import {
  assertSameBytes,
  failingStream,
  keysBelow,
  readObject,
  sampleBytes,
  streamOf,
} from './sample-bodies.ts';

const racers = 8;

/** A conditional write, which the claim on a backup's name stands on. */
export const conditionalCases: readonly ObjectStoreContractCase[] = [
  defineCase(
    'ifAbsent creates, and rejects with AlreadyExists the second time',
    async ({ store, prefix, signal }) => {
      const key = `${prefix}claimed`;
      const first = sampleBytes(100, 1);
      await store.put(key, first, { ifAbsent: true, signal });
      for (const body of [sampleBytes(100, 2), streamOf(sampleBytes(200, 3))]) {
        const put = store.put(key, body, { ifAbsent: true, signal });
        const error = await rejectsWith('AlreadyExists', put);
        assert.equal(error.target, key);
        assert.equal(error.retryable, false);
      }
      assertSameBytes(await readObject(store, key, { signal }), first);
    },
    'ifAbsent',
  ),

  defineCase(
    'of racing writers with ifAbsent exactly one wins',
    async ({ store, prefix, signal }) => {
      for (const kind of ['bytes', 'stream']) {
        const key = `${prefix}raced-${kind}`;
        const bodies = Array.from({ length: racers }, (_, index) => sampleBytes(5_000, index + 1));
        const outcomes = await Promise.allSettled(
          bodies.map((bytes) => {
            const body = kind === 'bytes' ? bytes : streamOf(bytes);
            return store.put(key, body, { ifAbsent: true, signal });
          }),
        );
        const winners = bodies.filter((_, index) => outcomes[index]?.status === 'fulfilled');
        assert.equal(winners.length, 1, `${winners.length} writers have won`);
        for (const outcome of outcomes) {
          assert.ok(
            outcome.status === 'fulfilled' || isLifeboatError(outcome.reason, 'AlreadyExists'),
            'a loser was not told AlreadyExists',
          );
        }
        const [winner = sampleBytes(0)] = winners;
        assertSameBytes(await readObject(store, key, { signal }), winner);
      }
    },
    'ifAbsent',
  ),

  defineCase(
    'ifAbsent creates again what was deleted',
    async ({ store, prefix, signal }) => {
      const key = `${prefix}again`;
      await store.put(key, sampleBytes(10, 1), { ifAbsent: true, signal });
      await store.delete(key, { signal });
      await store.put(key, sampleBytes(10, 2), { ifAbsent: true, signal });
      assertSameBytes(await readObject(store, key, { signal }), sampleBytes(10, 2));
    },
    'ifAbsent',
  ),

  defineCase(
    'ifAbsent with a failing source leaves the key free',
    async ({ store, prefix, signal }) => {
      const key = `${prefix}free`;
      const failure = new Error('the source fails');
      const body = failingStream(sampleBytes(100), failure);
      await rejectsWithReason(failure, store.put(key, body, { ifAbsent: true, signal }));
      assert.deepEqual(await keysBelow(store, prefix, signal), []);
      await store.put(key, sampleBytes(10), { ifAbsent: true, signal });
    },
    'ifAbsent',
  ),
];
