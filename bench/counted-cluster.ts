import type { Cluster } from '@lifeboat/core';

/** A cluster that counts what is asked of it. */
export interface CountedCluster {
  readonly cluster: Cluster;
  /** How many requests there were since the last call. A watch is one, however long it lasts. */
  readonly takeCount: () => number;
}

/** Counts the requests that pass to a cluster. */
export function countRequests(inner: Cluster): CountedCluster {
  let requests = 0;
  const counted = <Result>(result: Result): Result => {
    requests += 1;
    return result;
  };
  return {
    cluster: {
      location: inner.location,
      version: (options) => counted(inner.version(options)),
      discover: (options) => counted(inner.discover(options)),
      get: (reference, options) => counted(inner.get(reference, options)),
      list: (resource, options) => counted(inner.list(resource, options)),
      watch: (resource, options) => counted(inner.watch(resource, options)),
      create: (resource, manifest, options) => counted(inner.create(resource, manifest, options)),
      patch: (reference, patch, options) => counted(inner.patch(reference, patch, options)),
      delete: (reference, options) => counted(inner.delete(reference, options)),
      close: () => inner.close(),
      [Symbol.asyncDispose]: () => inner[Symbol.asyncDispose](),
    },
    takeCount: () => {
      const count = requests;
      requests = 0;
      return count;
    },
  };
}
