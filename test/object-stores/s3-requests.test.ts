import { createHash } from 'node:crypto';
import type { S3ClientConfig } from '@aws-sdk/client-s3';
import { type S3BucketOptions, S3ObjectStore } from '@lifeboat/storage-s3';
import { describe, expect, it } from 'vitest';
import { type HttpResponder, type SeenRequest, startHttpResponder } from './http-responder.ts';

const partSizeBytes = 5 * 1024 * 1024;
const uploadId = '<UploadId>7</UploadId>';

/** A server that accepts everything, for what a real one does not show: which headers came. */
function startServer(): Promise<HttpResponder> {
  return startHttpResponder(({ method, url }) => ({
    status: 200,
    headers: { etag: '"1"' },
    body:
      method === 'POST' && url.includes('uploads') ? `<Result>${uploadId}</Result>` : '<Result/>',
  }));
}

function open(
  server: HttpResponder,
  options: Partial<S3BucketOptions>,
  clientConfig: S3ClientConfig = {},
): S3ObjectStore {
  return new S3ObjectStore({
    ...options,
    bucket: 'backups',
    clientConfig: {
      endpoint: server.endpoint,
      region: 'eu-west-1',
      forcePathStyle: true,
      credentials: { accessKeyId: 'test', secretAccessKey: 'hunter2' },
      ...clientConfig,
    },
  });
}

async function* twoParts(): AsyncGenerator<Uint8Array> {
  yield new Uint8Array(partSizeBytes);
  yield new Uint8Array(1);
}

function headersOf(request: SeenRequest | undefined, pattern: RegExp): Record<string, unknown> {
  const entries = Object.entries(request?.headers ?? {});
  return Object.fromEntries(entries.filter(([name]) => pattern.test(name)));
}

/** Puts bytes, puts a stream in two parts and reads: which headers of a pattern came with which request. */
async function headersBy(
  options: Partial<S3BucketOptions>,
  pattern: RegExp,
  clientConfig: S3ClientConfig = {},
): Promise<Readonly<Record<string, Record<string, unknown>>>> {
  await using server = await startServer();
  await using store = open(server, { ...options, partSizeBytes, concurrency: 1 }, clientConfig);
  await store.put('a', Buffer.from('text'));
  await store.put('b', twoParts());
  await store.stat('a');
  await Array.fromAsync(await store.get('a'));
  const [put, begin, part, , complete, stat, get] = server.requests.map((request) =>
    headersOf(request, pattern),
  );
  return {
    put: put ?? {},
    begin: begin ?? {},
    part: part ?? {},
    complete: complete ?? {},
    stat: stat ?? {},
    get: get ?? {},
  };
}

