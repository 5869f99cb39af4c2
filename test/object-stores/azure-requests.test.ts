import { inspect } from 'node:util';
import { AzureObjectStore, type AzureObjectStoreOptions } from '@lifeboat/storage-azure';
import { describe, expect, it } from 'vitest';
import { startHttpResponder } from './http-responder.ts';

const accountKey = Buffer.from('a key that nobody may see').toString('base64');
const partSizeBytes = 1_000;

function open(
  server: { readonly endpoint: string },
  options: Partial<AzureObjectStoreOptions> = {},
): AzureObjectStore {
  return new AzureObjectStore({
    container: 'backups',
    access: { endpoint: `${server.endpoint}/shop`, accountName: 'shop', accountKey },
    partSizeBytes,
    ...options,
  });
}

describe('AzureObjectStore asks', () => {
  it('in an encryption scope, and for an object that is not there yet', async () => {
    await using server = await startHttpResponder(() => ({ status: 201 }));
    await using store = open(server, { encryptionScope: 'tenant' });
    await store.put('a', Buffer.alloc(partSizeBytes + 1), { ifAbsent: true });
    const headers = server.requests.map((request) => [
      request.headers['x-ms-encryption-scope'],
      request.headers['if-none-match'],
    ]);
    expect(headers).toEqual([
      ['tenant', undefined],
      ['tenant', undefined],
      ['tenant', '*'],
    ]);
  });

  it('for an immutability policy and a legal hold', async () => {
    await using server = await startHttpResponder(() => ({ status: 200 }));
    await using store = open(server);
    const until = new Date('2027-01-01T00:00:00Z');
    await store.putLock('a', { retention: { mode: 'compliance', until }, legalHold: true });
    expect(server.requests.map(({ url }) => url)).toEqual([
      '/shop/backups/a?comp=immutabilityPolicies',
      '/shop/backups/a?comp=legalhold',
    ]);
    expect(server.requests[0]?.headers).toMatchObject({
      'x-ms-immutability-policy-mode': 'Locked',
      'x-ms-immutability-policy-until-date': 'Fri, 01 Jan 2027 00:00:00 GMT',
    });
    expect(server.requests[1]?.headers).toMatchObject({ 'x-ms-legal-hold': 'true' });
  });

  it('how an object is locked', async () => {
    await using server = await startHttpResponder(() => ({
      status: 200,
      headers: {
        'x-ms-immutability-policy-mode': 'unlocked',
        'x-ms-immutability-policy-until-date': 'Fri, 01 Jan 2027 00:00:00 GMT',
        'x-ms-legal-hold': 'true',
      },
    }));
    await using store = open(server);
    await expect(store.getLock('a')).resolves.toEqual({
      retention: { mode: 'governance', until: new Date('2027-01-01T00:00:00Z') },
      legalHold: true,
    });
  });
});

describe('AzureObjectStore says what an answer means', () => {
  it.each([
    [401, 'NoAuthenticationInformation', 'PermissionDenied'],
    [403, 'AuthorizationPermissionMismatch', 'PermissionDenied'],
    [404, 'ContainerNotFound', 'InvalidConfig'],
    [409, 'BlobImmutableDueToPolicy', 'Retained'],
    [412, 'ConditionNotMet', 'PreconditionFailed'],
    [418, 'Teapot', 'Unknown'],
    [429, 'TooManyRequests', 'RateLimited'],
  ])('%d %s is %s', async (status, errorCode, code) => {
    const headers = { 'x-ms-error-code': errorCode };
    await using server = await startHttpResponder(() => ({ status, headers }));
    await using store = open(server);
    const retryable = code === 'RateLimited';
    await expect(store.delete('a')).rejects.toMatchObject({ code, retryable, target: 'a' });
  });

  it('and tells nobody the key or the signature', async () => {
    const body = `<?xml version="1.0"?><Error><Code>AuthenticationFailed</Code><Message>Server failed to authenticate.\nTime:2026</Message></Error>`;
    await using server = await startHttpResponder(() => ({
      status: 403,
      headers: { 'x-ms-error-code': 'AuthenticationFailed', 'content-type': 'application/xml' },
      body,
    }));
    await using store = open(server);
    const error: unknown = await store.get('a').catch((caught: unknown) => caught);
    const [, signature = '-'] = server.requests[0]?.headers.authorization?.split(':') ?? [];
    const shown = inspect(error, { depth: 12 });
    expect(shown).toContain('check the key, and the clock of this machine');
    expect(shown).not.toContain(accountKey);
    expect(shown).not.toContain(signature);
  });
});
