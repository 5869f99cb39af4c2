import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

const child = join(import.meta.dirname, 'back-pressure-child.ts');

/** What the child prints. */
interface Asked {
  readonly asked: readonly number[];
  readonly pages: number;
  readonly objects: number;
}

// In a process of its own, which tells of itself that it has nothing left to do: no time is waited to see that nothing comes.
it('a store that takes nothing stops the requests to the API server until it reads on', {
  timeout: 240_000,
}, async () => {
  const options = ['--conditions=lifeboat-source', '--no-warnings', child];
  const { stdout } = await promisify(execFile)(process.execPath, options);
  const { asked, pages, objects } = JSON.parse(stdout) as Asked;
  // The page at hand, what lies between it and the store, and one page ahead; each MiB of the archive is less than a page.
  expect(asked).toHaveLength(3);
  expect(asked[0]).toBeGreaterThanOrEqual(2);
  expect(asked[0]).toBeLessThanOrEqual(5);
  for (const [index, count] of asked.slice(1).entries()) {
    const before = asked[index] ?? 0;
    expect(count).toBeGreaterThan(before);
    expect(count).toBeLessThanOrEqual(before + 6);
  }
  expect(asked.at(-1)).toBeLessThan(pages);
  expect(objects).toBe(pages * 100 + 1);
});
