import { ObjectStoreError } from '../errors.ts';
import type { ObjectStore } from '../ports/object-store.ts';

/**
 * A view of a store that reads and refuses to write: `put`, `delete`, `putLock` and `removeUpload` reject with PermissionDenied before anything
 * is sent. For restores from a bucket that another cluster writes to. Closing it closes the store.
 *
 * @example
 * ```ts
 * const engine = createEngine({ ...connection, store: readonlyObjectStore(store) });
 * ```
 */
export function readonlyObjectStore(store: ObjectStore): ObjectStore {
  const refuse = async (operation: string, key: string): Promise<never> => {
    throw new ObjectStoreError(
      `${operation}: ${key} in ${store.location}: the store was opened for reading only`,
      { code: 'PermissionDenied', operation, target: key },
    );
  };
  const signUrl = store.signUrl?.bind(store);
  const getLock = store.getLock?.bind(store);
  const listUploads = store.listUploads?.bind(store);
  return {
    location: store.location,
    capabilities: store.capabilities,
    put: (key) => refuse('ObjectStore.put', key),
    get: (key, options) => store.get(key, options),
    stat: (key, options) => store.stat(key, options),
    list: (prefix, options) => store.list(prefix, options),
    listPrefixes: (prefix, options) => store.listPrefixes(prefix, options),
    delete: (key) => refuse('ObjectStore.delete', key),
    ...(signUrl && { signUrl }),
    ...(getLock && { getLock }),
    ...(store.putLock && { putLock: (key) => refuse('ObjectStore.putLock', key) }),
    ...(listUploads && { listUploads }),
    ...(store.removeUpload && {
      removeUpload: ({ key }) => refuse('ObjectStore.removeUpload', key),
    }),
    close: () => store.close(),
    [Symbol.asyncDispose]: () => store.close(),
  };
}
