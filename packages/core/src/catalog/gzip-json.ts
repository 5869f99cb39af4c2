import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import { createGzip, gunzip, gzip } from 'node:zlib';

import { LifeboatError, messageOf } from '../errors.ts';
import { escapeHtml, type JsonValue } from '../model/json.ts';
import { type JsonLimits, parseUntrustedJson } from '../model/untrusted-json.ts';

const compress = promisify(gzip);
const decompress: (bytes: Uint8Array, options: { maxOutputLength: number }) => Promise<Buffer> =
  promisify(gunzip);

/** Compresses text as one gzip member. */
export async function gzipText(text: string): Promise<Uint8Array> {
  return compress(text);
}

/**
 * Encodes a value as Velero stores it: compact JSON with the characters escaped that Go escapes, keys in the order they
 * were set, a newline, all as one gzip member.
 */
export async function gzipJson(value: JsonValue): Promise<Uint8Array> {
  return gzipText(`${escapeHtml(JSON.stringify(value))}\n`);
}

/**
 * Encodes a list as {@link gzipJson} would, `null` when it is empty, holding one of its values at a time and what is compressed
 * already.
 */
export async function gzipJsonList(values: AsyncIterable<JsonValue>): Promise<Uint8Array> {
  const compressed: Uint8Array[] = [];
  await pipeline(listText(values), createGzip(), async (chunks: AsyncIterable<Uint8Array>) => {
    for await (const chunk of chunks) {
      compressed.push(chunk);
    }
  });
  return Buffer.concat(compressed);
}

async function* listText(values: AsyncIterable<JsonValue>): AsyncIterable<string> {
  let separator = '[';
  for await (const value of values) {
    yield `${separator}${escapeHtml(JSON.stringify(value))}`;
    separator = ',';
  }
  yield separator === '[' ? 'null\n' : ']\n';
}

/** Options of {@link gunzipJson}. */
export interface GunzipJsonOptions extends JsonLimits {
  /** What is read, for the message: a key. */
  readonly target: string;
  /** Size of the JSON. */
  readonly maximumBytes: number;
}

/**
 * Decodes what {@link gzipJson} or Velero encoded.
 *
 * @throws {LifeboatError} code CorruptBackup when the bytes are empty, not gzip, cut off, not JSON, decompress to more than
 * `maximumBytes`, or exceed the other limits.
 */
export async function gunzipJson(
  bytes: Uint8Array,
  { target, maximumBytes, ...limits }: GunzipJsonOptions,
): Promise<JsonValue> {
  if (bytes.byteLength === 0) {
    throw corrupt(target, 'it is empty');
  }
  let text: string;
  try {
    text = (await decompress(bytes, { maxOutputLength: maximumBytes })).toString();
  } catch (error) {
    throw corrupt(target, `it cannot be decompressed: ${messageOf(error)}`, error);
  }
  try {
    return parseUntrustedJson(text, limits);
  } catch (error) {
    throw corrupt(target, messageOf(error), error);
  }
}

function corrupt(target: string, why: string, cause?: unknown): LifeboatError {
  return new LifeboatError(
    `${target} cannot be read: ${why}. The file is damaged or was not written by a backup tool; restore it from another copy of the store`,
    { code: 'CorruptBackup', operation: 'catalog.read', target, cause },
  );
}
