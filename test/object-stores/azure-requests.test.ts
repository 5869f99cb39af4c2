import { inspect } from 'node:util';
import { AzureObjectStore, type AzureObjectStoreOptions } from '@lifeboat/storage-azure';
import { describe, expect, it } from 'vitest';
import {
  type HttpResponder,
  type Response,
  type SeenRequest,
  startHttpResponder,
} from './http-responder.ts';

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

async function* twoParts(): AsyncGenerator<Uint8Array> {
  yield Buffer.alloc(partSizeBytes);
  yield Buffer.alloc(1);
}

/** The requests without the ids of their blocks. */
function shapesOf({ requests }: HttpResponder): readonly string[] {
  return requests.map(({ method, url }) => `${method} ${url.replace(/&blockid=.*/, '')}`);
}

describe('AzureObjectStore asks', () => {
  it('once for bytes, whatever their number, up to a limit', async () => {
    await using server = await startHttpResponder(() => ({ status: 201 }));
    await using store = open(server, { singleRequestBytes: 5 * partSizeBytes });
    await store.put('whole', Buffer.alloc(5 * partSizeBytes));
    expect(shapesOf(server)).toEqual(['PUT /shop/backups/whole']);
  });

  it('for blocks and their list when bytes are more than that', async () => {
    await using server = await startHttpResponder(() => ({ status: 201 }));
    await using store = open(server, { singleRequestBytes: partSizeBytes, concurrency: 1 });
    await store.put('long', Buffer.alloc(partSizeBytes + 1));
    expect(shapesOf(server)).toEqual([
      'PUT /shop/backups/long?comp=block',
      'PUT /shop/backups/long?comp=block',
      'PUT /shop/backups/long?comp=blocklist',
    ]);
  });

  it('in an encryption scope, and for an object that is not there yet', async () => {
    await using server = await startHttpResponder(() => ({ status: 201 }));
    await using store = open(server, { encryptionScope: 'tenant' });
    await store.put('a', twoParts(), { ifAbsent: true });
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

describe('AzureObjectStore that meets an object where its own was to be', () => {
  /** Carries out the first list of blocks and says that it did not; the second finds what the first has made. */
  function answersOf(nameOf: (blockId: string) => string): (request: SeenRequest) => Response {
    let committed: string | undefined;
    return ({ method, url, body }) => {
      if (!url.endsWith('comp=blocklist') && !url.includes('blocklisttype')) return { status: 201 };
      const [, blockId = ''] = /<Latest>([^<]+)</.exec(body) ?? [];
      if (method === 'GET') return { status: 200, ...blockListOf(nameOf(committed ?? '')) };
      if (committed !== undefined) {
        return { status: 409, headers: { 'x-ms-error-code': 'BlobAlreadyExists' } };
      }
      committed = blockId;
      return { status: 503, headers: { 'retry-after': '0' } };
    };
  }

  function blockListOf(name: string): Omit<Response, 'status'> {
    return {
      headers: { 'content-type': 'application/xml' },
      body: `<?xml version="1.0"?><BlockList><CommittedBlocks><Block><Name>${name}</Name><Size>1</Size></Block></CommittedBlocks></BlockList>`,
    };
  }

  it('has succeeded when it is its own, whose answer was lost', async () => {
    await using server = await startHttpResponder(answersOf((blockId) => blockId));
    await using store = open(server);
    await store.put('a', twoParts(), { ifAbsent: true });
    expect(server.requests.at(-1)?.url).toContain('blocklisttype=committed');
  });

  it("is told AlreadyExists when it is another writer's", async () => {
    await using server = await startHttpResponder(answersOf(() => 'b3RoZXI='));
    await using store = open(server);
    await expect(store.put('a', twoParts(), { ifAbsent: true })).rejects.toMatchObject({
      code: 'AlreadyExists',
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
