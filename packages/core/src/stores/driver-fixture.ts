import { Readable } from 'node:stream';
import { expect } from 'vitest';
import type { ObjectStoreDriver, StoreFailure } from './object-store-driver.ts';

export const text: Buffer = Buffer.from('text');

/** What a provider's client throws. */
export class ClientError extends Error {
  readonly failure: StoreFailure;

  constructor(failure: StoreFailure) {
    super('the client failed');
    this.failure = failure;
  }
}

export const missing: ClientError = new ClientError({
  code: 'NotFound',
  reason: 'it does not exist',
});

/** A driver that does nothing; tests say what else. */
export function driverWith(changes: Partial<ObjectStoreDriver> = {}): ObjectStoreDriver {
  return {
    location: 'test://bucket/prod/',
    capabilities: { ifAbsent: true },
    prefix: 'prod/',
    putBytes: async () => undefined,
    putStream: async (_key, body) => {
      for await (const chunk of body) expect(chunk).toBeDefined();
    },
    get: async () => Readable.from([text]),
    stat: async () => ({ sizeBytes: 4 }),
    listPage: async () => ({ objects: [], prefixes: [] }),
    delete: async () => undefined,
    signUrl: async (key) => `https://example.com/${key}`,
    getLock: async () => ({ legalHold: false }),
    putLock: async () => undefined,
    close: async () => undefined,
    failureOf: (error) =>
      error instanceof ClientError ? error.failure : { code: 'Unknown', reason: String(error) },
    ...changes,
  };
}
