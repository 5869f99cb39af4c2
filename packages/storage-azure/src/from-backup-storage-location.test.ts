import type { BackupStorageLocationSpec } from '@lifeboat/core';
import { expect, it } from 'vitest';
import {
  type AzureLocationOptions,
  azureObjectStoreFromLocation,
} from './from-backup-storage-location.ts';

const key = Buffer.from('hush').toString('base64');
const credential = `# of the backup\nAZURE_KEY="${key}"\nAZURE_CLOUD_NAME=AzurePublicCloud\n`;
const tokenCredential = { getToken: async () => null };
const config = { storageAccount: 'shop', storageAccountKeyEnvVar: 'AZURE_KEY' };
const spec: BackupStorageLocationSpec = {
  provider: 'velero.io/azure',
  objectStorage: { bucket: 'backups', prefix: 'prod' },
  config,
};

it.each<readonly [BackupStorageLocationSpec['config'], AzureLocationOptions]>([
  [config, { credential }],
  [{ ...config, blockSizeInBytes: '1048576', resourceGroup: 'g' }, { credential }],
  [{ ...config, storageAccountURI: 'https://shop.blob.example.test' }, { credential }],
  [{ storageAccount: 'shop', useAAD: 'true', subscriptionId: 's' }, { tokenCredential }],
])('opens what %o describes', (given, options) => {
  const store = azureObjectStoreFromLocation(
    { ...spec, provider: 'azure', config: given },
    options,
  );
  expect(store.location).toBe('azure://shop/backups/prod/');
});

it.each<readonly [string, Partial<BackupStorageLocationSpec>, AzureLocationOptions]>([
  ['spec.provider is "gcp"', { provider: 'gcp' }, { credential }],
  ['spec.config.region is no setting', { config: { ...config, region: 'x' } }, { credential }],
  ['spec.config.storageAccount is missing', { config: {} }, { credential }],
  [
    'spec.config has neither storageAccountKeyEnvVar nor useAAD',
    { config: { storageAccount: 'shop' } },
    {},
  ],
  ['spec.config.storageAccountKeyEnvVar names nothing', {}, { credential: 'OTHER=hush' }],
  [
    'spec.config.storageAccountKeyEnvVar cannot be given together with useAAD',
    { config: { ...config, useAAD: 'true' } },
    { tokenCredential },
  ],
  [
    'spec.config.useAAD needs the option',
    { config: { storageAccount: 'shop', useAAD: 'true' } },
    {},
  ],
  ['spec.config.useAAD is neither', { config: { ...config, useAAD: 'yes' } }, { credential }],
  [
    'spec.config.blockSizeInBytes is not between',
    { config: { ...config, blockSizeInBytes: '104857601' } },
    { credential },
  ],
  ['spec.credential names a Secret', { credential: { name: 'a', key: 'b' } }, {}],
  [
    'spec.credential has an AZURE_CLOUD_NAME that is not known',
    {},
    { credential: `${credential}AZURE_CLOUD_NAME=Elsewhere` },
  ],
])('refuses: %s', (problem, change, options) => {
  const open = (): unknown => azureObjectStoreFromLocation({ ...spec, ...change }, options);
  expect(open).toThrow(problem);
  expect(open).toThrow(expect.objectContaining({ code: 'InvalidConfig' }));
  expect(open).not.toThrow('hush');
});
