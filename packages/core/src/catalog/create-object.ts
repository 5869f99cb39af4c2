import { ObjectStoreError } from '../errors.ts';
import type { CallOptions, ObjectBody, ObjectStore } from '../ports/object-store.ts';

/** Options of {@link createObject}. */
export interface CreateObjectOptions extends CallOptions {
  readonly contentType: string;
}

/**
 * Stores an object that must not exist yet. Atomic where the store is; elsewhere it looks first, which a writer at the
 * same moment can slip past.
 *
 * @throws {ObjectStoreError} code AlreadyExists when the key exists.
 */
export async function createObject(
  store: ObjectStore,
  key: string,
  body: ObjectBody,
  { contentType, signal }: CreateObjectOptions,
): Promise<void> {
  if (!store.capabilities.ifAbsent) {
    if ((await store.stat(key, { signal })) !== undefined) {
      throw new ObjectStoreError(`ObjectStore.put: ${key} in ${store.location} exists already`, {
        code: 'AlreadyExists',
        operation: 'ObjectStore.put',
        target: key,
      });
    }
    await store.put(key, body, { contentType, signal });
    return;
  }
  await store.put(key, body, { contentType, ifAbsent: true, signal });
}
