import { glob, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';

const root = join(import.meta.dirname, '../..');
const sources = join(root, 'packages/core/src');

/** The first cells of the table below a heading of the reference. */
async function namesBelow(heading: string): Promise<readonly string[]> {
  const text = await readFile(join(root, 'docs/reference/errors.md'), 'utf8');
  const section = text.split(/^## /m).find((part) => part.startsWith(heading)) ?? '';
  return [...section.matchAll(/^\| `(\w+)` \|/gm)].map(([, name = '']) => name);
}

it('the reference lists every error code, and no other', async () => {
  const text = await readFile(join(sources, 'errors.ts'), 'utf8');
  const [, union = ''] = /type LifeboatErrorCode =([^;]*);/.exec(text) ?? [];
  const codes = [...union.matchAll(/'(\w+)'/g)].map(([, code = '']) => code);
  expect(codes.length).toBeGreaterThan(20);
  expect((await namesBelow('Errors')).toSorted()).toEqual(codes.toSorted());
});

it('the reference explains every reason of an issue that is not an error code', async () => {
  const documented = new Set([...(await namesBelow('Errors')), ...(await namesBelow('Issues'))]);
  const reasons = new Set<string>();
  for (const layer of ['backup', 'catalog', 'discovery', 'restore', 'retention', 'selection']) {
    for await (const file of glob(`${layer}/**/*.ts`, { cwd: sources })) {
      const text = file.endsWith('.test.ts') ? '' : await readFile(join(sources, file), 'utf8');
      for (const [, reason = ''] of text.matchAll(/\breason[^\n]*?'([A-Z][a-z]+[A-Za-z]*)'/g)) {
        reasons.add(reason);
      }
    }
  }
  expect(reasons).toContain('SnapshotClassAmbiguous');
  expect([...reasons].filter((reason) => !documented.has(reason))).toEqual([]);
});
