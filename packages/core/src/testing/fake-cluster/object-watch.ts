import type { KubernetesObject } from '../../model/kubernetes.ts';
import type { WatchEvent } from '../../ports/cluster.ts';
import { type ApiCall, badRequestError, goneError } from './api-errors.ts';
import type { ObjectFilter } from './object-list.ts';
import type { ObjectTable, TableChange } from './object-table.ts';
import type { ServedResource } from './resource-definition.ts';
import { inVersion } from './write-pipeline.ts';

/** Where a watch gets its events from. */
export interface WatchSource {
  readonly table: ObjectTable;
  readonly served: ServedResource;
  readonly filter: ObjectFilter;
  readonly call: ApiCall;
  /** Called whenever the connection has been cut, as going on is a request of its own. */
  readonly request: () => Promise<void>;
  /** Changes whenever the connections are cut. */
  readonly connection: () => number;
  /** Throws when the watch has to end. */
  readonly assertOpen: () => void;
}

/** Watches a table: what exists, then every change; again from the start when the history has been forgotten. */
export async function* watchObjects(
  source: WatchSource,
  {
    resourceVersion,
    signal,
  }: { readonly resourceVersion?: string | undefined; readonly signal?: AbortSignal | undefined },
): AsyncIterable<WatchEvent> {
  const { table, served, call, request, connection, assertOpen } = source;
  const name = served.definition.table;
  let connected = connection();
  let revision: number;
  if (resourceVersion === undefined) {
    revision = table.revision;
    yield* initialEvents(source);
  } else {
    revision = revisionOf(resourceVersion, call);
    if (table.changesAfter(name, revision) === undefined) {
      throw goneError(call, resourceVersion);
    }
  }
  for (;;) {
    signal?.throwIfAborted();
    assertOpen();
    if (connected !== connection()) {
      await request();
      connected = connection();
    }
    const changes = table.changesAfter(name, revision);
    if (changes === undefined) {
      yield { type: 'restarted' };
      revision = table.revision;
      yield* initialEvents(source);
      continue;
    }
    for (const change of changes) {
      const event = eventOf(change, source);
      revision = change.revision;
      if (event !== undefined) {
        yield event;
        signal?.throwIfAborted();
      }
    }
    if (changes.length === 0) {
      await untilAborted(table.changed(name), signal);
    }
  }
}

/** Waits for a promise; rejects with the signal's reason as soon as that aborts. */
export async function untilAborted<T>(
  promise: Promise<T>,
  signal: AbortSignal | undefined,
): Promise<T> {
  if (signal === undefined) {
    return promise;
  }
  signal.throwIfAborted();
  const aborted = Promise.withResolvers<never>();
  const onAbort = (): void => {
    aborted.reject(signal.reason);
  };
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    return await Promise.race([promise, aborted.promise]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}

function* initialEvents({ table, served, filter }: WatchSource): Iterable<WatchEvent> {
  for (const object of table.state(served.definition.table).objects.filter(filter)) {
    yield { type: 'added', object: inVersion(object, served) };
  }
  yield { type: 'synced' };
}

/** What a change means to a watch with a filter: an object that enters it is added, one that leaves it is deleted. */
function eventOf(
  { previous, object, removed }: TableChange,
  { served, filter }: WatchSource,
): WatchEvent | undefined {
  const before = previous !== undefined && filter(previous);
  const after = !removed && filter(object);
  const seen: KubernetesObject = inVersion(object, served);
  if (after) {
    return { type: before ? 'modified' : 'added', object: seen };
  }
  return before ? { type: 'deleted', object: seen } : undefined;
}

function revisionOf(resourceVersion: string, call: ApiCall): number {
  if (!/^[0-9]{1,15}$/.test(resourceVersion)) {
    throw badRequestError(call, `invalid resource version ${JSON.stringify(resourceVersion)}`);
  }
  return Number(resourceVersion);
}
