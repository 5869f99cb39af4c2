import type { ArchiveWriter } from '../archive/archive-writer.ts';
import { writableEntryPathsOf } from '../archive/entry-path.ts';
import type { PlannedItem, PlannedReason } from '../model/backup-plan.ts';
import {
  type ApiResource,
  describeObject,
  type GroupVersionResource,
  groupResourceOf,
  identifierOf,
  type KubernetesObject,
  referenceTo,
} from '../model/kubernetes.ts';
import { Resources } from '../model/resources.ts';
import type { BackupScope } from './backup-scope.ts';
import type { Pull } from './item-actions.ts';

/** Stands in for the archive of a backup: remembers the name of each object and why it is there, and drops the object. */
export class PlanRecorder implements ArchiveWriter {
  readonly #scope: BackupScope;
  readonly #items: PlannedItem[] = [];
  // Of what was pulled along and not yet written.
  readonly #pulls = new Map<string, PlannedReason>();
  // Most objects have the reason of many others: one value for all of them.
  readonly #reasons = new Map<string, PlannedReason>();

  constructor(scope: BackupScope) {
    this.#scope = scope;
  }

  /** The objects so far, in the order in which they would be written. */
  get items(): readonly PlannedItem[] {
    return this.#items;
  }

  /** Remembers why the object that is pulled along will be written. */
  notePull({ reference, parent, action }: Pull): void {
    const reason = { type: 'pulledAlong', parent: identifierOf(parent), action } as const;
    this.#pulls.set(describeObject(reference), reason);
  }

  async writeObject(resource: GroupVersionResource, object: KubernetesObject): Promise<void> {
    const reference = referenceTo(resource, object);
    writableEntryPathsOf(reference);
    const { apiVersion, kind } = object;
    const reason = this.#reasonOf(resource, object);
    this.#items.push({ ...identifierOf(reference), apiVersion, kind, reason });
  }

  #reasonOf(resource: GroupVersionResource, object: KubernetesObject): PlannedReason {
    const key = describeObject(referenceTo(resource, object));
    const pull = this.#pulls.get(key);
    if (pull !== undefined) {
      this.#pulls.delete(key);
      return pull;
    }
    const { filter, resources } = this.#scope;
    const groupResource = groupResourceOf(resource);
    const isNamespace = groupResource === groupResourceOf(Resources.namespaces);
    if (isNamespace && !filter.includesNamespaceObject(object)) {
      return { type: 'namespaceOfItems' };
    }
    const listed = isNamespace
      ? this.#scope.findResource(groupResource)
      : resources.find((one) => groupResourceOf(one) === groupResource);
    return listed === undefined ? { type: 'snapshotClass' } : this.#selection(listed, object);
  }

  #selection(resource: ApiResource, object: KubernetesObject): PlannedReason {
    const reason = {
      type: 'selected',
      ...this.#scope.filter.selectionOf(resource, object),
    } as const;
    const { namespaces = '', resources, labels = '' } = reason;
    const key = JSON.stringify([namespaces, resources, labels]);
    const known = this.#reasons.get(key) ?? reason;
    this.#reasons.set(key, known);
    return known;
  }
}
