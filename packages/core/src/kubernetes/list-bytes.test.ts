import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BlockBytes, BlockMemory } from '../internal/block-memory.ts';
import { readListBytes } from './list-bytes.ts';

describe('readListBytes', () => {
  it.each<{ name: string; text: string; envelope: unknown; items: readonly unknown[] }>([
    { name: 'no items', text: '{"kind":"L","items":[]}', envelope: { kind: 'L' }, items: [] },
    { name: 'null for items', text: '{"items":null}', envelope: { items: null }, items: [] },
    {
      name: 'members before and behind, and blanks',
      text: ' {\n "a": [1, 2] , "items" : [ {"x": 1} , {"x": [2, 3]} ] , "b": {"items": [7]} }\n',
      envelope: { a: [1, 2], b: { items: [7] } },
      items: [{ x: 1 }, { x: [2, 3] }],
    },
    {
      name: 'brackets, commas and quotes within strings',
      text: String.raw`{"kind":"},{","items":[{"a":"],[\"\\"},{"b\"{":"\\\\"}]}`,
      envelope: { kind: '},{' },
      items: [{ a: '],["\\' }, { 'b"{': '\\\\' }],
    },
  ])('takes a list apart: $name', ({ text, envelope, items }) => {
    const list = readListBytes(bytesOf(text));
    expect(list.envelope).toEqual(envelope);
    expect(parsed(list.items)).toEqual(items);
  });

  it('finds in any list what JSON.parse finds', () => {
    fc.assert(
      fc.property(
        fc.array(fc.jsonValue(), { maxLength: 5 }),
        fc.dictionary(fc.string(), fc.jsonValue(), { maxKeys: 4 }),
        fc.boolean(),
        fc.constantFrom(undefined, 1),
        (items, others, isFirst, indent) => {
          const { items: _, ...rest } = others;
          const list = isFirst ? { items, ...rest } : { ...rest, items };
          const text = JSON.stringify(list, undefined, indent);
          const parts = readListBytes(bytesOf(text));
          const whole = JSON.parse(text) as { readonly items: unknown };
          expect({ ...parts.envelope, items: parsed(parts.items) }).toEqual(whole);
        },
      ),
      { numRuns: 300 },
    );
  });

  it('reads what is not UTF-8 as a decoder of the whole text does', () => {
    fc.assert(
      fc.property(
        fc.array(fc.array(fc.uint8Array({ maxLength: 6 }), { maxLength: 3 }), { minLength: 1 }),
        (names) => {
          const text = Buffer.concat([
            Buffer.from('\ufeff{"items":['),
            ...names.flatMap((name, index) => [
              Buffer.from(index === 0 ? '["' : ',["'),
              // What would end or escape the string is another test's.
              Buffer.concat(name).map((byte) => (byte < 0x80 ? 0x61 : byte)),
              Buffer.from('"]'),
            ]),
            Buffer.from(']}'),
          ]);
          const whole = JSON.parse(new TextDecoder().decode(text)) as { readonly items: unknown };
          expect(parsed(readListBytes(bytesOf(text)).items)).toEqual(whole.items);
        },
      ),
    );
  });

  it.each([
    '',
    'x',
    '[]',
    '7',
    '{"items":[',
    '{"items":[{}]',
    '{} x',
    '{}{}',
    '{"a":}',
    '{"a":"b}',
    '{"items":[{}] {"a":[1,2]}}',
  ])('refuses %j', (text) => {
    expect(() => readListBytes(bytesOf(text))).toThrow(SyntaxError);
  });

  it('finds items across the blocks of a page', () => {
    const items = Array.from({ length: 300 }, (_, index) => ({ name: `ö"${index}`.repeat(150) }));
    const list = readListBytes(bytesOf(JSON.stringify({ items, kind: 'L' })));
    expect(list.envelope).toEqual({ kind: 'L' });
    expect(parsed(list.items)).toEqual(items);
  });

  it('finds the ends of strings, whatever is escaped in them and wherever a block ends', () => {
    const ends = ['"]},{["', '\\', '\\"', 'x\\\\', '\n"'];
    for (let length = 65_536 - 90; length < 65_536; length += 1) {
      const lists = [
        [`${'a'.repeat(length)}${ends.join('b')}`, ...ends.map((end) => `${'c'.repeat(40)}${end}`)],
        ['a'.repeat(length), ...ends],
      ];
      for (const items of lists) {
        expect(parsed(readListBytes(bytesOf(JSON.stringify({ items }))).items)).toEqual(items);
      }
    }
  });

  it('gives back the memory behind its reader, for a later page', () => {
    const memory = new BlockMemory();
    const page = bytesOf(longList('a'), memory);
    const blocks = blocksOf(page);
    const items = readListBytes(page).items[Symbol.iterator]();
    items.next();
    // What has not been passed stays, although another page is read meanwhile.
    const meanwhile = bytesOf(longList('b'), memory);
    expect(blocksOf(meanwhile).isDisjointFrom(blocks)).toBe(true);
    expect([...iterated(items)].every((text) => text.includes('aaa'))).toBe(true);
    expect(blocksOf(bytesOf(longList('c'), memory))).toEqual(blocks);
  });

  it('gives back all memory when its reader leaves, and when it is no list', () => {
    const memory = new BlockMemory();
    const page = bytesOf(longList('a'), memory);
    const blocks = blocksOf(page);
    const items = readListBytes(page).items[Symbol.iterator]();
    items.next();
    items.return?.();
    const invalid = bytesOf('x'.repeat(page.sizeBytes), memory);
    expect(blocksOf(invalid)).toEqual(blocks);
    expect(() => readListBytes(invalid)).toThrow(SyntaxError);
    expect(blocksOf(bytesOf(longList('b'), memory))).toEqual(blocks);
  });
});

function bytesOf(text: string | Uint8Array, memory: BlockMemory = new BlockMemory()): BlockBytes {
  const bytes = new BlockBytes(memory);
  bytes.append(Buffer.from(text));
  return bytes;
}

function blocksOf(bytes: BlockBytes): ReadonlySet<ArrayBufferLike> {
  return new Set(bytes.pieces(0, bytes.sizeBytes).map(({ buffer }) => buffer));
}

/** Of more than half a MiB. */
function longList(letter: string): string {
  return JSON.stringify({ items: Array(200).fill(letter.repeat(3_000)) });
}

function* iterated(items: Iterator<string>): Generator<string> {
  for (let step = items.next(); step.done !== true; step = items.next()) {
    yield step.value;
  }
}

function parsed(items: Iterable<string>): readonly unknown[] {
  return Array.from(items, (item) => JSON.parse(item) as unknown);
}
