import { messageOf } from '../errors.ts';
import { compareCodePoints } from '../model/json.ts';
import {
  type ApiResource,
  groupResourceOf,
  type KubernetesObject,
  type ObjectReference,
} from '../model/kubernetes.ts';
import { formatLabelSelector, matchesLabelSelector } from '../model/label-selector.ts';
import type { Cluster } from '../ports/cluster.ts';
import type { BackupRecord } from './backup-record.ts';
import type { BackupScope } from './backup-scope.ts';

/** An object that listing met, with the resource it belongs to. */
export interface CollectedItem {
  readonly resource: ApiResource;
  readonly object: KubernetesObject;
}

/** What an {@link ItemCollector} lists. */
export interface ItemCollectorOptions {
  readonly cluster: Cluster;
  readonly scope: BackupScope;
  readonly record: BackupRecord;
  readonly signal: AbortSignal;
}

interface Position {
  readonly groupResource: string;
  namespace: string;
  name: string;
}

/**
 * Lists one resource after another, one page in memory at a time, and knows where it stands. A resource that cannot be
 * listed is an issue; the others go on.
 */
export class ItemCollector {
  readonly #options: ItemCollectorOptions;
  readonly #finished = new Set<string>();
  #position: Position | undefined;

  constructor(options: ItemCollectorOptions) {
    this.#options = options;
  }

  /** Yields every object to back up, once. */
  async *items(): AsyncIterable<CollectedItem> {
    const { namespaces, resources } = this.#options.scope;
    for (const resource of resources) {
      const groupResource = groupResourceOf(resource);
      const position: Position = { groupResource, namespace: '', name: '' };
      this.#position = position;
      const scopes = resource.namespaced && namespaces !== undefined ? namespaces : [undefined];
      for (const namespace of scopes) {
        for await (const object of this.#list(resource, namespace)) {
          position.namespace = object.metadata.namespace ?? '';
          position.name = object.metadata.name;
          yield { resource, object };
        }
      }
      this.#finished.add(groupResource);
    }
    this.#position = undefined;
  }

  /** Whether listing has met an object already; then it is stored, or was left out on purpose. */
  hasPassed(reference: ObjectReference, object: KubernetesObject): boolean {
    const { filter, namespaces } = this.#options.scope;
    const { labelSelector } = filter;
    const { namespace } = reference;
    if (
      (labelSelector !== undefined &&
        !matchesLabelSelector(object.metadata.labels, labelSelector)) ||
      (namespace !== undefined && namespaces !== undefined && !namespaces.includes(namespace))
    ) {
      return false;
    }
    const groupResource = groupResourceOf(reference);
    if (this.#finished.has(groupResource)) {
      return true;
    }
    const position = this.#position;
    if (position?.groupResource !== groupResource) {
      return false;
    }
    const order =
      compareCodePoints(namespace ?? '', position.namespace) ||
      compareCodePoints(reference.name, position.name);
    return order <= 0;
  }

  async *#list(
    resource: ApiResource,
    namespace: string | undefined,
  ): AsyncIterable<KubernetesObject> {
    const { cluster, record, scope, signal } = this.#options;
    const { labelSelector } = scope.filter;
    const groupResource = groupResourceOf(resource);
    try {
      yield* cluster.list(resource, {
        signal,
        namespace,
        labelSelector: labelSelector && formatLabelSelector(labelSelector),
        onInconsistent: () => {
          record.addWarning({
            reason: 'ListNotAtomic',
            message: `listing ${groupResource} took longer than the API server keeps a snapshot; objects changed meanwhile are stored as they were when they were read`,
          });
        },
      });
    } catch (error) {
      signal.throwIfAborted();
      const where = namespace === undefined ? '' : ` in namespace ${namespace}`;
      record.addError(
        {
          reason: 'ListFailed',
          message: `listing ${groupResource}${where} failed: ${messageOf(error)}`,
        },
        error,
      );
    }
  }
}
