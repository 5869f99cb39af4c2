import assert from 'node:assert/strict';
import { rejectsWith } from '../cluster-contract/expectations.ts';
import { defineCase } from './define-case.ts';
import type { ObjectStoreContractCase } from './object-store-contract-context.ts';
import { sampleBytes } from './sample-bodies.ts';

const needed = 'lockableStore';
const retainMs = 60_000;

/** Objects that cannot be deleted. Each case lifts what can be lifted; a retention ends by itself. */
export const lockCases: readonly ObjectStoreContractCase[] = [
  defineCase(
    'an object is not locked unless it was',
    async ({ lockableStore: store, prefix, signal }) => {
      assert.ok(store?.getLock !== undefined && store.putLock !== undefined);
      const key = `${prefix}unlocked`;
      assert.equal(await store.getLock(key, { signal }), undefined);
      await rejectsWith('NotFound', store.putLock(key, { legalHold: true }, { signal }));
      await store.put(key, sampleBytes(10), { signal });
      const lock = await store.getLock(key, { signal });
      assert.equal(lock?.retention, undefined);
      assert.equal(lock?.legalHold, false);
      await store.delete(key, { signal });
    },
    needed,
  ),

  defineCase(
    'a legal hold is set and lifted, and leaves a retention alone',
    async ({ lockableStore: store, prefix, signal }) => {
      assert.ok(store?.getLock !== undefined && store.putLock !== undefined);
      const key = `${prefix}held`;
      await store.put(key, sampleBytes(10), { signal });
      await store.putLock(key, { legalHold: true }, { signal });
      assert.deepEqual(await store.getLock(key, { signal }), {
        retention: undefined,
        legalHold: true,
      });
      const until = new Date(Math.ceil((Date.now() + retainMs) / 1_000) * 1_000);
      const retention = { mode: 'governance', until } as const;
      await store.putLock(key, { retention }, { signal });
      assert.deepEqual(await store.getLock(key, { signal }), { retention, legalHold: true });
      await store.putLock(key, { legalHold: false }, { signal });
      assert.deepEqual(await store.getLock(key, { signal }), { retention, legalHold: false });
    },
    needed,
  ),

  defineCase(
    'a retention in force cannot be shortened',
    async ({ lockableStore: store, prefix, signal }) => {
      assert.ok(store?.putLock !== undefined);
      const key = `${prefix}retained`;
      await store.put(key, sampleBytes(10), { signal });
      const lockUntil = (ms: number): Promise<void> | undefined =>
        store.putLock?.(
          key,
          { retention: { mode: 'compliance', until: new Date(Date.now() + ms) } },
          { signal },
        );
      await lockUntil(retainMs);
      await lockUntil(2 * retainMs);
      await rejectsWith('Retained', Promise.resolve(lockUntil(retainMs / 2)));
    },
    needed,
  ),
];
