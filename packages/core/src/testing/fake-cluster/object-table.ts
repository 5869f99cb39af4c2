import type { KubernetesObject } from '../../model/kubernetes.ts';
import { withValueAt } from '../../model/object-path.ts';
import { frozenObject } from './frozen-json.ts';

/** One change to a table. `object` is the state after it, or for a removal the last state. */
export interface TableChange {
  readonly table: string;
  readonly revision: number;
  /** Absent when the object is new. */
  readonly previous: KubernetesObject | undefined;
  readonly object: KubernetesObject;
  readonly removed: boolean;
}

/** What a table held at one moment. */
export interface TableState {
  readonly revision: number;
  /** In key order. */
  readonly objects: readonly KubernetesObject[];
}

interface Table {
  readonly objects: Map<string, KubernetesObject>;
  sorted: readonly KubernetesObject[] | undefined;
  readonly changes: TableChange[];
  forgottenRevision: number;
  changed: PromiseWithResolvers<void>;
}

/** How many changes of a table are remembered, for watches that fall behind. */
const rememberedChanges = 10_000;

/** The key of an object within its table, ordered as etcd orders its keys. */
export function tableKey(namespace: string | undefined, name: string): string {
  return namespace === undefined ? name : `${namespace}/${name}`;
}

/** Splits a key of {@link tableKey}. */
export function parseTableKey(key: string): { readonly namespace?: string; readonly name: string } {
  const slash = key.indexOf('/');
  return slash < 0 ? { name: key } : { namespace: key.slice(0, slash), name: key.slice(slash + 1) };
}

/** The objects of the fake API server, with one revision counter and a history of changes, as etcd keeps them. */
export class ObjectTable {
  readonly #tables: Map<string, Table> = new Map();
  readonly #listeners: Set<(change: TableChange) => void> = new Set();
  #revision = 1;
  #compactedRevision = 0;

  /** The revision of the latest change. */
  get revision(): number {
    return this.#revision;
  }

  /** Reads an object. */
  get(table: string, key: string): KubernetesObject | undefined {
    return this.#tables.get(table)?.objects.get(key);
  }

  /** What a table holds now. The arrays are never changed afterwards. */
  state(table: string): TableState {
    const { objects, sorted } = this.#tableOf(table);
    const inOrder =
      sorted ??
      [...objects].sort(([left], [right]) => (left < right ? -1 : 1)).map(([, object]) => object);
    this.#tableOf(table).sorted = inOrder;
    return { revision: this.#revision, objects: inOrder };
  }

  /** Stores an object under a new revision. */
  put(table: string, object: KubernetesObject): KubernetesObject {
    const key = tableKey(object.metadata.namespace, object.metadata.name);
    const entry = this.#tableOf(table);
    const previous = entry.objects.get(key);
    const stored = this.#stamp(object);
    entry.objects.set(key, stored);
    this.#record(entry, {
      table,
      revision: this.#revision,
      previous,
      object: stored,
      removed: false,
    });
    return stored;
  }

  /** Removes an object; the last state gets a revision of its own, as watches report it. */
  remove(table: string, object: KubernetesObject): void {
    const entry = this.#tableOf(table);
    entry.objects.delete(tableKey(object.metadata.namespace, object.metadata.name));
    const last = this.#stamp(object);
    this.#record(entry, {
      table,
      revision: this.#revision,
      previous: object,
      object: last,
      removed: true,
    });
  }

  /** The changes after a revision; `undefined` when they have been forgotten. */
  changesAfter(table: string, revision: number): readonly TableChange[] | undefined {
    const { changes, forgottenRevision } = this.#tableOf(table);
    if (revision < Math.max(forgottenRevision, this.#compactedRevision)) {
      return undefined;
    }
    return changes.slice(firstAfter(changes, revision));
  }

  /** Whether a list or a watch that stands at a revision can go on. */
  remembers(revision: number): boolean {
    return revision >= this.#compactedRevision;
  }

  /** Forgets the history; what stands at an earlier moment cannot go on. Wakes every waiting watch. */
  compact(): void {
    this.#revision += 1;
    this.#compactedRevision = this.#revision;
    for (const entry of this.#tables.values()) {
      entry.changes.length = 0;
      wake(entry);
    }
  }

  /** Wakes every waiting watch. */
  wakeAll(): void {
    for (const entry of this.#tables.values()) {
      wake(entry);
    }
  }

  /** Resolves at the next change of a table. */
  async changed(table: string): Promise<void> {
    return this.#tableOf(table).changed.promise;
  }

  /** Calls a listener, synchronously, after every change. */
  onChange(listener: (change: TableChange) => void): void {
    this.#listeners.add(listener);
  }

  #stamp(object: KubernetesObject): KubernetesObject {
    this.#revision += 1;
    return frozenObject(
      withValueAt(object, ['metadata', 'resourceVersion'], String(this.#revision)),
    );
  }

  #record(entry: Table, change: TableChange): void {
    entry.sorted = undefined;
    entry.changes.push(change);
    if (entry.changes.length > 2 * rememberedChanges) {
      const dropped = entry.changes.splice(0, entry.changes.length - rememberedChanges);
      entry.forgottenRevision = dropped.at(-1)?.revision ?? entry.forgottenRevision;
    }
    wake(entry);
    for (const listener of this.#listeners) {
      listener(change);
    }
  }

  #tableOf(name: string): Table {
    const known = this.#tables.get(name);
    if (known !== undefined) {
      return known;
    }
    const created: Table = {
      objects: new Map(),
      sorted: undefined,
      changes: [],
      forgottenRevision: 0,
      changed: Promise.withResolvers(),
    };
    this.#tables.set(name, created);
    return created;
  }
}

function wake(entry: Table): void {
  entry.changed.resolve();
  entry.changed = Promise.withResolvers();
}

function firstAfter(changes: readonly TableChange[], revision: number): number {
  let low = 0;
  let high = changes.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((changes[middle]?.revision ?? 0) <= revision) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}
