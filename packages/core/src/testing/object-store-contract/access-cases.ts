import assert from 'node:assert/strict';
import type { LifeboatErrorCode } from '../../errors.ts';
import type { ObjectStore } from '../../ports/object-store.ts';
import { rejectsWith } from '../cluster-contract/expectations.ts';
import { defineCase } from './define-case.ts';
import type {
  ObjectStoreContractCase,
  ObjectStoreContractContext,
} from './object-store-contract-context.ts';
import { sampleBytes } from './sample-bodies.ts';

/** Checks that every call rejects with a code, and whether a retry may help. */
async function assertEveryCallRejects(
  store: ObjectStore,
  code: LifeboatErrorCode,
  { prefix, signal }: ObjectStoreContractContext,
): Promise<void> {
  const key = `${prefix}object`;
  const errors = [
    await rejectsWith(code, store.put(key, sampleBytes(1), { signal })),
    await rejectsWith(code, store.get(key, { signal })),
    await rejectsWith(code, store.stat(key, { signal })),
    await rejectsWith(code, store.delete(key, { signal })),
    await rejectsWith(code, Array.fromAsync(store.list(prefix, { signal }))),
    await rejectsWith(code, Array.fromAsync(store.listPrefixes(prefix, { signal }))),
  ];
  for (const error of errors) {
    assert.equal(error.retryable, code === 'Unavailable', error.message);
  }
}

/** A store that cannot be used says why. */
export const accessCases: readonly ObjectStoreContractCase[] = [
  defineCase(
    'a closed store rejects every call with Closed',
    async (context) => {
      assert.ok(context.open);
      const store = context.open();
      await store.close();
      await assertEveryCallRejects(store, 'Closed', context);
    },
    'open',
  ),

  defineCase(
    'a store may be closed twice, and by its scope',
    async ({ open }) => {
      assert.ok(open);
      const store = open();
      await store.close();
      await store.close();
      await store[Symbol.asyncDispose]();
      const disposed = open();
      await disposed[Symbol.asyncDispose]();
      await rejectsWith('Closed', disposed.stat('a'));
    },
    'open',
  ),

  defineCase('a store says where it is', async ({ store }) => {
    assert.match(store.location, /^[a-z0-9]+:/);
  }),

  defineCase(
    'missing rights are PermissionDenied, not NotFound',
    async (context) => {
      assert.ok(context.unauthorizedStore);
      await assertEveryCallRejects(context.unauthorizedStore, 'PermissionDenied', context);
    },
    'unauthorizedStore',
  ),

  defineCase(
    'a store that does not answer is Unavailable, and may be tried again',
    async (context) => {
      assert.ok(context.unreachableStore);
      await assertEveryCallRejects(context.unreachableStore, 'Unavailable', context);
    },
    'unreachableStore',
  ),

  defineCase(
    'an upload that failed leaves nothing behind',
    async ({ store, prefix, signal, danglingUploads, partSizeBytes = 65_536 }) => {
      assert.ok(danglingUploads);
      async function* body(): AsyncGenerator<Uint8Array> {
        yield sampleBytes(3 * partSizeBytes);
        throw new Error('the source fails');
      }
      await assert.rejects(store.put(`${prefix}failed`, body(), { signal }));
      assert.equal(await danglingUploads(prefix), 0);
    },
    'danglingUploads',
  ),
];
