import { access, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';

const root = join(import.meta.dirname, '../..');

/** The file of a test as the page names it. */
function fileOf(name: string): string {
  return name.startsWith('e2e/')
    ? join(root, 'test', `${name}.e2e.test.ts`)
    : join(root, 'packages/core/src', `${name}.test.ts`);
}

it('every pitfall of the reference names tests, and each of them exists', async () => {
  const text = await readFile(join(root, 'docs/reference/snapshot-pitfalls.md'), 'utf8');
  const rows = text
    .split('\n')
    .filter((line) => line.startsWith('| ') && !/^\| (---|pitfall)/.test(line))
    .map((line) => line.split('|').at(-2) ?? '');
  expect(rows.length).toBeGreaterThan(20);
  for (const tests of rows) {
    const names = [...tests.matchAll(/`([^`]+)`/g)].map(([, name = '']) => name);
    expect(names).not.toEqual([]);
    await Promise.all(names.map((name) => access(fileOf(name))));
  }
});
