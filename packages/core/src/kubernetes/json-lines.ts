import { type JsonValue, parseJson } from '../model/json.ts';

const newline = 0x0a;

/**
 * Reads a stream of JSON values, one a line, as a watch sends them. Throws SyntaxError for a line that is not JSON, and
 * RangeError for one longer than `maximumLineBytes`; an unfinished last line is dropped, since its connection broke.
 */
export async function* jsonLines(
  stream: AsyncIterable<Uint8Array>,
  { maximumLineBytes }: { readonly maximumLineBytes: number },
): AsyncGenerator<JsonValue, void, undefined> {
  let parts: Uint8Array[] = [];
  let lineBytes = 0;
  for await (const chunk of stream) {
    let rest = chunk;
    for (let end = rest.indexOf(newline); end >= 0; end = rest.indexOf(newline)) {
      const line = Buffer.concat([...parts, rest.subarray(0, end)]).toString();
      parts = [];
      lineBytes = 0;
      rest = rest.subarray(end + 1);
      if (line.trim() !== '') {
        yield parseJson(line);
      }
    }
    lineBytes += rest.byteLength;
    if (lineBytes > maximumLineBytes) {
      throw new RangeError(`a line is longer than ${maximumLineBytes} bytes`);
    }
    if (rest.byteLength > 0) {
      parts.push(rest);
    }
  }
}
