import { describe, expect, it } from 'vitest';
import type { LabelSelector } from './backup.ts';
import { formatLabelSelector, matchesLabelSelector, parseLabelSelector } from './label-selector.ts';

describe('parseLabelSelector', () => {
  it.each<{ text: string; selector: LabelSelector }>([
    { text: '', selector: {} },
    { text: '  ', selector: {} },
    { text: 'app=shop', selector: { matchLabels: { app: 'shop' } } },
    { text: 'app == shop', selector: { matchLabels: { app: 'shop' } } },
    { text: 'app=', selector: { matchLabels: { app: '' } } },
    {
      text: 'velero.io/exclude-from-backup=true,app=shop',
      selector: { matchLabels: { 'velero.io/exclude-from-backup': 'true', app: 'shop' } },
    },
    {
      text: 'app!=shop',
      selector: { matchExpressions: [{ key: 'app', operator: 'NotIn', values: ['shop'] }] },
    },
    {
      text: 'tier in (web, db) , app notin(a)',
      selector: {
        matchExpressions: [
          { key: 'tier', operator: 'In', values: ['web', 'db'] },
          { key: 'app', operator: 'NotIn', values: ['a'] },
        ],
      },
    },
    {
      text: 'app,!canary',
      selector: {
        matchExpressions: [
          { key: 'app', operator: 'Exists' },
          { key: 'canary', operator: 'DoesNotExist' },
        ],
      },
    },
    {
      text: 'in in (in)',
      selector: { matchExpressions: [{ key: 'in', operator: 'In', values: ['in'] }] },
    },
    {
      text: 'app=a,app=b',
      selector: {
        matchLabels: { app: 'a' },
        matchExpressions: [{ key: 'app', operator: 'In', values: ['b'] }],
      },
    },
  ])('reads $text', ({ text, selector }) => {
    expect(parseLabelSelector(text)).toEqual(selector);
  });

  it.each([
    'app=shop,',
    ',',
    '=shop',
    'app shop',
    'app>1',
    'app in web',
    'app in (web',
    'app=a b',
    '-app',
    'app=-x',
    'Example.com/app',
    `app=${'x'.repeat(64)}`,
    'a/b/c',
  ])('refuses %j', (text) => {
    expect(() => parseLabelSelector(text)).toThrow(SyntaxError);
  });
});

describe('matchesLabelSelector', () => {
  it.each([
    { selector: '', expected: true },
    { selector: 'app=shop', expected: true },
    { selector: 'app=shop,tier=db', expected: false },
    { selector: 'app!=shop', expected: false },
    { selector: 'missing!=shop', expected: true },
    { selector: 'missing notin (a)', expected: true },
    { selector: 'missing in (a)', expected: false },
    { selector: 'tier in (web,db)', expected: true },
    { selector: 'app', expected: true },
    { selector: '!app', expected: false },
    { selector: '!missing', expected: true },
    { selector: 'empty=', expected: true },
    { selector: 'missing=', expected: false },
    { selector: 'toString', expected: false },
    { selector: 'app=a,app=shop', expected: false },
  ])('finds that the labels match $selector: $expected', ({ selector, expected }) => {
    const labels = { app: 'shop', tier: 'web', empty: '' };
    expect(matchesLabelSelector(labels, selector)).toBe(expected);
  });

  it('treats an object without labels as one with none', () => {
    expect(matchesLabelSelector(undefined, 'app')).toBe(false);
    expect(matchesLabelSelector(undefined, {})).toBe(true);
  });
});

it('writes a selector that is read back the same', () => {
  const selector: LabelSelector = {
    matchLabels: { b: '1', a: '' },
    matchExpressions: [
      { key: 'tier', operator: 'In', values: ['web', 'db'] },
      { key: 'x', operator: 'NotIn', values: ['y'] },
      { key: 'c', operator: 'Exists' },
      { key: 'd', operator: 'DoesNotExist' },
    ],
  };
  const text = formatLabelSelector(selector);
  expect(text).toBe('!d,a=,b=1,c,tier in (db,web),x notin (y)');
  expect(formatLabelSelector(parseLabelSelector(text))).toBe(text);
});
