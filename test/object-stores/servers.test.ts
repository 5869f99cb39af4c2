import { expect, it } from 'vitest';
import { objectStoreServer, serverUnavailable } from './object-store-server.ts';

it.for(['s3', 'gcs', 'azure'] as const)('%s answers', async (kind, { skip }) => {
  const reason = serverUnavailable(kind);
  if (reason !== undefined) skip(reason);
  const { endpoint } = objectStoreServer(kind);
  const response = await fetch(endpoint);
  expect(response.status).toBeGreaterThan(0);
});
