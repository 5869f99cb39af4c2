import { randomUUID } from 'node:crypto';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ObjectStore } from '../../ports/object-store.ts';
import { FileSystemObjectStore } from '../../stores/file-system-object-store.ts';
import { MemoryObjectStore } from '../../stores/memory-object-store.ts';
import { FaultyObjectStore, type ObjectStoreOperation } from '../faulty-object-store.ts';
import { objectStoreContract } from './object-store-contract.ts';
import { type ObjectStoreContractContext, unmetNeed } from './object-store-contract-context.ts';

type HostContext = Omit<ObjectStoreContractContext, 'prefix' | 'signal'>;

/** What only a store at the other end of a network has. */
const remote = ['signUrl', 'requestCount', 'lockableStore'];

const operations: readonly ObjectStoreOperation[] = [
  'put',
  'get',
  'stat',
  'list',
  'listPrefixes',
  'delete',
];

function storeFailingWith(error: 'PermissionDenied' | 'Unavailable'): ObjectStore {
  const store = new FaultyObjectStore(new MemoryObjectStore());
  for (const operation of operations) {
    store.inject({ operation, error, times: Number.POSITIVE_INFINITY });
  }
  return store;
}

function keepsTheContract(contextOf: () => HostContext, left: readonly string[]): void {
  for (const contractCase of objectStoreContract) {
    if (contractCase.needs !== undefined && left.includes(contractCase.needs)) {
      continue;
    }
    it(contractCase.name, async ({ signal }) => {
      const context = { ...contextOf(), prefix: `contract/${randomUUID()}/`, signal };
      expect(unmetNeed(contractCase, context)).toBeUndefined();
      await contractCase.run(context);
      expect(await Array.fromAsync(context.store.list(context.prefix))).toEqual([]);
    });
  }
}

describe('MemoryObjectStore', () => {
  const store = new MemoryObjectStore();
  keepsTheContract(
    () => ({ store, open: () => new MemoryObjectStore() }),
    [...remote, 'danglingUploads', 'unauthorizedStore', 'unreachableStore'],
  );
});

describe('FaultyObjectStore without faults', () => {
  const store = new FaultyObjectStore(new MemoryObjectStore());
  keepsTheContract(
    () => ({
      store,
      open: () => new FaultyObjectStore(new MemoryObjectStore()),
      unauthorizedStore: storeFailingWith('PermissionDenied'),
      unreachableStore: storeFailingWith('Unavailable'),
    }),
    [...remote, 'danglingUploads'],
  );
});

describe('FileSystemObjectStore', () => {
  let directory = '';
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'lifeboat-contract-'));
  });
  afterAll(async () => {
    await rm(directory, { recursive: true });
  });
  const open = (): FileSystemObjectStore => new FileSystemObjectStore({ directory });
  keepsTheContract(
    () => ({
      store: open(),
      open,
      pageSize: 100,
      danglingUploads: async () => (await readdir(join(directory, '.lifeboat-uploads'))).length,
    }),
    [...remote, 'unauthorizedStore', 'unreachableStore'],
  );
});

it('names every rule once', () => {
  const names = objectStoreContract.map(({ name }) => name);
  expect(new Set(names).size).toBe(names.length);
});

it('leaves conditional cases out for a store that declares it has no ifAbsent', () => {
  const store = Object.assign(new MemoryObjectStore(), { capabilities: { ifAbsent: false } });
  const context = { store, open: () => store, prefix: 'p/', signal: AbortSignal.abort() };
  const left = objectStoreContract.filter((contractCase) => unmetNeed(contractCase, context));
  expect(new Set(left.map(({ needs }) => needs))).toEqual(
    new Set([...remote, 'ifAbsent', 'danglingUploads', 'unauthorizedStore', 'unreachableStore']),
  );
});
