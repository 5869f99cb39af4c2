import type { ResourceIdentifier } from '../model/kubernetes.ts';

/**
 * The names of everything that a backup holds, whether it is selected, damaged or passed over. A resource counts without its group, for
 * the same object may be served in several: a name that is held too often keeps an object, one that is missing costs it.
 */
export class HeldNames {
  readonly #keys = new Set<string>();
  readonly #namespaces = new Set<string>();

  /** The namespaces that the backup holds, or holds objects of. */
  get namespaces(): ReadonlySet<string> {
    return this.#namespaces;
  }

  add(object: ResourceIdentifier): void {
    this.#keys.add(keyOf(object));
    if (object.namespace !== undefined) {
      this.#namespaces.add(object.namespace);
    } else if (object.groupResource === 'namespaces') {
      this.#namespaces.add(object.name);
    }
  }

  has(object: ResourceIdentifier): boolean {
    return this.#keys.has(keyOf(object));
  }
}

function keyOf({ groupResource, namespace = '', name }: ResourceIdentifier): string {
  const [resource = ''] = groupResource.split('.', 1);
  return `${resource}/${namespace}/${name}`;
}
