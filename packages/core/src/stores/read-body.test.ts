import { Readable } from 'node:stream';
import { expect, it, vi } from 'vitest';
import { readBody } from './read-body.ts';

const stalledAfterMs = 60_000;

function hangingBody(): Readable {
  const body = new Readable({ read: () => undefined });
  body.push(Buffer.from('text'));
  return body;
}

it('passes the bytes on and ends with them', async () => {
  const body = Readable.from([Buffer.from('life'), Buffer.from('boat')]);
  const options = { key: 'a', signal: undefined, stalledAfterMs };
  expect(Buffer.concat(await Array.fromAsync(readBody(body, options))).toString()).toBe('lifeboat');
  expect(body.destroyed).toBe(true);
});

it('closes the connection when the loop is left', async () => {
  const body = hangingBody();
  for await (const chunk of readBody(body, { key: 'a', signal: undefined, stalledAfterMs })) {
    expect(Buffer.from(chunk).toString()).toBe('text');
    break;
  }
  expect(body.destroyed).toBe(true);
});

it('rejects with the reason of an abort while nothing arrives, and closes the connection', async () => {
  const controller = new AbortController();
  const reason = new Error('stop');
  const body = hangingBody();
  const chunks = readBody(body, { key: 'a', signal: controller.signal, stalledAfterMs });
  await chunks.next();
  const next = chunks.next();
  controller.abort(reason);
  await expect(next).rejects.toBe(reason);
  expect(body.destroyed).toBe(true);
});

it('closes the connection with an abort although nobody reads', async () => {
  const controller = new AbortController();
  const body = hangingBody();
  readBody(body, { key: 'a', signal: controller.signal, stalledAfterMs });
  controller.abort();
  expect(body.destroyed).toBe(true);
});

it('tells a connection that broke before anyone read only to the reader', async () => {
  const failure = new Error('reset');
  const body = hangingBody();
  const chunks = readBody(body, { key: 'a', signal: undefined, stalledAfterMs });
  body.destroy(failure);
  await new Promise((resolve) => {
    body.once('close', resolve);
  });
  await expect(chunks.next()).rejects.toBe(failure);
});

it('gives a connection up that brings nothing, and only then', async () => {
  vi.useFakeTimers();
  const body = hangingBody();
  const chunks = readBody(body, { key: 'a/b', signal: undefined, stalledAfterMs });
  await chunks.next();
  // While nobody asks for more, no time counts.
  vi.advanceTimersByTime(10 * stalledAfterMs);
  expect(body.destroyed).toBe(false);
  const next = chunks.next();
  vi.advanceTimersByTime(stalledAfterMs);
  vi.useRealTimers();
  await expect(next).rejects.toMatchObject({ code: 'Unavailable', target: 'a/b', retryable: true });
  expect(body.destroyed).toBe(true);
});
