import assert from 'node:assert/strict';
import { ObjectStoreError } from '../../errors.ts';
import { rejectsWith } from '../cluster-contract/expectations.ts';
import { defineCase } from './define-case.ts';
import type { ObjectStoreContractCase } from './object-store-contract-context.ts';
import {
  assertRoundTrip,
  assertSameBytes,
  keysBelow,
  readObject,
  sampleBytes,
  streamOf,
} from './sample-bodies.ts';

const defaultPartSizeBytes = 65_536;

function sizesAround(partSizeBytes: number): readonly number[] {
  return [0, 1, partSizeBytes - 1, partSizeBytes, partSizeBytes + 1, 3 * partSizeBytes];
}

/** What is put is what is read. */
export const readWriteCases: readonly ObjectStoreContractCase[] = [
  defineCase('reading a missing object is NotFound', async ({ store, prefix, signal }) => {
    const key = `${prefix}missing`;
    const error = await rejectsWith('NotFound', store.get(key, { signal }));
    assert.equal(error.target, key);
    assert.equal(error.operation, 'ObjectStore.get');
    assert.equal(error.retryable, false);
    assert.equal(error.name, ObjectStoreError.prototype.name);
  }),

  defineCase('a missing object has no stat', async ({ store, prefix, signal }) => {
    assert.equal(await store.stat(`${prefix}missing`, { signal }), undefined);
  }),

  defineCase('deleting a missing object succeeds', async ({ store, prefix, signal }) => {
    await store.delete(`${prefix}missing`, { signal });
  }),

  defineCase(
    'bytes of any size are read back the same',
    async ({ store, prefix, signal, partSizeBytes = defaultPartSizeBytes }) => {
      for (const sizeBytes of sizesAround(partSizeBytes)) {
        await assertRoundTrip(store, `${prefix}${sizeBytes}`, sampleBytes(sizeBytes), signal);
      }
    },
  ),

  defineCase(
    'a stream of any size is read back the same',
    async ({ store, prefix, signal, partSizeBytes = defaultPartSizeBytes }) => {
      for (const sizeBytes of sizesAround(partSizeBytes)) {
        const bytes = sampleBytes(sizeBytes);
        await assertRoundTrip(store, `${prefix}${sizeBytes}`, bytes, signal, streamOf(bytes));
      }
    },
  ),

  defineCase('a put replaces the whole object', async ({ store, prefix, signal }) => {
    const key = `${prefix}replaced`;
    await assertRoundTrip(store, key, sampleBytes(5_000, 1), signal);
    await assertRoundTrip(store, key, sampleBytes(50, 2), signal);
    assert.deepEqual(await keysBelow(store, prefix, signal), [key]);
  }),

  defineCase('a content type is kept or not told', async ({ store, prefix, signal }) => {
    const key = `${prefix}typed.json`;
    await store.put(key, sampleBytes(10), { contentType: 'application/json', signal });
    const stat = await store.stat(key, { signal });
    assert.ok(stat?.contentType === undefined || stat.contentType === 'application/json');
  }),

  defineCase('a date is that of the write or not told', async ({ store, prefix, signal }) => {
    const key = `${prefix}dated`;
    const dayMs = 24 * 3_600_000;
    await store.put(key, sampleBytes(10), { signal });
    const stat = await store.stat(key, { signal });
    const ageMs = Date.now() - (stat?.lastModified ?? new Date()).getTime();
    assert.ok(Math.abs(ageMs) < dayMs, `the object is dated ${ageMs} ms ago`);
  }),

  defineCase('a range reads the bytes it names', async ({ store, prefix, signal }) => {
    const key = `${prefix}ranged`;
    const bytes = sampleBytes(1_000);
    await store.put(key, bytes, { signal });
    const ranges = [
      { start: 0 },
      { start: 0, end: 0 },
      { start: 10, end: 19 },
      { start: 990 },
      { start: 999, end: 999 },
      { start: 990, end: 5_000 },
    ];
    for (const range of ranges) {
      const read = await readObject(store, key, { range, signal });
      assertSameBytes(read, bytes.subarray(range.start, (range.end ?? 999) + 1));
    }
  }),

  defineCase('a range behind the end reads nothing', async ({ store, prefix, signal }) => {
    for (const [name, sizeBytes] of [
      ['empty', 0],
      ['short', 10],
    ] as const) {
      await store.put(prefix + name, sampleBytes(sizeBytes), { signal });
      const range = { start: sizeBytes };
      const read = await readObject(store, prefix + name, { range, signal });
      assert.equal(read.byteLength, 0);
    }
  }),

  defineCase('a deleted object is gone at once', async ({ store, prefix, signal }) => {
    const key = `${prefix}deleted`;
    await store.put(key, sampleBytes(10), { signal });
    await store.delete(key, { signal });
    assert.equal(await store.stat(key, { signal }), undefined);
    await rejectsWith('NotFound', store.get(key, { signal }));
    assert.deepEqual(await keysBelow(store, prefix, signal), []);
    await assertRoundTrip(store, key, sampleBytes(20, 2), signal);
  }),

  defineCase('writers side by side do not mix', async ({ store, prefix, signal }) => {
    const seeds = Array.from({ length: 8 }, (_, index) => index + 1);
    await Promise.all(
      seeds.map(async (seed) => {
        const bytes = sampleBytes(30_000, seed);
        await assertRoundTrip(store, `${prefix}w/${seed}`, bytes, signal, streamOf(bytes));
      }),
    );
    const keys = seeds.map((seed) => `${prefix}w/${seed}`);
    assert.deepEqual(await keysBelow(store, prefix, signal), keys);
  }),

  defineCase(
    'writers of one key leave the object of one of them',
    async ({ store, prefix, signal }) => {
      const key = `${prefix}contended`;
      const bodies = [1, 2, 3, 4].map((seed) => sampleBytes(40_000, seed));
      await Promise.all(bodies.map((bytes) => store.put(key, streamOf(bytes), { signal })));
      const read = Buffer.from(await readObject(store, key, { signal }));
      assert.ok(
        bodies.some((bytes) => read.equals(bytes)),
        'the object is a mixture',
      );
    },
  ),

  defineCase(
    'what a reader does to its bytes does not change the object',
    async ({ store, prefix, signal }) => {
      const key = `${prefix}safe`;
      const bytes = sampleBytes(100);
      const given = Uint8Array.from(bytes);
      await store.put(key, given, { signal });
      given.fill(0);
      for await (const chunk of await store.get(key, { signal })) {
        chunk.fill(0);
      }
      assertSameBytes(await readObject(store, key, { signal }), bytes);
    },
  ),
];
