import { CRC32C } from '@google-cloud/storage';
import { expect, it } from 'vitest';
import { Crc32c } from './crc32c.ts';

function checksumOf(...pieces: readonly Uint8Array[]): string {
  const checksum = new Crc32c();
  for (const piece of pieces) checksum.update(piece);
  return checksum.toString();
}

// The vectors of RFC 3720, appendix B.4, and the usual one.
it.each([
  ['nothing', Buffer.alloc(0), '00000000'],
  ['123456789', Buffer.from('123456789'), 'e3069283'],
  ['32 zeroes', Buffer.alloc(32), '8a9136aa'],
  ['32 ones', Buffer.alloc(32, 0xff), '62a8ab43'],
  ['0 to 31', Buffer.from(Array.from({ length: 32 }, (_, i) => i)), '46dd794e'],
])('the checksum of %s is right', (_name, bytes, hex) => {
  expect(Buffer.from(checksumOf(bytes), 'base64').toString('hex')).toBe(hex);
});

it('is that of the client for every length and cut', () => {
  const bytes = Buffer.from(Array.from({ length: 40 }, (_, i) => (i * 151 + 7) % 256));
  for (let end = 0; end <= bytes.length; end += 1) {
    const client = new CRC32C();
    client.update(bytes.subarray(0, end));
    for (let cut = 0; cut <= end; cut += 1) {
      expect(checksumOf(bytes.subarray(0, cut), bytes.subarray(cut, end))).toBe(client.toString());
    }
  }
});
