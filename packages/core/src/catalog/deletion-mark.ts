import { formatTimestamp } from '../model/timestamp.ts';
import type { Clock } from '../ports/clock.ts';
import type { CallOptions, ObjectStore } from '../ports/object-store.ts';
import { backupDirectory, deletionMarkKey } from './key-layout.ts';

/** Options of {@link markDeletion}. */
export interface MarkDeletionOptions extends CallOptions {
  readonly clock: Clock;
}

/**
 * Marks a backup whose deletion begins, before the first of its snapshots is freed: from then on it may be a backup without
 * its data although its files are all there. A directory without any file stays without one; a mark that stands is kept.
 */
export async function markDeletion(
  store: ObjectStore,
  name: string,
  { clock, signal }: MarkDeletionOptions,
): Promise<void> {
  const markKey = deletionMarkKey(name);
  let isEmpty = true;
  for await (const { key } of store.list(backupDirectory(name), { signal })) {
    isEmpty = false;
    if (key === markKey) {
      return;
    }
  }
  if (!isEmpty) {
    const document = { startTimestamp: formatTimestamp(clock.now()), owner: 'lifeboat' };
    const body = Buffer.from(`${JSON.stringify(document, undefined, 2)}\n`);
    await store.put(markKey, body, { contentType: 'application/json', signal });
  }
}
