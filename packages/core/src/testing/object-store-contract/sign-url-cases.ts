import assert from 'node:assert/strict';
import { rejectsWith } from '../cluster-contract/expectations.ts';
import { defineCase } from './define-case.ts';
import type { ObjectStoreContractCase } from './object-store-contract-context.ts';
import { assertSameBytes, sampleBytes } from './sample-bodies.ts';

/** URLs that anyone can read an object with. */
export const signUrlCases: readonly ObjectStoreContractCase[] = [
  defineCase(
    'a signed URL reads the object without credentials',
    async ({ store, prefix, signal }) => {
      const key = `${prefix}signed +&?#%.json`;
      const bytes = sampleBytes(1_000);
      await store.put(key, bytes, { signal });
      const url = await store.signUrl?.(key, { signal });
      assert.ok(url !== undefined, 'there is no URL');
      const response = await fetch(url, { signal });
      assert.equal(response.status, 200);
      assertSameBytes(await response.bytes(), bytes);
    },
    'signUrl',
  ),

  defineCase(
    'a signed URL of a missing object can be made, and reads nothing',
    async ({ store, prefix, signal }) => {
      const url = await store.signUrl?.(`${prefix}missing`, { expiresInMs: 60_000, signal });
      assert.ok(url !== undefined, 'there is no URL');
      const response = await fetch(url, { signal });
      await response.body?.cancel();
      assert.equal(response.status, 404);
    },
    'signUrl',
  ),

  defineCase(
    'a key that could leave its prefix gets no URL',
    async ({ store, signal }) => {
      assert.ok(store.signUrl !== undefined);
      await rejectsWith('InvalidConfig', store.signUrl('../escaped', { signal }));
    },
    'signUrl',
  ),
];
