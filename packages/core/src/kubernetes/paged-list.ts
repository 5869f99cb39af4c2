import { compareCodePoints } from '../model/json.ts';
import type { KubernetesObject } from '../model/kubernetes.ts';
import type { ApiClient } from './api-client.ts';
import { type ListQuery, readPage } from './list-pages.ts';

/**
 * Lists page by page, in key order.
 *
 * When the server has dropped the snapshot that the list was read from, it goes on: with the token that the server gives
 * for the present objects, or without one from the beginning, past every key up to the last one yielded.
 */
export async function* pagedList(
  client: ApiClient,
  query: ListQuery,
  onInconsistent: (() => void) | undefined,
): AsyncGenerator<KubernetesObject, void, undefined> {
  let continueToken: string | undefined;
  let lastKey: string | undefined;
  let isConsistent = true;
  let hasProgressed = true;
  for (;;) {
    const outcome = await readPage(client, query, continueToken);
    if (outcome.type === 'expired') {
      if (!hasProgressed) {
        throw outcome.error;
      }
      if (isConsistent) {
        isConsistent = false;
        onInconsistent?.();
      }
      hasProgressed = false;
      continueToken = outcome.continueToken;
      continue;
    }
    for (const item of outcome.page.items) {
      query.signal?.throwIfAborted();
      const key = keyOf(item);
      if (isConsistent || lastKey === undefined || compareCodePoints(key, lastKey) > 0) {
        lastKey = key;
        hasProgressed = true;
        yield item;
      }
    }
    query.signal?.throwIfAborted();
    continueToken = outcome.page.continueToken;
    if (continueToken === undefined) {
      return;
    }
  }
}

// The order of keys in etcd, which is that of every list.
function keyOf({ metadata }: KubernetesObject): string {
  return metadata.namespace === undefined
    ? metadata.name
    : `${metadata.namespace}/${metadata.name}`;
}
