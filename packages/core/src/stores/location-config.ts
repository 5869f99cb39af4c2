import { ObjectStoreError } from '../errors.ts';
import type { BackupStorageLocationSpec } from '../model/backup-storage-location.ts';

const operation = 'ObjectStore.fromLocation';

/**
 * Reads the settings of a BackupStorageLocation for an adapter, and collects what is wrong with them, so that a user sees all of
 * it at once. Messages name the keys and say nothing of the values, which may be secret.
 */
export class LocationConfig {
  readonly #spec: BackupStorageLocationSpec;
  readonly #problems: string[] = [];

  /** @param provider - without `velero.io/`. @param keys - every key that `config` may have. */
  constructor(spec: BackupStorageLocationSpec, provider: string, keys: readonly string[]) {
    this.#spec = spec;
    if (spec.provider !== provider && spec.provider !== `velero.io/${provider}`) {
      this.problem('provider', `is ${JSON.stringify(spec.provider)}, not "${provider}"`);
    }
    if (spec.objectStorage.bucket === '') {
      this.problem('objectStorage.bucket', 'is empty');
    }
    for (const key of Object.keys(spec.config ?? {})) {
      if (!keys.includes(key)) {
        this.problem(
          `config.${key}`,
          `is no setting of "${provider}"; there are ${keys.join(', ')}`,
        );
      }
    }
  }

  /** The setting; `undefined` when it is missing. */
  text(key: string): string | undefined {
    return this.#spec.config?.[key];
  }

  /** Whether the setting is "true". */
  flag(key: string): boolean {
    const text = this.text(key);
    if (text !== undefined && text !== 'true' && text !== 'false') {
      this.problem(`config.${key}`, 'is neither "true" nor "false"');
    }
    return text === 'true';
  }

  /** The setting, one of those allowed; `undefined` when it is missing. */
  choice<Value extends string>(key: string, allowed: readonly Value[]): Value | undefined {
    const text = this.text(key);
    const value = allowed.find((each) => each === text);
    if (text !== undefined && value === undefined) {
      this.problem(`config.${key}`, `is none of ${allowed.map((each) => `"${each}"`).join(', ')}`);
    }
    return value;
  }

  /** The setting as a URL, given back as it was written; `undefined` when it is missing. */
  url(key: string): string | undefined {
    const text = this.text(key);
    const protocol = text === undefined ? undefined : URL.parse(text)?.protocol;
    if (text !== undefined && protocol !== 'http:' && protocol !== 'https:') {
      this.problem(`config.${key}`, 'is no http or https URL');
    }
    return text;
  }

  /** The prefix as stores take it: `''` or ending in `/`. */
  get prefix(): string {
    const prefix = (this.#spec.objectStorage.prefix ?? '').replace(/^\/+|\/+$/g, '');
    return prefix === '' ? '' : `${prefix}/`;
  }

  /** Notes what is wrong: the path below `spec`, and what is the matter with it. */
  problem(path: string, rule: string): void {
    this.#problems.push(`spec.${path} ${rule}`);
  }

  /**
   * Ends the reading.
   *
   * @throws {ObjectStoreError} code InvalidConfig, naming everything that is wrong.
   */
  assertValid(): void {
    if (this.#problems.length > 0) {
      throw new ObjectStoreError(
        `${operation}: the backup storage location cannot be used: ${this.#problems.join('; ')}`,
        { code: 'InvalidConfig', operation, target: this.#spec.objectStorage.bucket },
      );
    }
  }
}
