import type { AdaptivePool } from '../internal/adaptive-pool.ts';
import { runAll } from '../internal/run-all.ts';
import type { Slots } from '../internal/slots.ts';
import type { ApiResource } from '../model/kubernetes.ts';
import type { Restore } from '../model/restore.ts';
import type { Cluster } from '../ports/cluster.ts';
import type { BackupContents } from './backup-contents.ts';
import type { EntryList } from './entry-list.ts';
import type { ItemHandler } from './item-handler.ts';
import { type EntryWithLive, joinLiveObjects } from './live-objects.ts';
import { targetNamespaceOf } from './namespace-mapping.ts';
import type { TargetResources } from './target-resources.ts';

const definitions = 'customresourcedefinitions.apiextensions.k8s.io';

/** What {@link restoreResource} works with. */
export interface RestoreResourceOptions {
  readonly cluster: Cluster;
  readonly restore: Restore;
  readonly contents: BackupContents;
  readonly handler: ItemHandler;
  readonly resources: TargetResources;
  readonly pool: AdaptivePool;
  /** Has one for each list of live objects that may be open. */
  readonly lists: Slots;
}

/** Restores the entries of one resource, as many at a time as the pool has places. Rejects only when aborted. */
export async function restoreResource(
  options: RestoreResourceOptions,
  groupResource: string,
  entries: EntryList,
  signal: AbortSignal,
): Promise<void> {
  const { handler, pool } = options;
  const changed: string[] = [];
  const names: string[] = [];
  await runAll(
    pool.admitted(withLiveObjects(options, entries, signal), signal),
    ({ entry, live }, itemSignal) =>
      pool.run(async () => {
        const { action } = await handler.handle(entry, live, itemSignal);
        if (groupResource !== definitions || action === 'failed') {
          return;
        }
        names.push(entry.name);
        if (action !== 'skipped') {
          changed.push(entry.name);
        }
      }, itemSignal),
    { concurrency: Number.POSITIVE_INFINITY, signal },
  );
  if (groupResource === definitions) {
    await handler.definitionsHandled({ changed, names }, signal);
  }
}

/** The entries beside what stands in their places. While it is asked for live objects, one of the lists is taken. */
async function* withLiveObjects(
  options: RestoreResourceOptions,
  entries: EntryList,
  signal: AbortSignal,
): AsyncGenerator<EntryWithLive> {
  const { handler, restore, cluster, lists } = options;
  using _list = await lists.take(signal);
  yield* joinLiveObjects({
    cluster,
    entries,
    resource: await comparedResource(options, entries),
    targetNamespaceOf: (namespace) => targetNamespaceOf(restore.spec, namespace),
    isNew: (namespace) => handler.isNew(namespace),
    signal,
  });
}

/** The resource in the version of the archived objects, which is the one to compare in; a backup has one version of each. */
async function comparedResource(
  { contents, resources }: RestoreResourceOptions,
  [first]: EntryList,
): Promise<ApiResource | undefined> {
  if (first === undefined) {
    return undefined;
  }
  return resources.resourceOf(first, await contents.read(first)).resource;
}
