import { describe, expect, it } from 'vitest';

import { resourceListOf } from './resource-list.ts';

describe('resourceListOf', () => {
  it('is an empty object when nothing was stored', () => {
    expect(resourceListOf(new Map())).toEqual({});
  });

  it('sorts kinds and names, and leaves what it was given as it is', () => {
    const pods = ['shop/web', 'shop/db', 'a/z'];
    const list = resourceListOf(
      new Map<string, readonly string[]>([
        ['v1/Pod', pods],
        ['apps/v1/Deployment', ['shop/web']],
        ['v1/PersistentVolume', ['pv-1']],
      ]),
    );
    expect(JSON.stringify(list)).toBe(
      '{"apps/v1/Deployment":["shop/web"],"v1/PersistentVolume":["pv-1"],"v1/Pod":["a/z","shop/db","shop/web"]}',
    );
    expect(pods).toEqual(['shop/web', 'shop/db', 'a/z']);
  });
});
