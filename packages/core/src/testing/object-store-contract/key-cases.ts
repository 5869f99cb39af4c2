import assert from 'node:assert/strict';
import { rejectsWith } from '../cluster-contract/expectations.ts';
import { defineCase } from './define-case.ts';
import type {
  ObjectStoreContractCase,
  ObjectStoreContractContext,
} from './object-store-contract-context.ts';
import { assertRoundTrip, keysBelow, sampleBytes } from './sample-bodies.ts';

const oddNames = [
  'a b',
  'plus+percent%25',
  'question?hash#',
  'and&equals=semi;comma,',
  'quote\'double"tick`',
  'at@colon:dollar$star*bang!',
  'brackets[]{}()<>',
  'tilde~caret^pipe|',
  'ünïcödé',
  '日本語',
  '\u{1f6f6}',
  '...',
  '.hidden',
  '%2e%2e',
];

const badKeys = ['', '/', '/absolute', 'a/', 'a//b', '.', '..', './a', 'a/.', 'a/../b', '../a'];
const badPrefixes = ['no-slash', '/', '../', 'a//', './', 'a/../'];

const longestKeyBytes = 1_024;

function longKey(prefix: string, sizeBytes: number): string {
  const component = 'k'.repeat(200);
  const key = `${prefix}${`${component}/`.repeat(4)}`;
  return key + 'k'.repeat(sizeBytes - Buffer.byteLength(key));
}

async function assertRefused(
  { store, signal }: ObjectStoreContractContext,
  key: string,
): Promise<void> {
  await rejectsWith('InvalidConfig', store.put(key, sampleBytes(1), { signal }));
  await rejectsWith('InvalidConfig', store.get(key, { signal }));
  await rejectsWith('InvalidConfig', store.stat(key, { signal }));
  await rejectsWith('InvalidConfig', store.delete(key, { signal }));
}

/** Which keys there are. */
export const keyCases: readonly ObjectStoreContractCase[] = [
  defineCase('a key may hold any character', async ({ store, prefix, signal }) => {
    for (const name of oddNames) {
      await assertRoundTrip(store, `${prefix}${name}`, sampleBytes(10), signal);
    }
    const keys = await keysBelow(store, prefix, signal);
    assert.deepEqual(new Set(keys), new Set(oddNames.map((name) => prefix + name)));
    assert.equal(keys.length, oddNames.length);
  }),

  defineCase('a key may have 1,024 bytes', async (context) => {
    const { store, prefix, signal } = context;
    const key = longKey(prefix, context.longestKeyBytes ?? longestKeyBytes);
    await assertRoundTrip(store, key, sampleBytes(10), signal);
    assert.deepEqual(await keysBelow(store, prefix, signal), [key]);
  }),

  defineCase('a key of more than 1,024 bytes is refused', async (context) => {
    await assertRefused(context, longKey(context.prefix, longestKeyBytes + 1));
  }),

  defineCase('a key that could leave its prefix is refused', async (context) => {
    for (const key of badKeys) {
      await assertRefused(context, key);
    }
    await assertRefused(context, `${context.prefix}../escaped`);
  }),

  defineCase('a prefix that is not a folder is refused', async ({ store, signal }) => {
    for (const prefix of badPrefixes) {
      await rejectsWith('InvalidConfig', Array.fromAsync(store.list(prefix, { signal })));
      await rejectsWith('InvalidConfig', Array.fromAsync(store.listPrefixes(prefix, { signal })));
    }
  }),

  defineCase('upper and lower case are different', async ({ store, prefix, signal }) => {
    await assertRoundTrip(store, `${prefix}Name`, sampleBytes(10, 1), signal);
    assert.equal(await store.stat(`${prefix}name`, { signal }), undefined);
  }),
];
