import { AbortScope } from '../internal/abort-scope.ts';
import { compareCodePoints } from '../model/json.ts';
import type { KubernetesObject } from '../model/kubernetes.ts';
import type { ApiClient } from './api-client.ts';
import { type ListQuery, type PageOutcome, readPage } from './list-pages.ts';

/**
 * Lists page by page, in key order. While a page is gone through the next one is read: two at most are in memory, as bytes.
 *
 * When the server has dropped the snapshot that the list was read from, it goes on: with the token that the server gives
 * for the present objects, or without one from the beginning, past every key up to the last one yielded.
 */
export async function* pagedList(
  client: ApiClient,
  query: ListQuery,
  onInconsistent: (() => void) | undefined,
): AsyncGenerator<KubernetesObject, void, undefined> {
  using ahead = new AbortScope(query.signal);
  const read = (token: string | undefined): Promise<PageOutcome> =>
    readPage(client, { ...query, signal: ahead.signal }, token);
  let lastKey: string | undefined;
  let isConsistent = true;
  let hasProgressed = true;
  let reading = read(undefined);
  try {
    for (;;) {
      const outcome = await reading;
      if (outcome.type === 'expired') {
        if (!hasProgressed) {
          throw outcome.error;
        }
        if (isConsistent) {
          isConsistent = false;
          onInconsistent?.();
        }
        hasProgressed = false;
        reading = read(outcome.continueToken);
        continue;
      }
      const { items, continueToken } = outcome.page;
      let next: Promise<PageOutcome> | undefined;
      for (const item of items) {
        query.signal?.throwIfAborted();
        const key = keyOf(item);
        if (isConsistent || lastKey === undefined || compareCodePoints(key, lastKey) > 0) {
          lastKey = key;
          hasProgressed = true;
          yield item;
          // Once somebody has come for more of this page.
          next ??= continueToken === undefined ? undefined : begun(read(continueToken));
        }
      }
      query.signal?.throwIfAborted();
      if (continueToken === undefined) {
        return;
      }
      reading = next ?? read(continueToken);
    }
  } finally {
    ahead.abort(new Error('nobody reads on'));
  }
}

/** Waits for its turn: until then its failure is nobody's. */
function begun(reading: Promise<PageOutcome>): Promise<PageOutcome> {
  reading.catch(() => undefined);
  return reading;
}

// The order of keys in etcd, which is that of every list.
function keyOf({ metadata }: KubernetesObject): string {
  return metadata.namespace === undefined
    ? metadata.name
    : `${metadata.namespace}/${metadata.name}`;
}
