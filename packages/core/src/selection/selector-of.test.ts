import { describe, expect, it } from 'vitest';

import type { BackupSpec } from '../model/backup.ts';
import { selectorOf } from './selector-of.ts';

describe('selectorOf', () => {
  it.each<[string, BackupSpec]>([
    ['is missing', {}],
    ['is null', { labelSelector: null }],
    ['is empty', { labelSelector: {} }],
    ['has empty members', { labelSelector: { matchLabels: {}, matchExpressions: null } }],
  ])('selects everything when the selector %s', (_what, spec) => {
    expect(selectorOf(spec)).toBeUndefined();
  });

  it('reads labels and requirements', () => {
    const matchExpressions = [{ key: 'a', operator: 'In', values: ['b'] }];
    expect(
      selectorOf({ labelSelector: { matchLabels: { app: 'shop' }, matchExpressions } }),
    ).toEqual({ matchLabels: { app: 'shop' }, matchExpressions });
  });
});
