import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { TestCluster } from '../cluster/test-cluster.ts';

const folder = join(import.meta.dirname, '../vectors/manifests');

// Namespaces, and what is not in one: two tests at a time must not meet.
const shared = /\b(zoo2?(?:-(?:keeper|high|ic))?|static-pv|hooked)\b|\blab(?=\.example\.com)/g;

/** Gives what reference backups were made of names that no other test has, and takes them back. */
export class ReferenceNames {
  readonly #mark: string;

  constructor(kit: TestCluster) {
    this.#mark = kit.uniqueName('').slice(1);
  }

  /** Reads a manifest that was applied for a reference backup, under names of this test. */
  async manifest(file: string): Promise<string> {
    return this.ours(await readFile(join(folder, file), 'utf8'));
  }

  /** Text with the names of the reference → the same with the names of this test. */
  ours(text: string): string {
    return text.replaceAll(shared, (name) => `${name}-${this.#mark}`);
  }

  /** Whether a text has a name of this test. */
  isOurs(text: string): boolean {
    return text.includes(this.#mark);
  }

  /** Text with the names of this test → the same with the names of the reference. */
  theirs(text: string): string {
    return text.replaceAll(`-${this.#mark}`, '');
  }
}
