import { describe, expect, it } from 'vitest';
import { s3ObjectStoreFromLocation } from './from-backup-storage-location.ts';

const credentials = '[default]\naws_access_key_id = minio\naws_secret_access_key = minio123\n';
const config = {
  region: 'minio',
  s3ForcePathStyle: 'true',
  s3Url: 'http://minio.velero.svc:9000',
};
const location = {
  provider: 'aws',
  objectStorage: { bucket: 'velero' },
  config,
  credential: { name: 'cloud-credentials', key: 'cloud' },
};

it('opens the store of a location as Velero users write it', async () => {
  await using store = s3ObjectStoreFromLocation(location, { credentials });
  expect(store.location).toBe('s3://velero/');
  const url = new URL(await store.signUrl('backups/shop/a.json'));
  expect(url.origin + url.pathname).toBe('http://minio.velero.svc:9000/velero/backups/shop/a.json');
  expect(url.searchParams.get('X-Amz-Credential')).toMatch(/^minio\/\d+\/minio\/s3\//);
});

it.each([
  ['velero.io/aws', 'prod', 's3://velero/prod/'],
  ['aws', '/prod/eu/', 's3://velero/prod/eu/'],
])('takes the provider %s and the prefix %s', async (provider, prefix, expected) => {
  const objectStorage = { bucket: 'velero', prefix };
  await using store = s3ObjectStoreFromLocation({ provider, objectStorage, config: {} });
  expect(store.location).toBe(expected);
});

it('signs URLs for the public address', async () => {
  const spec = { ...location, config: { ...config, publicUrl: 'https://s3.example.com' } };
  await using store = s3ObjectStoreFromLocation(spec, { credentials });
  expect(await store.signUrl('a')).toMatch(/^https:\/\/s3\.example\.com\/velero\/a\?/);
});

describe('a location that cannot be used', () => {
  const key = new Uint8Array(32);
  it.each([
    [{ provider: 'gcp' }, {}, 'spec.provider is "gcp", not "aws"'],
    [{ objectStorage: { bucket: '' } }, {}, 'spec.objectStorage.bucket is empty'],
    [{ config: { ...config, s3url: 'x' } }, {}, 'spec.config.s3url is no setting of "aws"'],
    [
      { config: { s3ForcePathStyle: 'yes' } },
      {},
      'spec.config.s3ForcePathStyle is neither "true" nor "false"',
    ],
    [{ config: { s3Url: 'minio:9000' } }, {}, 'spec.config.s3Url is no http or https URL'],
    [{ config: { signatureVersion: '1' } }, {}, 'spec.config.signatureVersion is "1"'],
    [{ config: { checksumAlgorithm: 'MD5' } }, {}, 'spec.config.checksumAlgorithm is none of'],
    [
      { config: { serverSideEncryption: 'rot13' } },
      {},
      'spec.config.serverSideEncryption is none of',
    ],
    [
      { config: { serverSideEncryption: 'AES256', kmsKeyId: 'k' } },
      {},
      'spec.config.kmsKeyId contradicts serverSideEncryption "AES256"',
    ],
    [
      { config: { customerKeyEncryptionFile: '/f', customerKeyEncryptionSecret: 's/k' } },
      { customerKey: key },
      'spec.config.customerKeyEncryptionSecret contradicts config.customerKeyEncryptionFile',
    ],
    [
      { config: { customerKeyEncryptionFile: '/f', kmsKeyId: 'k' } },
      { customerKey: key },
      'spec.config.customerKeyEncryptionFile contradicts serverSideEncryption and kmsKeyId',
    ],
    [
      { config: { customerKeyEncryptionFile: '/f' } },
      {},
      'spec.config.customerKeyEncryptionFile names a key that was not given as `customerKey`',
    ],
    [
      {},
      { customerKey: key },
      'spec.config names no key of the customer, but `customerKey` was given',
    ],
    [{}, { credentials: undefined }, 'spec.credential names a Secret whose content was not given'],
    [{}, { credentials: 'text' }, 'spec.credential holds no access key of the profile "default"'],
    [
      { config: { profile: 'other' } },
      {},
      'spec.credential holds no access key of the profile "other"',
    ],
    [
      { config: { enableSharedConfig: 'true' } },
      {},
      'spec.config.enableSharedConfig contradicts `credentials`, which was given',
    ],
    [
      {
        config: { insecureSkipTLSVerify: 'true' },
        objectStorage: { bucket: 'b', caCert: 'Y2VydA==' },
      },
      {},
      'spec.config.insecureSkipTLSVerify contradicts objectStorage.caCert',
    ],
  ])('%j with %j is told by name', (change, options, message) => {
    const open = (): unknown =>
      s3ObjectStoreFromLocation({ ...location, ...change }, { credentials, ...options });
    expect(open).toThrow(
      expect.objectContaining({
        name: 'ObjectStoreError',
        code: 'InvalidConfig',
        message: expect.stringContaining(message) as string,
      }),
    );
  });

  it('is told all at once, and without the secrets in it', () => {
    const spec = { ...location, provider: 'azure', config: { s3Url: '//', secret: 'hunter2' } };
    const open = (): unknown => s3ObjectStoreFromLocation(spec, { credentials: 'hunter2' });
    expect(open).toThrow(/provider.*config\.secret.*config\.s3Url.*credential/);
    expect(open).not.toThrow(/hunter2/);
  });
});
