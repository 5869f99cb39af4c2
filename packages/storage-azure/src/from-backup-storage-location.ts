import { type BackupStorageLocationSpec, LocationConfig } from '@lifeboat/core';
import { AzureObjectStore } from './azure-object-store.ts';
import type { AzureAccess, AzureTokenCredential } from './options.ts';

/** Options of {@link azureObjectStoreFromLocation}. */
export interface AzureLocationOptions {
  /** What the Secret holds that the location's `credential` names: lines `NAME=value`. */
  readonly credential?: string | undefined;
  /** What `config.useAAD` uses: any credential of `@azure/identity`. */
  readonly tokenCredential?: AzureTokenCredential | undefined;
}

const keys = [
  ...['resourceGroup', 'storageAccount', 'storageAccountKeyEnvVar', 'subscriptionId'],
  ...['storageAccountURI', 'useAAD', 'activeDirectoryAuthorityURI', 'blockSizeInBytes'],
];
const longestBlockBytes = 104_857_600;

/** `AZURE_CLOUD_NAME` of the credential, and where its storage accounts are. */
const domains: ReadonlyMap<string, string> = new Map([
  ['AzurePublicCloud', 'blob.core.windows.net'],
  ['AzureUSGovernmentCloud', 'blob.core.usgovcloudapi.net'],
  ['AzureChinaCloud', 'blob.core.chinacloudapi.cn'],
]);

/**
 * Opens the store that a BackupStorageLocation of provider `azure` describes.
 *
 * - `config.storageAccountKeyEnvVar` names a line of the credential; with `config.useAAD` the token credential is used. A key is not
 *   looked up with `resourceGroup` and `subscriptionId`: these and `activeDirectoryAuthorityURI` are accepted and have no effect.
 *
 * @throws {ObjectStoreError} code InvalidConfig, naming every setting that is wrong.
 */
export function azureObjectStoreFromLocation(
  spec: BackupStorageLocationSpec,
  { credential, tokenCredential }: AzureLocationOptions = {},
): AzureObjectStore {
  const config = new LocationConfig(spec, 'azure', keys);
  const variables = variablesOf(credential ?? '');
  const access = accessOf(config, variables, tokenCredential);
  const partSizeBytes = blockSizeOf(config);
  if (spec.credential !== undefined && credential === undefined) {
    config.problem('credential', 'names a Secret; give what it holds as the option `credential`');
  }
  if (spec.objectStorage.caCert !== undefined) {
    config.problem(
      'objectStorage.caCert',
      'is not supported; start Node.js with NODE_EXTRA_CA_CERTS',
    );
  }
  config.assertValid();
  const { bucket: container } = spec.objectStorage;
  return new AzureObjectStore({ container, prefix: config.prefix, access, partSizeBytes });
}

function accessOf(
  config: LocationConfig,
  variables: ReadonlyMap<string, string>,
  tokenCredential: AzureTokenCredential | undefined,
): AzureAccess {
  const accountName = config.text('storageAccount') ?? '';
  const endpoint = endpointOf(config, accountName, variables);
  const keyVariable = config.text('storageAccountKeyEnvVar');
  if (accountName === '') {
    config.problem('config.storageAccount', 'is missing');
  }
  if (config.flag('useAAD')) {
    if (keyVariable !== undefined) {
      config.problem('config.storageAccountKeyEnvVar', 'cannot be given together with useAAD');
    }
    if (tokenCredential === undefined) {
      config.problem('config.useAAD', 'needs the option `tokenCredential`');
      return { connectionString: '' };
    }
    return { endpoint, tokenCredential };
  }
  if (keyVariable === undefined) {
    config.problem('config', 'has neither storageAccountKeyEnvVar nor useAAD');
    return { connectionString: '' };
  }
  const accountKey = variables.get(keyVariable) ?? '';
  if (accountKey === '') {
    config.problem('config.storageAccountKeyEnvVar', 'names nothing that the credential has');
  }
  return { endpoint, accountName, accountKey };
}

function endpointOf(
  config: LocationConfig,
  accountName: string,
  variables: ReadonlyMap<string, string>,
): string {
  const cloud = variables.get('AZURE_CLOUD_NAME') ?? 'AzurePublicCloud';
  const domain = domains.get(cloud);
  if (domain === undefined) {
    config.problem('credential', 'has an AZURE_CLOUD_NAME that is not known');
  }
  return config.url('storageAccountURI') ?? `https://${accountName}.${domain}`;
}

function blockSizeOf(config: LocationConfig): number | undefined {
  const text = config.text('blockSizeInBytes');
  if (text === undefined) {
    return undefined;
  }
  const size = /^\d+$/.test(text) ? Number(text) : 0;
  if (size < 1 || size > longestBlockBytes) {
    config.problem('config.blockSizeInBytes', `is not between 1 and ${longestBlockBytes}`);
  }
  return size;
}

/** Lines `NAME=value`, the value perhaps in quotes; `#` starts a comment. */
function variablesOf(text: string): ReadonlyMap<string, string> {
  const lines = text.matchAll(/^\s*(?:export\s+)?([A-Za-z_]\w*)\s*=\s*(.*?)\s*$/gm);
  return new Map(
    lines.map(([, name = '', value = '']) => [name, value.replace(/^(["'])(.*)\1$/, '$2')]),
  );
}
