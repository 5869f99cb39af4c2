import { describe, expect, it } from 'vitest';
import { jsonLines } from './json-lines.ts';

async function read(
  chunks: readonly (string | Uint8Array)[],
  maximumLineBytes = 100,
): Promise<unknown[]> {
  const stream = async function* (): AsyncGenerator<Uint8Array> {
    for (const chunk of chunks) {
      yield Buffer.from(chunk);
    }
  };
  return Array.fromAsync(jsonLines(stream(), { maximumLineBytes }));
}

describe('jsonLines', () => {
  const letters = Buffer.from('{"a":"żółw"}\n');
  it.each([
    ['one a chunk', ['{"a":1}\n', '{"a":2}\n'], [{ a: 1 }, { a: 2 }]],
    ['several in a chunk', ['1\n2\n3\n'], [1, 2, 3]],
    ['one in several chunks', ['{"a"', ':', '1}', '\n'], [{ a: 1 }]],
    [
      'a character split between chunks',
      [letters.subarray(0, 7), letters.subarray(7)],
      [{ a: 'żółw' }],
    ],
    ['empty lines', ['\n\n1\n\r\n'], [1]],
    ['an unfinished last line', ['1\n{"a"'], [1]],
    ['nothing', [], []],
  ])('%s', async (_name, chunks, values) => {
    expect(await read(chunks)).toEqual(values);
  });

  it('a line that is not JSON is a SyntaxError', async () => {
    await expect(read(['{"a\n'])).rejects.toThrow(SyntaxError);
  });

  it('an endless line is a RangeError before it is held', async () => {
    await expect(read(['x'.repeat(60), 'x'.repeat(60)])).rejects.toThrow(RangeError);
  });
});
