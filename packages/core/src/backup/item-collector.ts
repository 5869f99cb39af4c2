import { isLifeboatError, isServerUnreachable, messageOf } from '../errors.ts';
import { type BegunList, beginList, resumed } from '../internal/begun-list.ts';
import type { LabelSelector } from '../model/backup.ts';
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
  /** How many lists are read at a time. @default 1 */
  readonly lists?: number | undefined;
  readonly signal: AbortSignal;
}

/** One list of a resource: of one namespace or of all, of the objects that match one selector or of all. */
interface ListScope {
  readonly namespace: string | undefined;
  readonly selector: LabelSelector | undefined;
  /** What an object of this list matches when an earlier list of the same namespace has it too. */
  readonly earlier: readonly LabelSelector[];
}

/** How far one list has come: the key of the last object it yielded, or all the way. */
type Reach = { readonly lastKey: string } | 'the end';

/**
 * Lists one resource after another, and knows where it stands. The first pages of the lists that come next are read meanwhile, so that
 * memory is bounded by the number of lists read at a time, whatever there is.
 * A resource that cannot be
 * listed is an issue and the others go on, unless the API server is out of reach: then the list rejects. A resource that is
 * no longer served has nothing to list.
 */
export class ItemCollector {
  readonly #options: ItemCollectorOptions;
  // By resource, namespace and selector; a resource that was listed whole is one entry, whatever the number of them.
  readonly #reached = new Map<string, Reach>();
  readonly #begun = new Map<string, BegunList<KubernetesObject>>();

  constructor(options: ItemCollectorOptions) {
    this.#options = options;
  }

  /** Yields every object to back up, once. */
  async *items(): AsyncIterable<CollectedItem> {
    for (const resource of this.#options.scope.resources) {
      yield* this.itemsOf(resource);
    }
  }

  /**
   * Yields every object of one resource, once.
   *
   * @param upcoming The resources that will be listed next, whose lists may begin. @default nothing is read ahead
   * @param admits Which objects to yield; asked at the moment from which on an object counts as passed. @default all of them
   */
  async *itemsOf(
    resource: ApiResource,
    upcoming?: readonly ApiResource[],
    admits: (object: KubernetesObject) => boolean = () => true,
  ): AsyncIterable<CollectedItem> {
    const scopes = this.#scopesOf(resource);
    for (const [index, scope] of scopes.entries()) {
      if (upcoming !== undefined) {
        this.#readAhead(resource, scopes.slice(index), upcoming);
      }
      yield* this.#list(resource, scope, admits);
    }
    const keys = scopes.map((scope) => scopeKey(resource, scope));
    if (keys.every((key) => this.#reached.get(key) === 'the end')) {
      for (const key of keys) {
        this.#reached.delete(key);
      }
      this.#reached.set(groupResourceOf(resource), 'the end');
    }
  }

  /** Ends what was read ahead and is not wanted any more, after an abort. */
  async close(): Promise<void> {
    const begun = [...this.#begun.values()];
    this.#begun.clear();
    await Promise.allSettled(
      begun.map(async ({ objects }) => {
        await objects.return?.();
      }),
    );
  }

  /** Whether a list of an object's resource has it. */
  selects(reference: ObjectReference, object: KubernetesObject): boolean {
    return this.#selectorsFor(reference, object).length > 0;
  }

  /** Whether listing has met an object already; then it is stored, or was left out on purpose. */
  hasPassed(reference: ObjectReference, object: KubernetesObject): boolean {
    const { namespace } = reference;
    const selectors = this.#selectorsFor(reference, object);
    if (this.#reached.get(groupResourceOf(reference)) === 'the end') {
      return selectors.length > 0;
    }
    return selectors.some((selector) => {
      const reach =
        this.#reached.get(scopeKey(reference, { namespace: undefined, selector })) ??
        this.#reached.get(scopeKey(reference, { namespace, selector }));
      return (
        reach === 'the end' ||
        (reach !== undefined && compareCodePoints(listKeyOf(object), reach.lastKey) <= 0)
      );
    });
  }

  /** The selectors of the lists that have an object. */
  #selectorsFor(
    { namespace }: ObjectReference,
    object: KubernetesObject,
  ): readonly (LabelSelector | undefined)[] {
    const { filter, namespaces } = this.#options.scope;
    const isListed =
      namespace === undefined || namespaces === undefined || namespaces.includes(namespace);
    return isListed ? selectorsOf(filter.labelSelectors).filter((one) => matches(object, one)) : [];
  }

  // Asked only when a list says that there is no such resource: one whose definition was deleted while the backup ran has
  // taken its objects along, and what is gone is not missing from the backup.
  async #isServed(resource: ApiResource): Promise<boolean> {
    const { cluster, signal } = this.#options;
    const { resources, failures } = await cluster.discover({ signal });
    const isSame = ({
      group,
      version,
    }: {
      readonly group: string;
      readonly version: string;
    }): boolean => group === resource.group && version === resource.version;
    return (
      failures.some(isSame) ||
      resources.some((served) => isSame(served) && served.resource === resource.resource)
    );
  }

