import { expect, it } from 'vitest';
import { requestFieldsOf } from './request-fields.ts';

const key = new Uint8Array(32).fill(7);
const customerKey = {
  SSECustomerAlgorithm: 'AES256',
  SSECustomerKey: Buffer.from(key).toString('base64'),
};

it.each([
  { given: undefined, write: {}, read: {} },
  { given: { type: 'SSE-S3' }, write: { ServerSideEncryption: 'AES256' }, read: {} },
  { given: { type: 'SSE-KMS' }, write: { ServerSideEncryption: 'aws:kms' }, read: {} },
  {
    given: { type: 'SSE-KMS', keyId: 'alias/backups' },
    write: { ServerSideEncryption: 'aws:kms', SSEKMSKeyId: 'alias/backups' },
    read: {},
  },
  { given: { type: 'SSE-C', key }, write: customerKey, read: customerKey },
] as const)('encrypts with $given.type', ({ given, write, read }) => {
  expect(requestFieldsOf(given)).toEqual({ write, customerKey: read });
});

it('writes tags as a query', () => {
  const { write } = requestFieldsOf(undefined, { team: 'a b', 'cost&center': '1=2' });
  expect(write).toEqual({ Tagging: 'team=a+b&cost%26center=1%3D2' });
});

it.each([0, 16, 31, 33])('refuses a key of %d bytes', (length) => {
  const encryption = { type: 'SSE-C', key: new Uint8Array(length) } as const;
  expect(() => requestFieldsOf(encryption)).toThrow(`encryption.key has ${length} bytes, not 32`);
});
