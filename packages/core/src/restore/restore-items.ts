import { runAll } from '../internal/run-all.ts';
import { compareCodePoints } from '../model/json.ts';
import type { Restore } from '../model/restore.ts';
import type { Clock } from '../ports/clock.ts';
import type { Cluster } from '../ports/cluster.ts';
import type { SpooledEntry } from './backup-contents.ts';
import type { ItemRestorer } from './item-restorer.ts';
import { orderResources } from './priorities.ts';
import type { RestoreRecord } from './restore-record.ts';
import { waitForDefinitions } from './restored-definitions.ts';
import type { TargetNamespaces } from './target-namespaces.ts';
import type { TargetResources } from './target-resources.ts';

const definitions = 'customresourcedefinitions.apiextensions.k8s.io';
const namespaces = 'namespaces';

/** What {@link restoreItems} works with. */
export interface RestoreItemsOptions {
  readonly cluster: Cluster;
  readonly clock: Clock;
  readonly restore: Restore;
  readonly entries: ReadonlySet<SpooledEntry>;
  readonly items: ItemRestorer;
  readonly targetNamespaces: TargetNamespaces;
  readonly resources: TargetResources;
  readonly record: RestoreRecord;
  /** Objects of one resource at a time. */
  readonly concurrency: number;
  readonly signal: AbortSignal;
}

/** Restores entries resource by resource, in the order in which objects need each other. Rejects only when aborted. */
export async function restoreItems(options: RestoreItemsOptions): Promise<void> {
  const { entries, items, record, concurrency, signal } = options;
  const tiers = Map.groupBy(entries, ({ groupResource }) => groupResource);
  record.expect(entries.size);
  // Namespaces come up even if the backup holds no object of theirs: something of their content does.
  for (const groupResource of orderResources([...tiers.keys(), namespaces])) {
    signal.throwIfAborted();
    const tier = (tiers.get(groupResource) ?? []).toSorted(byName);
    if (groupResource === namespaces) {
      await ensureNamespaces(options, tier);
      continue;
    }
    const created: string[] = [];
    const restore = async (entry: SpooledEntry, itemSignal: AbortSignal): Promise<void> => {
      if ((await items.restore(entry, itemSignal)) === 'created') {
        created.push(entry.name);
      }
    };
    await runAll(tier, restore, { concurrency, signal });
    if (groupResource === definitions && created.length > 0) {
      await waitForDefinitions({
        ...options,
        restoreName: options.restore.metadata.name,
        names: created,
      });
    }
  }
}

/** Makes ready the namespaces that were selected themselves, and those that selected objects belong to. */
async function ensureNamespaces(
  { entries, targetNamespaces, record, concurrency, signal }: RestoreItemsOptions,
  selected: readonly SpooledEntry[],
): Promise<void> {
  const names = new Set([...entries].flatMap(({ namespace }) => namespace ?? []));
  for (const { name } of selected) {
    names.add(name);
  }
  const ensure = async (name: string, itemSignal: AbortSignal): Promise<void> => {
    await targetNamespaces.ensure(name, itemSignal);
  };
  await runAll(names, ensure, { concurrency, signal });
  for (const _ of selected) {
    record.addDone();
  }
}

function byName(left: SpooledEntry, right: SpooledEntry): number {
  return (
    compareCodePoints(left.namespace ?? '', right.namespace ?? '') ||
    compareCodePoints(left.name, right.name)
  );
}
