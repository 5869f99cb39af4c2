import { Storage, type StorageOptions } from '@google-cloud/storage';
import { type BackupStorageLocationSpec, LocationConfig } from '@lifeboat/core';
import { GcsObjectStore } from './gcs-object-store.ts';

/** Options of {@link gcsObjectStoreFromLocation}. */
export interface GcsLocationOptions {
  /** What the Secret holds that the location's `credential` names: a service account key or another credentials document. */
  readonly credential?: string | undefined;
}

const keys = ['kmsKeyName', 'serviceAccount', 'credentialsFile', 'storeEndpoint', 'universeDomain'];

/**
 * Opens the store that a BackupStorageLocation of provider `gcp` describes.
 *
 * - Credentials are `credential`, else the file that `config.credentialsFile` names, else the application default credentials.
 * - `config.serviceAccount` is accepted and has no effect: URLs are signed by the account of the credentials.
 * - `config.storeEndpoint` gets credentials only over https.
 *
 * @throws {ObjectStoreError} code InvalidConfig, naming every setting that is wrong.
 */
export function gcsObjectStoreFromLocation(
  spec: BackupStorageLocationSpec,
  { credential }: GcsLocationOptions = {},
): GcsObjectStore {
  const config = new LocationConfig(spec, 'gcp', keys);
  const endpoint = config.url('storeEndpoint');
  const universeDomain = config.text('universeDomain');
  const kmsKeyName = config.text('kmsKeyName');
  const credentials = credentialsOf(config, spec, credential);
  if (endpoint !== undefined && universeDomain !== undefined) {
    config.problem('config.storeEndpoint', 'cannot be given together with universeDomain');
  }
  if (spec.objectStorage.caCert !== undefined) {
    config.problem(
      'objectStorage.caCert',
      'is not supported; start Node.js with NODE_EXTRA_CA_CERTS',
    );
  }
  config.assertValid();
  return new GcsObjectStore({
    bucket: spec.objectStorage.bucket,
    prefix: config.prefix,
    encryption: kmsKeyName === undefined ? undefined : { type: 'CMEK', kmsKeyName },
    client: new Storage({
      ...credentials,
      ...(universeDomain !== undefined && { universeDomain }),
      ...(endpoint !== undefined && {
        apiEndpoint: new URL(endpoint).origin,
        useAuthWithCustomEndpoint: endpoint.startsWith('https:'),
      }),
    }),
  });
}

function credentialsOf(
  config: LocationConfig,
  spec: BackupStorageLocationSpec,
  credential: string | undefined,
): Pick<StorageOptions, 'credentials' | 'keyFilename'> {
  const keyFilename = config.text('credentialsFile');
  if (credential !== undefined && keyFilename !== undefined) {
    config.problem('config.credentialsFile', 'cannot be used together with a credential');
  }
  if (spec.credential !== undefined && credential === undefined) {
    config.problem('credential', 'names a Secret; give what it holds as the option `credential`');
  }
  if (credential === undefined) {
    return keyFilename === undefined ? {} : { keyFilename };
  }
  const credentials = parseObject(credential);
  if (credentials === undefined) {
    config.problem('credential', 'is no JSON document of Google credentials');
    return {};
  }
  return { credentials };
}

function parseObject(text: string): object | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}
