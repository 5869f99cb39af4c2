import type { ResourceIdentifier } from '../model/kubernetes.ts';

/**
 * Makes names fit to be kept by the ten thousands. Names that were cut out of a longer text, such as the path of a file, keep that text
 * in memory; and each object brings the name of its namespace and its resource anew.
 */
export class KeptNames {
  readonly #shared = new Map<string, string>();

  /** An identifier with the same names, in texts of their own; those of resource and namespace are shared. */
  kept({ groupResource, namespace, name }: ResourceIdentifier): ResourceIdentifier {
    const named = { groupResource: this.#share(groupResource), name: copyOf(name) };
    return namespace === undefined ? named : { ...named, namespace: this.#share(namespace) };
  }

  #share(text: string): string {
    const known = this.#shared.get(text);
    if (known !== undefined) {
      return known;
    }
    const copy = copyOf(text);
    this.#shared.set(copy, copy);
    return copy;
  }
}

// There is no other way to a text that is no part of another.
function copyOf(text: string): string {
  return Buffer.from(text).toString();
}
