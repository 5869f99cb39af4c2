import assert from 'node:assert/strict';
import { runAll } from '../../internal/run-all.ts';
import { compareCodePoints } from '../../model/json.ts';
import type { ObjectStore } from '../../ports/object-store.ts';
import { rejectsWithReason } from '../cluster-contract/expectations.ts';
import { defineCase } from './define-case.ts';
import type { ObjectStoreContractCase } from './object-store-contract-context.ts';
import { keysBelow, sampleBytes } from './sample-bodies.ts';

const defaultPageSize = 1_000;
const writers = 16;

async function putAll(
  store: ObjectStore,
  prefix: string,
  names: readonly string[],
  signal: AbortSignal,
): Promise<void> {
  await runAll(
    names,
    (name, siblingSignal) => store.put(prefix + name, sampleBytes(3), { signal: siblingSignal }),
    { concurrency: writers, signal },
  );
}

async function prefixesBelow(
  store: ObjectStore,
  prefix: string,
  signal: AbortSignal,
): Promise<readonly string[]> {
  return Array.fromAsync(store.listPrefixes(prefix, { signal }));
}

/** Lists are exact, ordered and lazy. */
export const listCases: readonly ObjectStoreContractCase[] = [
  defineCase('a prefix without objects lists nothing', async ({ store, prefix, signal }) => {
    assert.deepEqual(await keysBelow(store, `${prefix}none/`, signal), []);
    assert.deepEqual(await prefixesBelow(store, `${prefix}none/`, signal), []);
  }),

  defineCase('a list is in key order, through all levels', async ({ store, prefix, signal }) => {
    const names = ['a/z', 'a-b', 'a.b', 'a0', 'a/a/a', 'B', 'b', 'é', 'z', '\u{1f6f6}', '\ufb00'];
    await putAll(store, prefix, names, signal);
    assert.deepEqual(
      await keysBelow(store, prefix, signal),
      names.map((name) => prefix + name).sort(compareCodePoints),
    );
  }),

  defineCase('a list tells sizes', async ({ store, prefix, signal }) => {
    await store.put(`${prefix}seven`, sampleBytes(7), { signal });
    await store.put(`${prefix}zero`, sampleBytes(0), { signal });
    const sizes = await Array.fromAsync(store.list(prefix, { signal }), (stat) => stat.sizeBytes);
    assert.deepEqual(sizes, [7, 0]);
  }),

  defineCase('a list leaves out sibling prefixes', async ({ store, prefix, signal }) => {
    await putAll(store, prefix, ['foo/1', 'foobar/2', 'foo-3', 'fo/4'], signal);
    assert.deepEqual(await keysBelow(store, `${prefix}foo/`, signal), [`${prefix}foo/1`]);
    assert.deepEqual(await prefixesBelow(store, `${prefix}foo/`, signal), []);
  }),

  defineCase(
    'a list longer than a page has each key once',
    async ({ store, prefix, signal, pageSize = defaultPageSize }) => {
      const names = Array.from({ length: pageSize + 5 }, (_, index) => `${10_000 + index}`);
      await putAll(store, prefix, names, signal);
      const keys = await keysBelow(store, prefix, signal);
      assert.equal(keys.length, names.length);
      assert.deepEqual(
        keys,
        names.map((name) => prefix + name),
      );
    },
  ),

  defineCase(
    'prefixes on more than a page are each listed once',
    async ({ store, prefix, signal, pageSize = defaultPageSize }) => {
      const names = Array.from({ length: pageSize + 5 }, (_, index) => `${10_000 + index}/x`);
      await putAll(store, prefix, names, signal);
      assert.deepEqual(
        await prefixesBelow(store, prefix, signal),
        names.map((name) => prefix + name.slice(0, -1)),
      );
    },
  ),

  defineCase('prefixes are the first level, each once', async ({ store, prefix, signal }) => {
    const names = ['a/x/1', 'a/x/2', 'a/y', 'a/z/deep/3', 'b/1', 'c'];
    await putAll(store, prefix, names, signal);
    assert.deepEqual(await prefixesBelow(store, `${prefix}a/`, signal), [
      `${prefix}a/x/`,
      `${prefix}a/z/`,
    ]);
    assert.deepEqual(await prefixesBelow(store, prefix, signal), [`${prefix}a/`, `${prefix}b/`]);
  }),

  defineCase('a prefix goes with the last object below it', async ({ store, prefix, signal }) => {
    await putAll(store, prefix, ['gone/deep/1', 'stays/1'], signal);
    await store.delete(`${prefix}gone/deep/1`, { signal });
    assert.deepEqual(await prefixesBelow(store, prefix, signal), [`${prefix}stays/`]);
    assert.deepEqual(await keysBelow(store, prefix, signal), [`${prefix}stays/1`]);
  }),

  defineCase('a list whose loop is left does no harm', async ({ store, prefix, signal }) => {
    await putAll(store, prefix, ['1', '2', '3'], signal);
    for await (const { key } of store.list(prefix, { signal })) {
      assert.equal(key, `${prefix}1`);
      break;
    }
    assert.equal((await keysBelow(store, prefix, signal)).length, 3);
  }),

  defineCase('a list that is aborted rejects with the reason', async (context) => {
    const { store, prefix, signal } = context;
    await putAll(store, prefix, ['1', '2', '3'], signal);
    const controller = new AbortController();
    const reason = new Error('the case aborts');
    const read = async (): Promise<void> => {
      const both = AbortSignal.any([controller.signal, signal]);
      for await (const { key } of store.list(prefix, { signal: both })) {
        assert.equal(key, `${prefix}1`);
        controller.abort(reason);
      }
    };
    await rejectsWithReason(reason, read());
  }),

  defineCase('objects may be deleted while they are listed', async (context) => {
    const { store, prefix, signal } = context;
    await putAll(store, prefix, ['1', '2', '3/4', '3/5'], signal);
    const deleted: string[] = [];
    for await (const { key } of store.list(prefix, { signal })) {
      await store.delete(key, { signal });
      deleted.push(key);
    }
    assert.equal(deleted.length, 4);
    assert.deepEqual(await keysBelow(store, prefix, signal), []);
  }),

  defineCase(
    'a list asks for a page when it is needed, and for none after the loop was left',
    async ({ store, prefix, signal, requestCount, pageSize = defaultPageSize }) => {
      assert.ok(requestCount);
      const names = Array.from({ length: pageSize + 5 }, (_, index) => `${10_000 + index}`);
      await putAll(store, prefix, names, signal);
      const before = requestCount();
      const list = store.list(prefix, { signal });
      assert.equal(requestCount() - before, 0, 'a list that nobody reads has sent a request');
      for await (const { key } of list) {
        assert.equal(key, `${prefix}10000`);
        break;
      }
      assert.equal(requestCount() - before, 1, 'one item took more than one request');
      await keysBelow(store, prefix, signal);
      assert.equal(requestCount() - before, 3, 'a list of two pages took more than two requests');
    },
    'requestCount',
  ),
];
