import { inject } from 'vitest';
import type { ProvidedObjectStores, ProvidedServer } from './global-setup.ts';
import type { AzureServer, GcsServer, S3Server } from './servers.ts';

/** The servers by what they speak. */
export interface ObjectStoreServers {
  readonly s3: S3Server;
  readonly gcs: GcsServer;
  readonly azure: AzureServer;
}

/** Why there is no such server here, or undefined if there is one: for `describe.skipIf`. Under CI there always is. */
export function serverUnavailable(kind: keyof ObjectStoreServers): string | undefined {
  const provided: ProvidedServer<unknown> = inject('objectStores')[kind];
  return provided.available ? undefined : provided.reason;
}

/** The server of this run. The tests of all files share it: each uses a bucket of its own. */
export function objectStoreServer<Kind extends keyof ObjectStoreServers>(
  kind: Kind,
): ObjectStoreServers[Kind] {
  const provided = inject('objectStores')[kind] as Extract<
    ProvidedObjectStores[Kind],
    { available: boolean }
  >;
  if (!provided.available) throw new Error(provided.reason);
  return provided.server as ObjectStoreServers[Kind];
}
