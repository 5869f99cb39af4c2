import { createHmac } from 'node:crypto';
import { BlobServiceClient, type IHttpClient, newPipeline } from '@azure/storage-blob';
import { AzureObjectStore } from '@lifeboat/storage-azure';
import { expect, it } from 'vitest';

const delegationKey = Buffer.from('a key of the service, for some days').toString('base64');

/** An account that is reached with tokens; these are only ever sent by TLS, so the client itself answers, and notes the requests. */
function accountWithTokens(status: number): { store: AzureObjectStore; requests: string[] } {
  const requests: string[] = [];
  const httpClient: IHttpClient = {
    async sendRequest(request) {
      requests.push(`${request.method} ${request.url} ${request.headers.get('authorization')}`);
      const headers = request.headers.clone();
      headers.set('content-type', 'application/xml');
      return { request, status, headers, bodyAsText: status === 200 ? keyXml(request.body) : '' };
    },
  };
  const credential = {
    getToken: async () => ({ token: 'a-token', expiresOnTimestamp: Date.now() + 3_600_000 }),
  };
  const pipeline = newPipeline(credential, { httpClient, retryOptions: { maxTries: 1 } });
  const client = new BlobServiceClient('https://shop.blob.core.windows.net', pipeline);
  const store = new AzureObjectStore({ container: 'backups', access: { client } });
  return { store, requests };
}

function keyXml(asked: unknown): string {
  const [, start = ''] = /<Start>(.*)<\/Start>/.exec(String(asked)) ?? [];
  const [, expiry = ''] = /<Expiry>(.*)<\/Expiry>/.exec(String(asked)) ?? [];
  return [
    '<?xml version="1.0"?><UserDelegationKey><SignedOid>an-object</SignedOid>',
    `<SignedTid>a-tenant</SignedTid><SignedStart>${start}</SignedStart>`,
    `<SignedExpiry>${expiry}</SignedExpiry><SignedService>b</SignedService>`,
    `<SignedVersion>2020-02-10</SignedVersion><Value>${delegationKey}</Value></UserDelegationKey>`,
  ].join('');
}

it('AzureObjectStore with a token credential signs with a key that it asks the service for', async () => {
  const { store, requests } = accountWithTokens(200);
  const url = new URL(await store.signUrl('shop/a b', { expiresInMs: 60_000 }));
  expect(requests).toEqual([
    'POST https://shop.blob.core.windows.net/?restype=service&comp=userdelegationkey Bearer a-token',
  ]);
  expect(url.origin + url.pathname).toBe('https://shop.blob.core.windows.net/backups/shop/a%20b');
  const { sp, sr, skoid, sktid, se = '', sig = '' } = Object.fromEntries(url.searchParams);
  expect({ sp, sr, skoid, sktid }).toEqual({
    sp: 'r',
    sr: 'b',
    skoid: 'an-object',
    sktid: 'a-tenant',
  });
  const expiresInMs = new Date(se).getTime() - Date.now();
  expect(expiresInMs).toBeGreaterThan(0);
  expect(expiresInMs).toBeLessThanOrEqual(60_000);
  const digestBytes = createHmac('sha256', delegationKey).digest().byteLength;
  expect(Buffer.from(sig, 'base64').byteLength).toBe(digestBytes);
  expect(url.href).not.toContain(delegationKey);
});

it('AzureObjectStore whose identity may not sign says so', async () => {
  const { store } = accountWithTokens(403);
  await expect(store.signUrl('a')).rejects.toMatchObject({
    code: 'PermissionDenied',
    operation: 'ObjectStore.signUrl',
    message: expect.stringContaining('check the roles of the identity') as string,
  });
});
