import type { KubernetesObject } from '../../../model/kubernetes.ts';
import { arrayAt, withValueAt } from '../../../model/object-path.ts';
import { withoutFinalizer } from '../admission/set-missing.ts';
import { type TableChange, tableKey } from '../object-table.ts';
import type { Controller, Requeue } from './controller.ts';
import type { ControllerClient } from './controller-client.ts';

/** Deletes what has lost all its owners, and carries out foreground and orphaning deletion. */
export class GarbageCollector implements Controller {
  readonly name = 'generic-garbage-collector';
  readonly triggers: Controller['triggers'] = [
    { table: '*', keys: (change) => this.#keysOf(change) },
  ];
  readonly #keyByUid: Map<string, string> = new Map();
  readonly #dependentsByOwner: Map<string, Set<string>> = new Map();

  async reconcile(key: string, client: ControllerClient): Promise<Requeue | undefined> {
    const found = read(key, client);
    if (found === undefined) {
      return undefined;
    }
    const { table, object } = found;
    const { deletionTimestamp, ownerReferences = [] } = object.metadata;
    const finalizers = arrayAt(object, ['metadata', 'finalizers']);
    if (deletionTimestamp === undefined) {
      const isOrphan =
        ownerReferences.length > 0 && ownerReferences.every(({ uid }) => !this.#keyByUid.has(uid));
      if (isOrphan) {
        client.delete(table, object);
      }
    } else if (finalizers.includes('orphan')) {
      this.#release(object, client);
      client.write(table, object, withoutFinalizer(object, 'orphan'));
    } else if (
      finalizers.includes('foregroundDeletion') &&
      this.#deleteDependents(object, client)
    ) {
      client.write(table, object, withoutFinalizer(object, 'foregroundDeletion'));
    }
    return undefined;
  }

  #keysOf({ table, object, previous, removed }: TableChange): Iterable<string> {
    const key = `${table}|${tableKey(object.metadata.namespace, object.metadata.name)}`;
    const { uid = '' } = object.metadata;
    const before = ownersOf(previous);
    const after = removed ? [] : ownersOf(object);
    for (const owner of before) {
      this.#dependentsByOwner.get(owner)?.delete(key);
    }
    for (const owner of after) {
      const dependents = this.#dependentsByOwner.get(owner) ?? new Set();
      this.#dependentsByOwner.set(owner, dependents.add(key));
    }
    if (removed) {
      const dependents = this.#dependentsByOwner.get(uid) ?? [];
      this.#dependentsByOwner.delete(uid);
      this.#keyByUid.delete(uid);
      const owners = before.flatMap((owner) => this.#keyByUid.get(owner) ?? []);
      return [...dependents, ...owners];
    }
    this.#keyByUid.set(uid, key);
    return after.length > 0 || object.metadata.deletionTimestamp !== undefined ? [key] : [];
  }

  #dependentsOf(owner: KubernetesObject, client: ControllerClient): readonly Found[] {
    const keys = this.#dependentsByOwner.get(owner.metadata.uid ?? '') ?? [];
    return [...keys].flatMap((key) => read(key, client) ?? []);
  }

  #release(owner: KubernetesObject, client: ControllerClient): void {
    for (const { table, object } of this.#dependentsOf(owner, client)) {
      const kept = (object.metadata.ownerReferences ?? []).filter(
        ({ uid }) => uid !== owner.metadata.uid,
      );
      client.write(table, object, withValueAt(object, ['metadata', 'ownerReferences'], kept));
    }
  }

  /** True once no dependent is left. */
  #deleteDependents(owner: KubernetesObject, client: ControllerClient): boolean {
    for (const { table, object } of this.#dependentsOf(owner, client)) {
      if (object.metadata.deletionTimestamp === undefined) {
        client.delete(table, object);
      }
    }
    return this.#dependentsOf(owner, client).length === 0;
  }
}

interface Found {
  readonly table: string;
  readonly object: KubernetesObject;
}

function read(key: string, client: ControllerClient): Found | undefined {
  const bar = key.indexOf('|');
  const table = key.slice(0, bar);
  const object = client.get(table, key.slice(bar + 1));
  return object && client.registry.findTable(table) && { table, object };
}

function ownersOf(object: KubernetesObject | undefined): readonly string[] {
  return (object?.metadata.ownerReferences ?? []).map(({ uid }) => uid);
}
