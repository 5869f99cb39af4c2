import type { StoredFile } from '../catalog/stored-file.ts';
import { isLifeboatError, messageOf } from '../errors.ts';
import type { Issue } from '../model/issue.ts';
import type { ResourceIdentifier } from '../model/kubernetes.ts';

/** What a verification has found so far. */
export class Findings {
  readonly #issues: Issue[] = [];

  get issues(): readonly Issue[] {
    return this.#issues;
  }

  addError(reason: string, message: string, object?: ResourceIdentifier): void {
    this.#issues.push({ severity: 'error', reason, message, ...(object && { object }) });
  }

  addWarning(reason: string, message: string): void {
    this.#issues.push({ severity: 'warning', reason, message });
  }

  /** Holds a file against the manifest; it is absent when it is not in the store. */
  compareFile(expected: StoredFile, found: StoredFile | undefined): void {
    const { fileName } = expected;
    if (found === undefined) {
      this.addError('FileMissing', `${fileName} is missing in the store`);
    } else if (found.sizeBytes !== expected.sizeBytes) {
      this.addError(
        'FileDamaged',
        `${fileName} has ${found.sizeBytes} bytes; ${expected.sizeBytes} were written`,
      );
    } else if (found.sha256 !== expected.sha256) {
      this.addError('FileDamaged', `${fileName} does not have the digest it was written with`);
    }
  }

  /** Does some reading; that what is read is corrupt becomes an error, and the result is then `undefined`. */
  async unlessCorrupt<T>(read: () => Promise<T>): Promise<T | undefined> {
    try {
      return await read();
    } catch (error) {
      if (!isLifeboatError(error, 'CorruptBackup')) {
        throw error;
      }
      this.addError('CorruptBackup', messageOf(error));
      return undefined;
    }
  }
}
