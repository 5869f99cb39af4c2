import type { AdaptivePool } from '../internal/adaptive-pool.ts';
import { runAll } from '../internal/run-all.ts';
import type { RestoreAction } from '../model/event.ts';
import type { ApiResource, ResourceIdentifier } from '../model/kubernetes.ts';
import type { Restore } from '../model/restore.ts';
import type { Cluster } from '../ports/cluster.ts';
import type { BackupContents, SpooledEntry } from './backup-contents.ts';
import { joinLiveObjects, type LiveObject } from './live-objects.ts';
import { targetNamespaceOf } from './namespace-mapping.ts';
import type { RestoreRecord } from './restore-record.ts';
import type { TargetResources } from './target-resources.ts';
import { type Wave, type WaveOrder, wavesOf } from './waves.ts';

const definitions = 'customresourcedefinitions.apiextensions.k8s.io';
const namespaces = 'namespaces';
// Each holds a list open while its objects are worked on.
const resourcesAtATime = 4;

/** What {@link restoreItems} does with the entries: a restore carries them out, a plan writes them down. */
export interface ItemHandler {
  /** Makes ready the namespace that one of the backup is restored as; `false` when that fails. */
  ensureNamespace(namespace: string, signal: AbortSignal): Promise<boolean>;
  /** Whether a target namespace is known to hold nothing. */
  isNew(targetNamespace: string): boolean;
  handle(entry: SpooledEntry, live: LiveObject, signal: AbortSignal): Promise<HandledItem>;
  /** Called once all definitions were handled. */
  definitionsHandled(definitions: HandledDefinitions, signal: AbortSignal): Promise<void>;
}

/** What became of an entry. */
export interface HandledItem {
  readonly action: RestoreAction;
  /** What stands in the target for it; absent when nothing does. */
  readonly target: ResourceIdentifier | undefined;
}

/** Names of definitions, which are the group resources that they define. */
export interface HandledDefinitions {
  readonly changed: readonly string[];
  /** The changed ones, and those that exist. */
  readonly names: readonly string[];
}

/** What {@link restoreItems} works with. */
export interface RestoreItemsOptions {
  readonly cluster: Cluster;
  readonly restore: Restore;
  readonly contents: BackupContents;
  readonly entries: ReadonlySet<SpooledEntry>;
  readonly handler: ItemHandler;
  readonly resources: TargetResources;
  readonly record: RestoreRecord;
  /** @default the order of Velero */
  readonly order?: WaveOrder | undefined;
  /** Bounds how many objects are worked on at a time; the handler may pause in it. */
  readonly pool: AdaptivePool;
  readonly signal: AbortSignal;
}

/**
 * Goes through entries wave by wave, in the order in which objects need each other, and returns the waves. Rejects only when
 * aborted.
 */
export async function restoreItems(options: RestoreItemsOptions): Promise<readonly Wave[]> {
  const { entries, record, order, signal } = options;
  const entriesOf = Map.groupBy(entries, ({ groupResource }) => groupResource);
  record.expect(entries.size);
  // Namespaces come up even if the backup holds no object of theirs: something of their content does.
  const waves = wavesOf([...entriesOf.keys(), namespaces], order);
  for (const wave of waves) {
    signal.throwIfAborted();
    record.report({ type: 'wave', name: wave.name, resources: wave.resources });
    await runAll(
      wave.resources,
      (groupResource, resourceSignal) =>
        restoreResource(options, groupResource, entriesOf.get(groupResource) ?? [], resourceSignal),
      { concurrency: resourcesAtATime, signal },
    );
  }
  return waves;
}

async function restoreResource(
  options: RestoreItemsOptions,
  groupResource: string,
  entries: readonly SpooledEntry[],
  signal: AbortSignal,
): Promise<void> {
  if (groupResource === namespaces) {
    await ensureNamespaces(options, entries, signal);
    return;
  }
  const { handler, pool, restore, cluster } = options;
  const changed: string[] = [];
  const names: string[] = [];
  const joined = joinLiveObjects({
    cluster,
    entries,
    resource: await comparedResource(options, entries),
    targetNamespaceOf: (namespace) => targetNamespaceOf(restore.spec, namespace),
    isNew: (namespace) => handler.isNew(namespace),
    signal,
  });
  await runAll(
    pool.admitted(joined, signal),
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

/** The resource in the version of the archived objects, which is the one to compare in; a backup has one version of each. */
async function comparedResource(
  { contents, resources }: RestoreItemsOptions,
  [first]: readonly SpooledEntry[],
): Promise<ApiResource | undefined> {
  if (first === undefined) {
    return undefined;
  }
  return resources.resourceOf(first, await contents.read(first)).resource;
}

/** Makes ready the namespaces that were selected themselves, and those that selected objects belong to. */
async function ensureNamespaces(
  { entries, handler, record, pool }: RestoreItemsOptions,
  selected: readonly SpooledEntry[],
  signal: AbortSignal,
): Promise<void> {
  const names = new Set([...entries].flatMap(({ namespace }) => namespace ?? []));
  for (const { name } of selected) {
    names.add(name);
  }
  const ensure = async (name: string, itemSignal: AbortSignal): Promise<void> => {
    await handler.ensureNamespace(name, itemSignal);
  };
  await runAll(names, ensure, { concurrency: pool.width, signal });
  for (const _ of selected) {
    record.addDone();
  }
}
