import { inspect } from 'node:util';
import { S3ObjectStore } from '@lifeboat/storage-s3';
import { beforeAll, describe, expect, it } from 'vitest';
import { type HttpResponder, startHttpResponder } from './http-responder.ts';
import { serverUnavailable } from './object-store-server.ts';
import { everyCall, failureOf, refusesBadInput } from './refuses-bad-input.ts';
import { createS3Bucket, type S3Bucket } from './s3-bucket.ts';

const text = Buffer.from('text');

const calls = Object.entries(everyCall);

describe.skipIf(serverUnavailable('s3') !== undefined)('S3ObjectStore', () => {
  let bucket: S3Bucket;
  beforeAll(async () => {
    bucket = await createS3Bucket();
  });

  /** Opens a store at a server that gives one answer to everything. */
  async function openAt(
    status: number,
    code: string,
    headers = {},
  ): Promise<[S3ObjectStore, HttpResponder]> {
    const responder = await startHttpResponder(() => ({
      status,
      headers: { 'content-type': 'application/xml', ...headers },
      body: `<?xml version="1.0"?><Error><Code>${code}</Code><Message>Told by the server</Message></Error>`,
    }));
    return [bucket.open({}, { endpoint: responder.endpoint }), responder];
  }

  refusesBadInput(() => ({
    open: () => bucket.open(),
    severalPartsBytes: 12 * 1024 * 1024,
  }));

  it('and leaves no upload of what it refused', async () => {
    expect(await bucket.danglingUploads('')).toBe(0);
  });

  it.each(calls)('%s with an unknown access key is PermissionDenied', async (_, call) => {
    const credentials = { accessKeyId: 'nobody', secretAccessKey: 'guessed' };
    await using store = bucket.open({}, { credentials });
    const error = await failureOf(call(store));
    expect(error).toMatchObject({ code: 'PermissionDenied', retryable: false });
    expect(error.message).toContain(store.location);
  });

  it('a wrong secret key is told as such, and neither key stands anywhere in the error', async () => {
    const credentials = { accessKeyId: 'test', secretAccessKey: 'hunter2-hunter2' };
    await using store = bucket.open({}, { credentials });
    const error = await failureOf(store.put('a', text));
    expect(error.message).toBe(
      `ObjectStore.put: a in s3://${bucket.name}/: the credentials are not valid there; check the access key and the secret key`,
    );
    for (const shown of [
      String(error),
      inspect(error, { depth: 20 }),
      JSON.stringify(error),
      inspect(store),
    ]) {
      expect(shown).not.toContain('hunter2');
      expect(shown).not.toMatch(/Signature=[0-9a-f]/);
    }
  });

  it('no credentials at all are PermissionDenied', async () => {
    const credentials = async (): Promise<never> => {
      throw Object.assign(new Error('Could not load credentials'), {
        name: 'CredentialsProviderError',
      });
    };
    await using store = bucket.open({}, { credentials });
    expect(await failureOf(store.put('a', text))).toMatchObject({
      code: 'PermissionDenied',
      message: expect.stringContaining('no credentials were found') as string,
    });
  });

  it.each(calls)('%s in a missing bucket is InvalidConfig', async (_, call) => {
    await using store = bucket.open({ bucket: 'no-such-bucket' });
    const error = await failureOf(call(store));
    expect(error).toMatchObject({ code: 'InvalidConfig', retryable: false });
    expect(error.message).toMatch(
      /the bucket( no-such-bucket)? does not exist; create it or correct its name$/,
    );
  });

  it('a bucket in another region is InvalidConfig, and the region is named', async () => {
    const [store, responder] = await openAt(301, 'PermanentRedirect', {
      'x-amz-bucket-region': 'eu-central-1',
    });
    await using _responder = responder;
    for (const call of Object.values(everyCall)) {
      expect(await failureOf(call(store))).toMatchObject({
        code: 'InvalidConfig',
        message: expect.stringContaining('is in another region') as string,
      });
    }
    expect((await failureOf(store.get('a'))).message).toContain('(it is in eu-central-1)');
  });

  it('a bucket in another region is named when the signature is refused for it', async () => {
    await using responder = await startHttpResponder(() => ({
      status: 400,
      headers: { 'content-type': 'application/xml' },
      body: `<?xml version="1.0"?><Error><Code>AuthorizationHeaderMalformed</Code><Message>The region is wrong</Message><Region>eu-central-1</Region></Error>`,
    }));
    await using store = bucket.open({}, { endpoint: responder.endpoint });
    expect(await failureOf(store.put('a', text))).toMatchObject({
      code: 'InvalidConfig',
      message: `ObjectStore.put: a in s3://${bucket.name}/: the bucket is in another region; set the region or endpoint of the client (it is in eu-central-1)`,
    });
  });

  it('a clock that is wrong is told as such', async () => {
    await using store = bucket.open({}, { systemClockOffset: 3_600_000 });
    expect(await failureOf(store.put('a', text))).toMatchObject({
      code: 'PermissionDenied',
      message: expect.stringContaining('the clock of this machine differs') as string,
    });
  });

  it('a refusal that has no name here says what the server said', async () => {
    const [store, responder] = await openAt(400, 'SomethingNew');
    await using _responder = responder;
    expect(await failureOf(store.put('a', text))).toMatchObject({
      code: 'InvalidConfig',
      message: expect.stringContaining('SomethingNew: Told by the server') as string,
    });
  });

  it('what is no S3 server is no success', async () => {
    await using responder = await startHttpResponder(() => ({
      status: 200,
      body: '<html>Hello</html>',
    }));
    await using store = bucket.open({}, { endpoint: responder.endpoint });
    for (const call of [everyCall['put'], everyCall['list'], everyCall['listPrefixes']]) {
      expect(await failureOf(call?.(store) ?? Promise.resolve())).toMatchObject({
        code: 'InvalidConfig',
        message: expect.stringContaining('not that of an S3 server') as string,
      });
    }
  });

  it('a lock on a bucket without locks is InvalidConfig, and reading one tells none', async () => {
    await using store = bucket.open();
    await store.put('a', text);
    expect(await failureOf(store.putLock('a', { legalHold: true }))).toMatchObject({
      code: 'InvalidConfig',
    });
    expect(await store.getLock('a')).toEqual({ retention: undefined, legalHold: false });
  });

  it('a signed URL stops working', async () => {
    await using store = bucket.open();
    await store.put('a', text);
    const url = await store.signUrl('a', { expiresInMs: 5_000 });
    expect((await fetch(url)).status).toBe(200);
    await expect.poll(async () => (await fetch(url)).status, { timeout: 30_000 }).toBe(403);
  });

  it.each([0, -1, 8 * 24 * 3_600_000])('no URL is signed for %d ms', async (expiresInMs) => {
    await using store = bucket.open();
    expect(await failureOf(store.signUrl('a', { expiresInMs }))).toMatchObject({
      code: 'InvalidConfig',
    });
  });

  it('the client of an application is used and left open', async () => {
    const store = new S3ObjectStore({ bucket: bucket.name, prefix: 'own/', client: bucket.client });
    await store.put('a', text);
    await store.close();
    await store.close();
    expect(await bucket.danglingUploads('')).toBe(0);
    await using whole = bucket.open();
    expect(await Array.fromAsync(whole.list('own/'), ({ key }) => key)).toEqual(['own/a']);
  });
});
