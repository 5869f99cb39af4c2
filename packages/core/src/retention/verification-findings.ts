import type { StoredFile } from '../catalog/stored-file.ts';
import { isLifeboatError, messageOf } from '../errors.ts';
import type { Issue } from '../model/issue.ts';
import type { ResourceIdentifier } from '../model/kubernetes.ts';

// Each is held in memory, and whoever writes a backup could make one for every object.
const mostObjectErrors = 1_000;

/** What a verification has found so far. Of errors about single objects it keeps the first 1,000 and the number of the others. */
export class Findings {
  readonly #issues: Issue[] = [];
  #objectErrors = 0;

  get issues(): readonly Issue[] {
    const unnamed = this.#objectErrors - mostObjectErrors;
    return unnamed <= 0
      ? this.#issues
      : [
          ...this.#issues,
          {
            severity: 'error',
            reason: 'CorruptBackup',
            message: `${unnamed} more errors of objects are not named here`,
          },
        ];
  }

  addError(reason: string, message: string, object?: ResourceIdentifier): void {
    if (object !== undefined) {
      this.#objectErrors += 1;
      if (this.#objectErrors > mostObjectErrors) {
        return;
      }
    }
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
      // A file that is read for two reasons is wrong but once.
      const message = messageOf(error);
      if (!this.#issues.some((issue) => issue.message === message)) {
        this.addError('CorruptBackup', message);
      }
      return undefined;
    }
  }
}
