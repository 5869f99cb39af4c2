/**
 * Lists the backups in the store that a BackupStorageLocation of Velero describes, whichever provider it names.
 *
 *     kubectl --namespace velero get backupstoragelocation default --output json > location.json
 *     node list-backups.ts location.json [CREDENTIALS]
 *
 * CREDENTIALS is a file with what the Secret holds that the location refers to. Only reads.
 *
 * Needs Node 24 and: npm install @lifeboat/core, and the packages of the providers that are used: @lifeboat/storage-s3 with
 * @aws-sdk/client-s3, @lifeboat/storage-gcs with @google-cloud/storage, @lifeboat/storage-azure with @azure/storage-blob.
 * Exit code: 0 done, 1 failed, 2 wrong arguments.
 */
import { readFile } from 'node:fs/promises';
import {
  type BackupStorageLocationSpec,
  type ObjectStore,
  readonlyObjectStore,
  retryingObjectStore,
} from '@lifeboat/core';

/** Opens the store of a location. The packages of the other providers need not be installed. */
async function openStore(
  spec: BackupStorageLocationSpec,
  credentials: string | undefined,
): Promise<ObjectStore> {
  switch (spec.provider.replace(/^velero\.io\//, '')) {
    case 'aws': {
      const { s3ObjectStoreFromLocation } = await import('@lifeboat/storage-s3');
      return s3ObjectStoreFromLocation(spec, { credentials });
    }
    case 'gcp': {
      const { gcsObjectStoreFromLocation } = await import('@lifeboat/storage-gcs');
      return gcsObjectStoreFromLocation(spec, { credential: credentials });
    }
    case 'azure': {
      const { azureObjectStoreFromLocation } = await import('@lifeboat/storage-azure');
      return azureObjectStoreFromLocation(spec, { credential: credentials });
    }
    default:
      throw new Error(`there is no store here for the provider ${spec.provider}`);
  }
}

const [locationFile, credentialsFile] = process.argv.slice(2);
if (locationFile === undefined) {
  console.error('usage: node list-backups.ts location.json [CREDENTIALS]');
  process.exit(2);
}

// Ctrl-C ends what is under way.
const interrupt = new AbortController();
process.once('SIGINT', () => interrupt.abort(new Error('interrupted')));

try {
  const { spec } = JSON.parse(await readFile(locationFile, 'utf8')) as {
    readonly spec: BackupStorageLocationSpec;
  };
  const credentials =
    credentialsFile === undefined ? undefined : await readFile(credentialsFile, 'utf8');
  await using store = await openStore(spec, credentials);
  const others = readonlyObjectStore(retryingObjectStore(store));
  for await (const folder of others.listPrefixes('backups/', { signal: interrupt.signal })) {
    console.log(folder.slice('backups/'.length, -1));
  }
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
