import assert from 'node:assert/strict';
import type { ObjectStore } from '../ports/object-store.ts';

const name = 'rights.txt';
const bytes: Uint8Array = Buffer.from('written to find out whether that is allowed');

type Attempt = (store: ObjectStore, folder: string, signal: AbortSignal) => Promise<void>;

/** What an engine does with a store, in an order in which each is possible after the one before. */
export const storeRights: Readonly<Record<string, Attempt>> = {
  'an object may be written': async (store, folder, signal) => {
    await store.put(folder + name, bytes, { signal });
  },
  'an object may be looked up': async (store, folder, signal) => {
    assert.ok(await store.stat(folder + name, { signal }), 'what was written is not there');
  },
  'an object may be read': async (store, folder, signal) => {
    const read = await Array.fromAsync(await store.get(folder + name, { signal }));
    assert.ok(Buffer.concat(read).equals(bytes), 'what was written is not what is read');
  },
  'objects may be listed': async (store, folder, signal) => {
    const keys = await Array.fromAsync(store.list(folder, { signal }), ({ key }) => key);
    assert.deepEqual(keys, [folder + name], 'the list is not what was written');
  },
  'an object may be deleted': async (store, folder, signal) => {
    await store.delete(folder + name, { signal });
    const stat = await store.stat(folder + name, { signal });
    assert.equal(stat, undefined, 'what was deleted is still there');
  },
  'a missing object may be looked up': async (store, folder, signal) => {
    assert.equal(await store.stat(`${folder}missing`, { signal }), undefined);
  },
};
