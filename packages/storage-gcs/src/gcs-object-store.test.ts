import { expect, it } from 'vitest';
import { GcsObjectStore } from './gcs-object-store.ts';

it('names every option that cannot be used', () => {
  const open = (): unknown =>
    new GcsObjectStore({
      bucket: '',
      prefix: 'prod',
      partSizeBytes: 1_000,
      encryption: { type: 'CSEK', key: Buffer.from('short') },
    });
  expect(open).toThrow(
    'GcsObjectStore: bucket is empty; prefix does not end with "/"; partSizeBytes is no multiple of 262144; encryption.key has not 32 bytes',
  );
});

it.each(['', '../a', 'a//b', 'k'.repeat(1_025), 'k'.repeat(1_020)])(
  'refuses the key "%s" before anything is sent',
  async (key) => {
    await using store = new GcsObjectStore({ bucket: 'backups', prefix: 'prod/' });
    await expect(store.stat(key)).rejects.toMatchObject({ code: 'InvalidConfig', target: key });
  },
);
