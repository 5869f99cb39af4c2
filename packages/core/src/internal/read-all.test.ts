import { expect, it } from 'vitest';
import { readAll } from './read-all.ts';

it('joins the chunks of a stream', async () => {
  async function* body(): AsyncGenerator<Uint8Array> {
    yield Buffer.from('life');
    yield Buffer.from('boat');
  }
  expect(Buffer.from(await readAll(body(), { maximumBytes: 8 })).toString()).toBe('lifeboat');
});

it('rejects a body that is longer than allowed, and closes it', async () => {
  let closed = false;
  async function* body(): AsyncGenerator<Uint8Array> {
    try {
      for (;;) {
        yield Buffer.alloc(5);
      }
    } finally {
      closed = true;
    }
  }
  await expect(readAll(body(), { maximumBytes: 8, target: 'a/b.json' })).rejects.toMatchObject({
    code: 'CorruptBackup',
    target: 'a/b.json',
  });
  expect(closed).toBe(true);
});
