import { DrivenObjectStore, ObjectStoreError } from '@lifeboat/core';
import { GcsDriver } from './gcs-driver.ts';
import { type GcsObjectStoreOptions, partSizeStepBytes } from './options.ts';

const customerKeyBytes = 32;

/**
 * Keeps backups in a bucket of Google Cloud Storage.
 *
 * - Streams go through an upload session, of which an upload that fails or is aborted leaves nothing. It is one request; when its
 *   connection breaks, the upload goes on with what the service has not kept, as often as the client retries.
 * - What is stored is compared by checksum with what was sent, and what is read whole with what is stored.
 * - A retention or hold of the bucket is told as Retained. A retention needs a bucket with object retention enabled.
 *
 * @example
 * ```ts
 * await using store = new GcsObjectStore({ bucket: 'backups', prefix: 'prod-eu/' });
 * ```
 */
export class GcsObjectStore extends DrivenObjectStore {
  /** @throws {ObjectStoreError} code InvalidConfig, when an option cannot be used. */
  constructor(options: GcsObjectStoreOptions) {
    assertUsable(options);
    super(new GcsDriver(options), { stalledAfterMs: options.stalledAfterMs });
  }
}

function assertUsable({
  bucket,
  prefix = '',
  partSizeBytes,
  encryption,
}: GcsObjectStoreOptions): void {
  const problems = [
    bucket === '' && 'bucket is empty',
    prefix !== '' && !prefix.endsWith('/') && 'prefix does not end with "/"',
    partSizeBytes !== undefined &&
      !(partSizeBytes > 0 && partSizeBytes % partSizeStepBytes === 0) &&
      `partSizeBytes is no multiple of ${partSizeStepBytes}`,
    encryption?.type === 'CSEK' &&
      encryption.key.byteLength !== customerKeyBytes &&
      `encryption.key has not ${customerKeyBytes} bytes`,
  ].filter((problem) => problem !== false);
  if (problems.length > 0) {
    throw new ObjectStoreError(`GcsObjectStore: ${problems.join('; ')}`, {
      code: 'InvalidConfig',
      operation: 'GcsObjectStore',
      target: bucket,
    });
  }
}
