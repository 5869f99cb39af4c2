import { expect, it } from 'vitest';
import { assertValidKey, assertValidPrefix, isValidKey } from './key-rules.ts';

const invalid: unknown = expect.objectContaining({
  code: 'InvalidConfig',
  operation: 'ObjectStore.put',
});

it.each([
  'a',
  'backups/shop/velero-backup.json',
  'a b/ü?&#%+=/日本',
  '..a/b..',
  '...',
  'k'.repeat(1_024),
])('accepts the key %j', (key) => {
  assertValidKey(key, 'ObjectStore.put');
  assertValidPrefix(key.length < 1_024 ? `${key}/` : '', 'ObjectStore.list');
  expect(isValidKey(key)).toBe(true);
});

it.each([
  '',
  '/',
  '/a',
  'a/',
  'a//b',
  '.',
  '..',
  'a/../b',
  '../a',
  './a',
  'a/.',
  'a\0b',
  'a\nb',
  'a\u007f',
  '\ud800',
  'k'.repeat(1_025),
  'ü'.repeat(513),
])('refuses the key %j', (key) => {
  expect(isValidKey(key)).toBe(false);
  expect(() => {
    assertValidKey(key, 'ObjectStore.put');
  }).toThrow(invalid);
});

it.each(['a', '/', 'a//', '../', './', 'a/../', '/a/'])('refuses the prefix %j', (prefix) => {
  expect(() => {
    assertValidPrefix(prefix, 'ObjectStore.put');
  }).toThrow(invalid);
});
