import { randomUUID } from 'node:crypto';
import { inspect } from 'node:util';
import { BlobServiceClient, StorageSharedKeyCredential } from '@azure/storage-blob';
import { AzureObjectStore } from '@lifeboat/storage-azure';
import { beforeAll, describe, expect, it } from 'vitest';
import { closedEndpoint } from './closed-endpoint.ts';
import { startHttpResponder } from './http-responder.ts';
import { objectStoreServer, serverUnavailable } from './object-store-server.ts';
import { everyCall, failureOf, refusesBadInput } from './refuses-bad-input.ts';

const partSizeBytes = 64 * 1024;
const container = `container-${randomUUID()}`;
const calls = Object.entries(everyCall);

describe.skipIf(serverUnavailable('azure') !== undefined)('AzureObjectStore', () => {
  const location = `azure://devstoreaccount1/${container}/`;

  beforeAll(async () => {
    const { connectionString } = objectStoreServer('azure');
    const service = BlobServiceClient.fromConnectionString(connectionString);
    await service.getContainerClient(container).create();
  });

  function open(name: string = container): AzureObjectStore {
    const { connectionString } = objectStoreServer('azure');
    return new AzureObjectStore({ container: name, access: { connectionString }, partSizeBytes });
  }

  refusesBadInput(() => ({ open, severalPartsBytes: 5 * partSizeBytes + 7 }));

  it.each(calls)('%s with a wrong key is PermissionDenied, and no key is told', async (_, call) => {
    const { accountName, endpoint } = objectStoreServer('azure');
    const accountKey = Buffer.from('hunter2-hunter2').toString('base64');
    const access = { endpoint, accountName, accountKey };
    await using store = new AzureObjectStore({ container, access });
    const error = await failureOf(call(store));
    expect(error).toMatchObject({ code: 'PermissionDenied', retryable: false });
    // azurite says AuthorizationFailure, the service AuthenticationFailed: azure-requests.test.ts has that.
    expect(error.message).toContain(`${location}: the credentials give no right to that`);
    expect(inspect(error, { depth: 20 })).not.toContain(accountKey);
  });

  it.each(calls)('%s in a missing container is InvalidConfig', async (_, call) => {
    await using store = open('missing');
    const error = await failureOf(call(store));
    expect(error).toMatchObject({ code: 'InvalidConfig', retryable: false });
    expect(error.message).toContain('azure://devstoreaccount1/missing/: the container does not');
  });

  it('an account whose endpoint does not answer is Unavailable', async () => {
    const { accountName, accountKey } = objectStoreServer('azure');
    const credential = new StorageSharedKeyCredential(accountName, accountKey);
    const client = new BlobServiceClient(`${await closedEndpoint()}/shop`, credential, {
      retryOptions: { maxTries: 1 },
    });
    await using store = new AzureObjectStore({ container, access: { client } });
    expect(await failureOf(store.stat('a'))).toMatchObject({
      code: 'Unavailable',
      retryable: true,
      message: expect.stringContaining('the connection to Blob Storage failed') as string,
    });
  });
});

describe('AzureObjectStore', () => {
  // Blob Storage refuses a date that is more than 15 minutes off; azurite does not look at it.
  it('a clock that is wrong is told as such', async () => {
    const code = 'AuthenticationFailed';
    await using server = await startHttpResponder(() => ({
      status: 403,
      headers: { 'x-ms-error-code': code, 'content-type': 'application/xml' },
      body: `<?xml version="1.0"?><Error><Code>${code}</Code><Message>Server failed to authenticate the request.</Message><AuthenticationErrorDetail>Request date header too old</AuthenticationErrorDetail></Error>`,
    }));
    const access = { endpoint: `${server.endpoint}/shop`, accountName: 'shop', accountKey: 'aGk=' };
    await using store = new AzureObjectStore({ container, access });
    expect(await failureOf(store.put('a', Buffer.from('text')))).toMatchObject({
      code: 'PermissionDenied',
      retryable: false,
      message: expect.stringContaining('check the key, and the clock of this machine') as string,
    });
  });
});