  #scopesOf({ namespaced }: ApiResource): readonly ListScope[] {
    const { filter, namespaces } = this.#options.scope;
    const { labelSelectors } = filter;
    return (namespaced && namespaces !== undefined ? namespaces : [undefined]).flatMap(
      (namespace) =>
        selectorsOf(labelSelectors).map((selector, index) => ({
          namespace,
          selector,
          earlier: labelSelectors.slice(0, index),
        })),
    );
  }

  /** Begins the lists that come next, until as many are under way as may be. */
  #readAhead(
    resource: ApiResource,
    scopes: readonly ListScope[],
    upcoming: readonly ApiResource[],
  ): void {
    let room = this.#options.lists ?? 1;
    for (const scope of scopes.slice(0, room)) {
      this.#begin(resource, scope);
      room -= 1;
    }
    for (const next of upcoming) {
      if (room <= 0) {
        return;
      }
      for (const scope of this.#scopesOf(next).slice(0, room)) {
        this.#begin(next, scope);
        room -= 1;
      }
    }
  }

  #begin(resource: ApiResource, scope: ListScope): void {
    const key = scopeKey(resource, scope);
    if (!this.#begun.has(key)) {
      this.#begun.set(key, beginList(this.#open(resource, scope)));
    }
  }

  #open(
    resource: ApiResource,
    { namespace, selector }: ListScope,
  ): AsyncIterable<KubernetesObject> {
    const { cluster, record, signal } = this.#options;
    return cluster.list(resource, {
      signal,
      namespace,
      labelSelector: selector && formatLabelSelector(selector),
      onInconsistent: () => {
        record.addWarning({
          reason: 'ListNotAtomic',
          message: `listing ${groupResourceOf(resource)} took longer than the API server keeps a snapshot; objects changed meanwhile are stored as they were when they were read`,
        });
      },
    });
  }

  async *#list(
    resource: ApiResource,
    scope: ListScope,
    admits: (object: KubernetesObject) => boolean,
  ): AsyncIterable<CollectedItem> {
    const { record, signal } = this.#options;
    const { namespace, earlier } = scope;
    const groupResource = groupResourceOf(resource);
    const key = scopeKey(resource, scope);
    const begun = this.#begun.get(key);
    this.#begun.delete(key);
    try {
      for await (const object of begun ? resumed(begun) : this.#open(resource, scope)) {
        this.#reached.set(key, { lastKey: listKeyOf(object) });
        if (!earlier.some((one) => matches(object, one)) && admits(object)) {
          yield { resource, object };
        }
      }
      this.#reached.set(key, 'the end');
    } catch (error) {
      signal.throwIfAborted();
      if (isServerUnreachable(error)) {
        throw error;
      }
      if (isLifeboatError(error, 'NotFound') && !(await this.#isServed(resource))) {
        return;
      }
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

function selectorsOf(selectors: readonly LabelSelector[]): readonly (LabelSelector | undefined)[] {
  return selectors.length === 0 ? [undefined] : selectors;
}

function matches({ metadata }: KubernetesObject, selector: LabelSelector | undefined): boolean {
  return selector === undefined || matchesLabelSelector(metadata.labels, selector);
}

function scopeKey(
  resource: { readonly group: string; readonly resource: string },
  { namespace = '', selector }: Pick<ListScope, 'namespace' | 'selector'>,
): string {
  return `${groupResourceOf(resource)}/${namespace}/${selector === undefined ? '' : formatLabelSelector(selector)}`;
}

/** The key that lists are ordered by. */
function listKeyOf({ metadata: { namespace, name } }: KubernetesObject): string {
  return namespace === undefined ? name : `${namespace}/${name}`;
}
