import { expect, it } from 'vitest';
import { MemoryObjectStore } from './memory-object-store.ts';
import { readonlyObjectStore } from './readonly-object-store.ts';

const text = Buffer.from('text');
const refused = {
  name: 'ObjectStoreError',
  code: 'PermissionDenied',
  target: 'x/a',
  retryable: false,
};

async function storeWith(): Promise<MemoryObjectStore> {
  const store = new MemoryObjectStore();
  await store.put('x/a', text);
  return store;
}

it('reads what the store has', async () => {
  const store = readonlyObjectStore(await storeWith());
  expect(store.location).toBe('memory:');
  expect(await store.stat('x/a')).toMatchObject({ sizeBytes: 4 });
  expect(Buffer.concat(await Array.fromAsync(await store.get('x/a')))).toEqual(text);
  expect(await Array.fromAsync(store.list('x/'), ({ key }) => key)).toEqual(['x/a']);
  expect(await Array.fromAsync(store.listPrefixes(''))).toEqual(['x/']);
});

it('refuses to write, and does not touch the store', async () => {
  const inner = await storeWith();
  const store = readonlyObjectStore(inner);
  await expect(store.put('x/a', Buffer.from('other'))).rejects.toMatchObject(refused);
  await expect(store.delete('x/a')).rejects.toMatchObject(refused);
  expect(await inner.stat('x/a')).toMatchObject({ sizeBytes: 4 });
});

it('refuses to lock where the store could', async () => {
  const inner = Object.assign(await storeWith(), {
    signUrl: async (key: string) => `https://example.com/${key}`,
    getLock: async () => ({ legalHold: true }),
    putLock: () => expect.unreachable('the store was locked'),
  });
  const store = readonlyObjectStore(inner);
  await expect(store.putLock?.('x/a', { legalHold: false })).rejects.toMatchObject(refused);
  expect(await store.getLock?.('x/a')).toEqual({ legalHold: true });
  expect(await store.signUrl?.('x/a')).toBe('https://example.com/x/a');
});

it('shows uploads and refuses to remove them', async () => {
  const upload = { key: 'x/a', uploadId: 'u-1', startedAt: new Date(0) };
  const inner = Object.assign(await storeWith(), {
    async *listUploads() {
      yield upload;
    },
    removeUpload: () => expect.unreachable('the upload was removed'),
  });
  const store = readonlyObjectStore(inner);
  expect(await Array.fromAsync(store.listUploads?.('x/') ?? [])).toEqual([upload]);
  await expect(store.removeUpload?.(upload)).rejects.toMatchObject(refused);
});

it('closes the store', async () => {
  const inner = await storeWith();
  await readonlyObjectStore(inner).close();
  await expect(inner.stat('x/a')).rejects.toMatchObject({ code: 'Closed' });
});
