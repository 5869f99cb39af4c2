import type { AdaptivePool } from '../internal/adaptive-pool.ts';
import { runAll } from '../internal/run-all.ts';
import { Slots } from '../internal/slots.ts';
import { unlessAborted } from '../internal/unless-aborted.ts';
import type { Restore } from '../model/restore.ts';
import type { Cluster } from '../ports/cluster.ts';
import type { BackupContents } from './backup-contents.ts';
import type { SpooledEntry } from './backup-entries.ts';
import { EntryList } from './entry-list.ts';
import type { EntrySet } from './entry-set.ts';
import type { EndingNamespace, ItemHandler } from './item-handler.ts';
import { targetNamespaceOf } from './namespace-mapping.ts';
import type { RestoreRecord } from './restore-record.ts';
import { restoreResource } from './restore-resource.ts';
import type { TargetResources } from './target-resources.ts';
import { type Wave, type WaveOrder, wavesBeforeLast, wavesOf } from './waves.ts';

const namespaces = 'namespaces';
const listsAtATime = 4;

/** What {@link restoreItems} works with. */
export interface RestoreItemsOptions {
  readonly cluster: Cluster;
  readonly restore: Restore;
  readonly contents: BackupContents;
  readonly entries: EntrySet;
  readonly handler: ItemHandler;
  readonly resources: TargetResources;
  readonly record: RestoreRecord;
  /** @default the order of Velero */
  readonly order?: WaveOrder | undefined;
  /** Bounds how many objects are worked on at a time; the handler may pause in it. */
  readonly pool: AdaptivePool;
  readonly signal: AbortSignal;
}

type EntriesOf = ReadonlyMap<string, EntryList>;

interface WaveRun extends RestoreItemsOptions {
  /** Each list of live objects that is open has one. */
  readonly lists: Slots;
  /** By the name in the target. */
  readonly ending: Map<string, EndingNamespace>;
}

/**
 * Goes through entries wave by wave, in the order in which objects need each other, and returns the waves. Rejects only when
 * aborted.
 *
 * A namespace that is being deleted holds back its own objects and the waves that come last, nothing else: its objects follow when it
 * has gone, each wave once the others have gone through those before it.
 */
export async function restoreItems(options: RestoreItemsOptions): Promise<readonly Wave[]> {
  const { entries, record, order, signal } = options;
  const entriesOf = entries.list().groupBy(({ groupResource }) => groupResource);
  record.expect(entries.size);
  // Namespaces come up even if the backup holds no object of theirs: something of their content does.
  const waves = wavesOf([...entriesOf.keys(), namespaces], order);
  const begun = 1 + waves.findIndex(({ resources }) => resources.includes(namespaces));
  const beforeLast = Math.max(begun, wavesBeforeLast(waves, order));
  const run: WaveRun = { ...options, lists: new Slots(listsAtATime), ending: new Map() };
  await restoreWaves(run, waves.slice(0, begun), entriesOf, signal);
  if (run.ending.size > 0) {
    await restoreAroundEnding(run, waves.slice(begun, beforeLast));
  } else {
    await restoreWaves(run, waves.slice(begun, beforeLast), entriesOf, signal);
  }
  await restoreWaves(run, waves.slice(beforeLast), entriesOf, signal);
  return waves;
}

/** Has the objects of namespaces that are being deleted follow the others. */
async function restoreAroundEnding(run: WaveRun, waves: readonly Wave[]): Promise<void> {
  const { contents, entries, ending, restore, signal } = run;
  const none = new EntryList(contents.entries);
  const targetOf = ({ namespace }: SpooledEntry): string | undefined => {
    const target = namespace && targetNamespaceOf(restore.spec, namespace);
    return target !== undefined && ending.has(target) ? target : undefined;
  };
  const parts = entries.list().groupBy(targetOf);
  const over = waves.map(() => Promise.withResolvers<void>());
  const entriesIn = (target: string | undefined): EntriesOf =>
    (parts.get(target) ?? none).groupBy(({ groupResource }) => groupResource);
  const follow = async (target: string, partSignal: AbortSignal): Promise<void> => {
    await unlessAborted(Promise.resolve(ending.get(target)?.isReady), partSignal);
    const entriesOf = entriesIn(target);
    for (const [index, wave] of waves.entries()) {
      await unlessAborted(Promise.resolve(over[index - 1]?.promise), partSignal);
      await restoreWave(run, wave, entriesOf, partSignal);
    }
  };
  const lead = async (partSignal: AbortSignal): Promise<void> => {
    const entriesOf = entriesIn(undefined);
    for (const [index, wave] of waves.entries()) {
      await restoreWaves(run, [wave], entriesOf, partSignal);
      over[index]?.resolve();
    }
  };
  await runAll(
    [undefined, ...ending.keys()],
    (target, partSignal) => (target === undefined ? lead(partSignal) : follow(target, partSignal)),
    { concurrency: Number.POSITIVE_INFINITY, signal },
  );
}

async function restoreWaves(
  run: WaveRun,
  waves: readonly Wave[],
  entriesOf: EntriesOf,
  signal: AbortSignal,
): Promise<void> {
  for (const wave of waves) {
    signal.throwIfAborted();
    run.record.report({ type: 'wave', name: wave.name, resources: wave.resources });
    await restoreWave(run, wave, entriesOf, signal);
  }
}

function restoreWave(
  run: WaveRun,
  { resources }: Wave,
  entriesOf: EntriesOf,
  signal: AbortSignal,
): Promise<void> {
  return runAll(
    resources,
    (groupResource, resourceSignal) => {
      const entries = entriesOf.get(groupResource) ?? new EntryList(run.contents.entries);
      return groupResource === namespaces
        ? beginNamespaces(run, entries, resourceSignal)
        : restoreResource(run, groupResource, entries, resourceSignal);
    },
    // Those whose objects are worked on are bounded by their lists.
    { concurrency: Number.POSITIVE_INFINITY, signal },
  );
}

/** Begins to make ready the namespaces that were selected themselves, and those that selected objects belong to. */
async function beginNamespaces(
  { entries, handler, record, pool, restore, ending }: WaveRun,
  selected: EntryList,
  signal: AbortSignal,
): Promise<void> {
  const names = new Set<string>();
  for (const { namespace } of entries.list()) {
    if (namespace !== undefined) {
      names.add(namespace);
    }
  }
  for (const { name } of selected) {
    names.add(name);
  }
  const begin = async (name: string, itemSignal: AbortSignal): Promise<void> => {
    const waited = await handler.beginNamespace(name, itemSignal);
    if (waited !== undefined) {
      ending.set(targetNamespaceOf(restore.spec, name), waited);
    }
  };
  await runAll(names, begin, { concurrency: pool.width, signal });
  for (let handled = 0; handled < selected.length; handled += 1) {
    record.addDone();
  }
}
