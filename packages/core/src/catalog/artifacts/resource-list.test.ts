import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';

import { resourceListFile } from './resource-list.ts';

async function textOf(names: ReadonlyMap<string, Iterable<string>>): Promise<string> {
  return gunzipSync(await resourceListFile(names)).toString();
}

describe('resourceListFile', () => {
  it('is an empty object when nothing was stored', async () => {
    expect(await textOf(new Map())).toBe('{}\n');
  });

  it('sorts kinds and names, and leaves what it was given as it is', async () => {
    const pods = ['shop/web', 'shop/db', 'a/z'];
    const text = await textOf(
      new Map([
        ['v1/Pod', pods],
        ['apps/v1/Deployment', ['shop/web']],
        ['v1/PersistentVolume', []],
      ]),
    );
    expect(text).toBe(
      '{"apps/v1/Deployment":["shop/web"],"v1/PersistentVolume":[],"v1/Pod":["a/z","shop/db","shop/web"]}\n',
    );
    expect(pods).toEqual(['shop/web', 'shop/db', 'a/z']);
  });

  it('is one list however long, with what Go escapes escaped', async () => {
    const names = Array.from(
      { length: 20_000 },
      (_, index) => `shop/<${String(index).padStart(5, '0')}>`,
    );
    const text = await textOf(new Map([['v1/ConfigMap', names]]));
    expect(text).not.toContain('<');
    expect(JSON.parse(text)).toEqual({ 'v1/ConfigMap': names });
  });

  it('has a name that is longer than what is compressed at a time', async () => {
    const names = ['a', 'b'.repeat(200_000), 'c'];
    expect(JSON.parse(await textOf(new Map([['v1/Pod', names]])))).toEqual({ 'v1/Pod': names });
  });
});
