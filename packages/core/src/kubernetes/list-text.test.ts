import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readListText } from './list-text.ts';

describe('readListText', () => {
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
    const list = readListText(text);
    expect(list.envelope).toEqual(envelope);
    expect(list.items.map((item) => JSON.parse(item) as unknown)).toEqual(items);
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
          const parts = readListText(text);
          const whole = JSON.parse(text) as { readonly items: unknown };
          expect({
            ...parts.envelope,
            items: parts.items.map((item) => JSON.parse(item) as unknown),
          }).toEqual(whole);
        },
      ),
      { numRuns: 300 },
    );
  });

  it.each(['', 'x', '[]', '7', '{"items":[', '{"items":[{}]', '{} x', '{"a":}', '{"a":"b}'])(
    'refuses %j',
    (text) => {
      expect(() => readListText(text)).toThrow(SyntaxError);
    },
  );
});
