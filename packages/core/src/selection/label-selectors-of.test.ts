import { describe, expect, it } from 'vitest';

import type { BackupSpec } from '../model/backup.ts';
import { labelSelectorsOf } from './label-selectors-of.ts';

const web = { matchLabels: { app: 'web' }, matchExpressions: [] };
const db = { matchLabels: { app: 'db' }, matchExpressions: [] };

describe('labelSelectorsOf', () => {
  it.each<[string, BackupSpec]>([
    ['is missing', {}],
    ['is null', { labelSelector: null, orLabelSelectors: null }],
    ['is empty', { labelSelector: {} }],
    ['has empty members', { labelSelector: { matchLabels: {}, matchExpressions: null } }],
    ['is a list without members', { orLabelSelectors: [] }],
    ['is a list with an empty one', { orLabelSelectors: [{ matchLabels: { app: 'web' } }, {}] }],
  ])('selects everything when the selector %s', (_what, spec) => {
    expect(labelSelectorsOf(spec)).toEqual([]);
  });

  it('reads labels and requirements', () => {
    const matchExpressions = [{ key: 'a', operator: 'In', values: ['b'] }];
    expect(
      labelSelectorsOf({ labelSelector: { matchLabels: { app: 'shop' }, matchExpressions } }),
    ).toEqual([{ matchLabels: { app: 'shop' }, matchExpressions }]);
  });

  it('reads alternatives in their order', () => {
    expect(labelSelectorsOf({ orLabelSelectors: [web, db] })).toEqual([web, db]);
  });
});
