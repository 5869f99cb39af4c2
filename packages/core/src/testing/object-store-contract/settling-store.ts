import { setTimeout as sleep } from 'node:timers/promises';
import type { ObjectStore } from '../../ports/object-store.ts';

/**
 * A view of a store whose changes need a while until every read sees them: each change, made or failed, is waited for. With it
 * the other rules can be tried on such a store; the rule that reads see the latest write cannot.
 */
export function settlingStore(store: ObjectStore, settleMs: number): ObjectStore {
  const settled = async (change: Promise<void>): Promise<void> => {
    try {
      await change;
    } finally {
      await sleep(settleMs);
    }
  };
  const signUrl = store.signUrl?.bind(store);
  const getLock = store.getLock?.bind(store);
  const putLock = store.putLock?.bind(store);
  const listUploads = store.listUploads?.bind(store);
  const removeUpload = store.removeUpload?.bind(store);
  return {
    location: store.location,
    capabilities: store.capabilities,
    put: (key, body, options) => settled(store.put(key, body, options)),
    get: (key, options) => store.get(key, options),
    stat: (key, options) => store.stat(key, options),
    list: (prefix, options) => store.list(prefix, options),
    listPrefixes: (prefix, options) => store.listPrefixes(prefix, options),
    delete: (key, options) => settled(store.delete(key, options)),
    ...(signUrl && { signUrl }),
    ...(getLock && { getLock }),
    ...(putLock && { putLock: (key, lock, options) => settled(putLock(key, lock, options)) }),
    ...(listUploads && { listUploads }),
    ...(removeUpload && {
      removeUpload: (upload, options) => settled(removeUpload(upload, options)),
    }),
    close: () => store.close(),
    [Symbol.asyncDispose]: () => store.close(),
  };
}
