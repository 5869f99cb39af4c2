import type { BackupStorageLocationSpec } from '@lifeboat/core';
import { expect, it } from 'vitest';
import { gcsObjectStoreFromLocation } from './from-backup-storage-location.ts';

const credential = JSON.stringify({ type: 'service_account', client_email: 'a@example.test' });
const spec: BackupStorageLocationSpec = {
  provider: 'velero.io/gcp',
  objectStorage: { bucket: 'backups', prefix: '/prod/' },
};

it.each<BackupStorageLocationSpec>([
  spec,
  { ...spec, provider: 'gcp', config: { kmsKeyName: 'projects/p/k', serviceAccount: 'a' } },
  { ...spec, config: { storeEndpoint: 'https://storage.example.test/storage/v1/' } },
  { ...spec, config: { universeDomain: 'example.test' } },
])('opens what $config describes', (location) => {
  expect(gcsObjectStoreFromLocation(location, { credential }).location).toBe('gs://backups/prod/');
});

it.each<readonly [string, Partial<BackupStorageLocationSpec>, string | undefined]>([
  ['spec.provider is "aws"', { provider: 'aws' }, undefined],
  ['spec.objectStorage.bucket is empty', { objectStorage: { bucket: '' } }, undefined],
  ['spec.config.region is no setting', { config: { region: 'x' } }, undefined],
  ['spec.config.storeEndpoint is no http', { config: { storeEndpoint: 'x' } }, undefined],
  [
    'spec.config.storeEndpoint cannot be given together with universeDomain',
    { config: { storeEndpoint: 'https://a.test', universeDomain: 'b.test' } },
    undefined,
  ],
  [
    'spec.config.credentialsFile cannot be used together with a credential',
    { config: { credentialsFile: '/key.json' } },
    credential,
  ],
  ['spec.credential names a Secret', { credential: { name: 'a', key: 'b' } }, undefined],
  ['spec.credential is no JSON document', {}, 'private_key: hush'],
  [
    'spec.objectStorage.caCert is not supported',
    { objectStorage: { bucket: 'b', caCert: 'Q0E=' } },
    undefined,
  ],
])('refuses: %s', (problem, change, given) => {
  const open = (): unknown =>
    gcsObjectStoreFromLocation({ ...spec, ...change }, { credential: given });
  expect(open).toThrow(problem);
  expect(open).toThrow(expect.objectContaining({ code: 'InvalidConfig' }));
  expect(open).not.toThrow('hush');
});