describe('S3ObjectStore asks', () => {
  const encryption = /^x-amz-server-side-encryption/;

  it('for encryption with a key of KMS when an object is made, and then no more', async () => {
    const headers = {
      'x-amz-server-side-encryption': 'aws:kms',
      'x-amz-server-side-encryption-aws-kms-key-id': 'alias/backups',
    };
    const options = { encryption: { type: 'SSE-KMS', keyId: 'alias/backups' } } as const;
    expect(await headersBy(options, encryption)).toEqual({
      put: headers,
      begin: headers,
      part: {},
      complete: {},
      stat: {},
      get: {},
    });
  });

  it('with the key of the customer, wherever bytes are written or read', async () => {
    const key = new Uint8Array(32).fill(7);
    const headers = {
      'x-amz-server-side-encryption-customer-algorithm': 'AES256',
      'x-amz-server-side-encryption-customer-key': Buffer.from(key).toString('base64'),
      'x-amz-server-side-encryption-customer-key-md5': createHash('md5')
        .update(key)
        .digest('base64'),
    };
    const seen = await headersBy({ encryption: { type: 'SSE-C', key } }, encryption);
    for (const request of ['put', 'begin', 'part', 'complete', 'stat', 'get']) {
      expect(seen[request], request).toEqual(headers);
    }
  });

  it('for tags when an object is made', async () => {
    const { put, begin, part } = await headersBy({ tags: { team: 'a b' } }, /^x-amz-tagging$/);
    expect([put, begin, part]).toEqual([
      { 'x-amz-tagging': 'team=a+b' },
      { 'x-amz-tagging': 'team=a+b' },
      {},
    ]);
  });

  it('for no checksum at an endpoint of its own, as older servers need it', async () => {
    const { put, begin, part } = await headersBy({}, /^x-amz-(sdk-)?checksum/);
    expect([put, begin, part]).toEqual([{}, {}, {}]);
  });

  it('for the checksum that was chosen', async () => {
    const { put, begin, part } = await headersBy(
      { checksumAlgorithm: 'SHA256' },
      /^x-amz-checksum/,
    );
    const ofText = createHash('sha256').update('text').digest('base64');
    const ofPart = createHash('sha256').update(new Uint8Array(partSizeBytes)).digest('base64');
    expect(put).toEqual({ 'x-amz-checksum-sha256': ofText });
    expect(begin).toEqual({ 'x-amz-checksum-algorithm': 'SHA256' });
    expect(part).toEqual({ 'x-amz-checksum-sha256': ofPart });
  });

  it('for CRC32 when the client calculates checksums', async () => {
    const config = { requestChecksumCalculation: 'WHEN_SUPPORTED' } as const;
    const { put, begin, part } = await headersBy({}, /^x-amz-checksum/, config);
    expect([put, begin, part].map((headers) => Object.keys(headers ?? {}))).toEqual([
      ['x-amz-checksum-crc32'],
      ['x-amz-checksum-algorithm'],
      ['x-amz-checksum-crc32'],
    ]);
  });

  it('for creation only, where an object becomes visible', async () => {
    await using server = await startServer();
    await using store = open(server, { partSizeBytes });
    await store.put('a', Buffer.from('text'), { ifAbsent: true });
    await store.put('b', twoParts(), { ifAbsent: true });
    const conditional = server.requests.filter(({ headers }) => headers['if-none-match'] === '*');
    expect(conditional.map(({ method, url }) => `${method} ${url}`)).toEqual([
      'PUT /backups/a?x-id=PutObject',
      'POST /backups/b?uploadId=7',
    ]);
  });
});

describe('S3ObjectStore whose upload is completed and not answered', () => {
  const noSuchUpload = {
    status: 404,
    headers: { 'content-type': 'application/xml' },
    body: '<Error><Code>NoSuchUpload</Code><Message>Gone</Message></Error>',
  };

  /** A server that completes the upload and says that it failed. */
  function startForgetfulServer(markOf: (mark: string) => string): Promise<HttpResponder> {
    let mark = '';
    return startHttpResponder(({ method, url, headers }) => {
      if (method === 'POST' && url.includes('uploads')) {
        mark = String(headers['x-amz-meta-lifeboat-upload']);
        return { status: 200, body: `<Result>${uploadId}</Result>` };
      }
      if (method === 'PUT') return { status: 200, headers: { etag: '"1"' } };
      if (method === 'POST') return { status: 500 };
      if (method === 'HEAD') {
        return { status: 200, headers: { 'x-amz-meta-lifeboat-upload': markOf(mark) } };
      }
      return noSuchUpload;
    });
  }

  it('has succeeded when the object is that of the upload', async () => {
    await using server = await startForgetfulServer((mark) => mark);
    await using store = open(server, { partSizeBytes }, { maxAttempts: 1 });
    await store.put('a', twoParts());
    expect(server.requests.at(-1)?.method).toBe('HEAD');
  });

  it('has failed when the object is another one', async () => {
    await using server = await startForgetfulServer(() => 'that of somebody else');
    await using store = open(server, { partSizeBytes }, { maxAttempts: 1 });
    await expect(store.put('a', twoParts())).rejects.toMatchObject({ code: 'Unavailable' });
  });
});

describe('S3ObjectStore sends bytes', () => {
  it.each([
    { singleRequestBytes: partSizeBytes + 1, sent: ['PUT'] },
    { singleRequestBytes: partSizeBytes, sent: ['POST', 'PUT', 'PUT', 'POST'] },
  ])('in $sent when one request may hold $singleRequestBytes', async (expected) => {
    const { singleRequestBytes, sent } = expected;
    await using server = await startServer();
    await using store = open(server, { partSizeBytes, singleRequestBytes });
    await store.put('a', new Uint8Array(partSizeBytes + 1));
    expect(server.requests.map(({ method }) => method)).toEqual(sent);
  });
});
