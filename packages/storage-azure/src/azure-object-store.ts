import { DrivenObjectStore, ObjectStoreError } from '@lifeboat/core';
import { AzureDriver } from './azure-driver.ts';
import {
  type AzureObjectStoreOptions,
  longestPartBytes,
  longestSingleRequestBytes,
} from './options.ts';

/**
 * Keeps backups in a container of Azure Blob Storage.
 *
 * - Streams of more than one part go up as blocks. What an upload that fails or is aborted has sent is seen by no reader, and the
 *   service drops it: when the object is written, else after a week.
 * - Lists are in key order, which a storage account with a hierarchical namespace does not keep: use one without.
 * - Locks need a container with version-level immutability.
 *
 * @example
 * ```ts
 * await using store = new AzureObjectStore({
 *   container: 'backups',
 *   prefix: 'prod-eu/',
 *   access: { endpoint: 'https://shop.blob.core.windows.net', tokenCredential: new DefaultAzureCredential() },
 * });
 * ```
 */
export class AzureObjectStore extends DrivenObjectStore {
  /** @throws {ObjectStoreError} code InvalidConfig, when an option cannot be used. */
  constructor(options: AzureObjectStoreOptions) {
    assertUsable(options);
    super(driverOf(options), { stalledAfterMs: options.stalledAfterMs });
  }
}

function driverOf(options: AzureObjectStoreOptions): AzureDriver {
  try {
    return new AzureDriver(options);
  } catch {
    // Without a cause: the client's message quotes what it was given.
    throw invalid(
      'access cannot be used: the endpoint, key or connection string is malformed',
      options,
    );
  }
}

function assertUsable(options: AzureObjectStoreOptions): void {
  const { container, prefix = '', partSizeBytes = 1, concurrency = 1 } = options;
  const { singleRequestBytes = 0 } = options;
  const problems = [
    container === '' && 'container is empty',
    prefix !== '' && !prefix.endsWith('/') && 'prefix does not end with "/"',
    !(partSizeBytes >= 1 && partSizeBytes <= longestPartBytes) &&
      `partSizeBytes is not between 1 and ${longestPartBytes}`,
    !(singleRequestBytes >= 0 && singleRequestBytes <= longestSingleRequestBytes) &&
      `singleRequestBytes is not between 0 and ${longestSingleRequestBytes}`,
    !(concurrency >= 1) && 'concurrency is less than 1',
  ].filter((problem) => problem !== false);
  if (problems.length > 0) {
    throw invalid(problems.join('; '), options);
  }
}

function invalid(problem: string, { container }: AzureObjectStoreOptions): ObjectStoreError {
  return new ObjectStoreError(`AzureObjectStore: ${problem}`, {
    code: 'InvalidConfig',
    operation: 'AzureObjectStore',
    target: container,
  });
}
