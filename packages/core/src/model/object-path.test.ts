import { expect, it } from 'vitest';
import { parseJson } from './json.ts';
import {
  arrayAt,
  booleanAt,
  numberAt,
  objectAt,
  objectsAt,
  stringAt,
  valueAt,
  withoutValueAt,
  withValueAt,
} from './object-path.ts';

const object = {
  text: 'x',
  flag: false,
  count: 3,
  precise: parseJson('9007199254740993'),
  nothing: null,
  list: [1, { a: 1 }, null, { b: 2 }],
  nested: { deeper: { value: 'found' } },
};

it('reads what is there, in its own type', () => {
  expect(stringAt(object, ['nested', 'deeper', 'value'])).toBe('found');
  expect(booleanAt(object, ['flag'])).toBe(false);
  expect(numberAt(object, ['count'])).toBe(3);
  expect(objectAt(object, ['nested', 'deeper'])).toEqual({ value: 'found' });
  expect(arrayAt(object, ['list'])).toHaveLength(4);
  expect(objectsAt(object, ['list'])).toEqual([{ a: 1 }, { b: 2 }]);
  expect(valueAt(object, ['nothing'])).toBeNull();
});

it('reads nothing where a step is missing or of another type', () => {
  expect(valueAt(object, ['text', 'length'])).toBeUndefined();
  expect(valueAt(object, ['nothing', 'x'])).toBeUndefined();
  expect(valueAt(object, ['list', '0'])).toBeUndefined();
  expect(valueAt(object, ['toString'])).toBeUndefined();
  expect(valueAt(object, ['__proto__', 'toString'])).toBeUndefined();
  expect(stringAt(object, ['count'])).toBeUndefined();
  expect(booleanAt(object, ['text'])).toBeUndefined();
  expect(numberAt(object, ['precise'])).toBeUndefined();
  expect(objectAt(object, ['list'])).toBeUndefined();
  expect(arrayAt(object, ['text'])).toEqual([]);
});

it('replaces a value in a copy, and shares what is not on the way', () => {
  const changed = withValueAt(object, ['nested', 'deeper', 'value'], 'new');
  expect(stringAt(changed, ['nested', 'deeper', 'value'])).toBe('new');
  expect(stringAt(object, ['nested', 'deeper', 'value'])).toBe('found');
  expect(changed.list).toBe(object.list);
});

it('makes the objects on the way to a value', () => {
  expect(withValueAt({}, ['a', 'b', 'c'], 1)).toEqual({ a: { b: { c: 1 } } });
  expect(withValueAt({ a: 'text' }, ['a', 'b'], 1)).toEqual({ a: { b: 1 } });
});

it('removes a value from a copy, and returns the same object when there is none', () => {
  expect(withoutValueAt({ a: { b: 1, c: 2 } }, ['a', 'b'])).toEqual({ a: { c: 2 } });
  expect(withoutValueAt(object, ['nested', 'missing'])).toBe(object);
});

it('treats __proto__ as an ordinary key', () => {
  const changed = withValueAt({}, ['__proto__', 'polluted'], true);
  expect(Object.hasOwn(changed, '__proto__')).toBe(true);
  expect(valueAt(changed, ['__proto__', 'polluted'])).toBe(true);
  expect({}).not.toHaveProperty('polluted');
});
