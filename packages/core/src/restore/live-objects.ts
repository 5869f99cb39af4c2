import { type BegunList, beginList, resumed } from '../internal/begun-list.ts';
import { compareCodePoints } from '../model/json.ts';
import type { ApiResource, KubernetesObject, ResourceIdentifier } from '../model/kubernetes.ts';
import type { Cluster } from '../ports/cluster.ts';
import type { SpooledEntry } from './backup-entries.ts';
import type { EntryList } from './entry-list.ts';

/** What is known of the object that stands in the target where an entry is to be restored. */
export type LiveObject = KubernetesObject | 'absent' | 'unknown';

/** An entry beside what is known of its place in the target. */
export interface EntryWithLive {
  readonly entry: SpooledEntry;
  readonly live: LiveObject;
}

/** What {@link joinLiveObjects} works with. */
export interface JoinOptions {
  readonly cluster: Cluster;
  /** In the version in which objects are to be compared; `undefined` when the target does not serve it. */
  readonly resource: ApiResource | undefined;
  /** Entries of that one resource. */
  readonly entries: EntryList;
  readonly targetNamespaceOf: (namespace: string) => string;
  /** Whether a target namespace is known to be empty, because it has just been made. */
  readonly isNew: (targetNamespace: string) => boolean;
  readonly signal: AbortSignal;
}

/** The entries of a target namespace, by their names; those that belong to none. */
interface Place {
  readonly namespace: string | undefined;
  readonly entries: EntryList;
}

// For fewer a list costs more requests than it saves: what is created blindly is read only when it turns out to exist.
const leastEntriesToList = 8;
const mostNamespacesToList = 8;
// With so many entries in each, on average, a list of its own is a small price: a list of all also brings what every other namespace holds.
const entriesWorthOneList = 50;

/**
 * Yields the entries of one resource in the order of their places in the target, each with the object that stands there, if there
 * are so many that a list is worth it: they are held against it one by one, both being in the same order, so that memory is
 * bounded by a few pages of the lists. Nothing is asked about namespaces that are known to be new.
 *
 * A list that fails makes the entries after it unknown: what is then asked about each of them will say what is the matter. It
 * rejects only when aborted.
 */
export async function* joinLiveObjects(options: JoinOptions): AsyncGenerator<EntryWithLive> {
  const { resource, isNew } = options;
  const places = placesOf(options);
  const open = places.filter(({ namespace }) => namespace === undefined || !isNew(namespace));
  const live =
    resource === undefined || countOf(open) < leastEntriesToList
      ? undefined
      : new LiveStream(liveObjects(options, resource, open));
  try {
    for (const { namespace, entries } of places) {
      for (const entry of entries) {
        if (namespace !== undefined && isNew(namespace)) {
          yield { entry, live: 'absent' };
        } else {
          const key = keyOf({ namespace, name: entry.name });
          yield { entry, live: live === undefined ? 'unknown' : await live.find(key) };
        }
        options.signal.throwIfAborted();
      }
    }
  } finally {
    await live?.close();
  }
}

/** The places of the entries, in the order in which the API server lists them: `shop-eu/` comes before `shop/`. */
function placesOf({ entries, targetNamespaceOf }: JoinOptions): readonly Place[] {
  const byNamespace = entries.groupBy(({ namespace }) =>
    namespace === undefined ? undefined : targetNamespaceOf(namespace),
  );
  return [...byNamespace]
    .map(([namespace, placed]) => ({ namespace, entries: placed.sortedByName() }))
    .sort((left, right) =>
      compareCodePoints(keyOf({ ...left, name: '' }), keyOf({ ...right, name: '' })),
    );
}

function countOf(places: readonly Place[]): number {
  return places.reduce((sum, { entries }) => sum + entries.length, 0);
}

/** Objects in the order of their keys, asked for in that order. */
class LiveStream {
  readonly #objects: AsyncGenerator<KubernetesObject>;
  #current: KubernetesObject | undefined;
  #state: 'open' | 'ended' | 'failed' = 'open';

  constructor(objects: AsyncGenerator<KubernetesObject>) {
    this.#objects = objects;
  }

  async find(key: string): Promise<LiveObject> {
    while (this.#state === 'open') {
      this.#current ??= await this.#next();
      if (this.#current === undefined) {
        break;
      }
      const order = compareCodePoints(keyOf(this.#current.metadata), key);
      if (order > 0) {
        return 'absent';
      }
      const found = this.#current;
      this.#current = undefined;
      if (order === 0) {
        return found;
      }
    }
    return this.#state === 'failed' ? 'unknown' : 'absent';
  }

  async close(): Promise<void> {
    await this.#objects.return(undefined);
  }

  async #next(): Promise<KubernetesObject | undefined> {
    try {
      const next = await this.#objects.next();
      if (next.done === true) {
        this.#state = 'ended';
        return undefined;
      }
      return next.value;
    } catch {
      this.#state = 'failed';
      return undefined;
    }
  }
}

async function* liveObjects(
  { cluster, signal }: JoinOptions,
  resource: ApiResource,
  open: readonly Place[],
): AsyncGenerator<KubernetesObject> {
  const areWorthLists =
    open.length <= mostNamespacesToList || countOf(open) >= open.length * entriesWorthOneList;
  if (!resource.namespaced || !areWorthLists) {
    yield* cluster.list(resource, { signal });
    return;
  }
  yield* inSuccession(
    open.map(
      ({ namespace }) =>
        () =>
          cluster.list(resource, { namespace, signal }),
    ),
  );
}

/** The objects of several lists. The first page of each is read while the one before is gone through. */
async function* inSuccession(
  lists: readonly (() => AsyncIterable<KubernetesObject>)[],
): AsyncGenerator<KubernetesObject> {
  let ahead: BegunList<KubernetesObject> | undefined;
  try {
    for (const [index, list] of lists.entries()) {
      const begun = ahead ?? beginList(list());
      const next = lists[index + 1];
      ahead = next && beginList(next());
      yield* resumed(begun);
    }
  } finally {
    await ahead?.objects.return?.();
  }
}

// As the API server orders objects.
function keyOf({ namespace, name }: Pick<ResourceIdentifier, 'namespace' | 'name'>): string {
  return namespace === undefined ? name : `${namespace}/${name}`;
}
