import { expect, it } from 'vitest';
import { AzureObjectStore } from './azure-object-store.ts';

const accountKey = Buffer.from('hush').toString('base64');
const access = { endpoint: 'https://shop.blob.core.windows.net', accountName: 'shop', accountKey };

it('names every option that cannot be used', () => {
  const open = (): unknown =>
    new AzureObjectStore({
      container: '',
      access,
      prefix: 'prod',
      partSizeBytes: 0,
      concurrency: 0,
    });
  expect(open).toThrow(
    'AzureObjectStore: container is empty; prefix does not end with "/"; partSizeBytes is not between 1 and 4194304000; concurrency is less than 1',
  );
});

it('does not quote a connection string that is malformed', () => {
  const open = (): unknown =>
    new AzureObjectStore({
      container: 'backups',
      access: { connectionString: 'AccountKey=hush' },
    });
  expect(open).toThrow('AzureObjectStore: access cannot be used');
  expect(open).not.toThrow('hush');
});

it.each(['', '../a', 'a//b', 'k'.repeat(1_025), 'k'.repeat(1_020)])(
  'refuses the key "%s" before anything is sent',
  async (key) => {
    await using store = new AzureObjectStore({ container: 'backups', prefix: 'prod/', access });
    await expect(store.stat(key)).rejects.toMatchObject({ code: 'InvalidConfig', target: key });
  },
);

it('signs with the account key, without asking the service', async () => {
  await using store = new AzureObjectStore({ container: 'backups', access });
  const url = new URL(await store.signUrl('a b', { expiresInMs: 60_000 }));
  expect(url.pathname).toBe('/backups/a%20b');
  expect(url.searchParams.get('sp')).toBe('r');
  expect(url.href).not.toContain(accountKey);
});
