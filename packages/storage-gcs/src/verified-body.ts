import { pipeline, type Readable, Transform } from 'node:stream';
import { Crc32c } from './crc32c.ts';
import { ChangedBytesError } from './errors.ts';
import type { HttpResponse } from './http-request.ts';

/**
 * The body of an answer that holds a whole object: it fails at its end when its checksum is not that of the object.
 *
 * An object that the service has unpacked on its way is not looked at: the checksum it tells is that of what it stores.
 */
export function verifiedBody({ headers, body }: HttpResponse): Readable {
  const expected = storedChecksumOf(headers['x-goog-hash']);
  if (expected === undefined || headers['x-goog-stored-content-encoding'] === 'gzip') {
    return body;
  }
  const checksum = new Crc32c();
  const check = new Transform({
    transform(chunk: Uint8Array, _encoding, done) {
      checksum.update(chunk);
      done(null, chunk);
    },
    flush(done) {
      const found = checksum.toString();
      done(found === expected ? null : changedBytesError(expected, found));
    },
  });
  // A failure is told to who reads.
  return pipeline(body, check, () => undefined);
}

/** From `crc32c=…,md5=…`, in one header or several. */
function storedChecksumOf(header: string | readonly string[] | undefined): string | undefined {
  const [, checksum] = /(?:^|[, ])crc32c=([A-Za-z0-9+/=]+)/.exec(String(header)) ?? [];
  return checksum;
}

function changedBytesError(expected: string, found: string): ChangedBytesError {
  return new ChangedBytesError(
    `the bytes that came are not those that were stored (crc32c ${found} instead of ${expected}); read once more`,
  );
}
