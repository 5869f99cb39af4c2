import { randomUUID } from 'node:crypto';
import { isLifeboatError, type LifeboatError, type ObjectStore } from '@lifeboat/core';
import { expect, it } from 'vitest';

/** What a test file gives to the cases. */
export interface BadInputHost {
  /** Opens a store with every right, which the case closes. */
  readonly open: () => ObjectStore;
  /** So long that the store uploads it in parts. */
  readonly severalPartsBytes: number;
}

const text = Buffer.from('text');

/** The error of ours that a call rejects with. */
export async function failureOf(call: Promise<unknown>): Promise<LifeboatError> {
  const error: unknown = await call.then(
    () => 'it succeeded',
    (reason: unknown) => reason,
  );
  if (!isLifeboatError(error)) throw new Error(`no error of ours: ${String(error)}`);
  return error;
}

/** Every call once, by name. */
export const everyCall: Readonly<Record<string, (store: ObjectStore) => Promise<unknown>>> = {
  put: (store) => store.put('a', text),
  get: (store) => store.get('a'),
  stat: (store) => store.stat('a'),
  list: (store) => Array.fromAsync(store.list('')),
  listPrefixes: (store) => Array.fromAsync(store.listPrefixes('')),
  delete: (store) => store.delete('a'),
};

async function* chunksOf(sizeBytes: number, failure?: Error): AsyncGenerator<Uint8Array> {
  const chunk = new Uint8Array(100_000);
  for (let rest = sizeBytes; rest > 0; rest -= chunk.byteLength) yield chunk.subarray(0, rest);
  if (failure !== undefined) throw failure;
}

/** Declares what every store refuses in the same words, whatever is behind it. */
export function refusesBadInput(host: () => BadInputHost): void {
  it.each([
    { what: 'of 1,025 bytes', key: 'k'.repeat(1_025), rule: 'is longer than 1024 bytes' },
    { what: 'with a component ".."', key: '../a', rule: 'has a component "." or ".."' },
    { what: 'that is empty', key: '', rule: 'is absolute or has an empty component' },
  ])('a key $what is InvalidConfig', async ({ key, rule }) => {
    await using store = host().open();
    for (const [operation, call] of Object.entries({
      put: () => store.put(key, text),
      get: () => store.get(key),
      stat: () => store.stat(key),
      delete: () => store.delete(key),
    })) {
      expect(await failureOf(call())).toMatchObject({
        code: 'InvalidConfig',
        message: `ObjectStore.${operation}: the key ${JSON.stringify(key)} ${rule}`,
      });
    }
  });

  it('a body that throws rejects with what it threw, and nothing is stored', async () => {
    await using store = host().open();
    const failure = new Error('the disk has gone');
    for (const sizeBytes of [100, host().severalPartsBytes]) {
      await expect(store.put('thrown', chunksOf(sizeBytes, failure))).rejects.toBe(failure);
    }
    await expect(store.stat('thrown')).resolves.toBeUndefined();
  });

  it('a body of another size than announced is PreconditionFailed, and nothing is stored', async () => {
    await using store = host().open();
    for (const sizeBytes of [100, host().severalPartsBytes]) {
      const putWith = (difference: number): Promise<void> =>
        store.put('sized', chunksOf(sizeBytes), { sizeBytes: sizeBytes + difference });
      const announced = `ObjectStore.put: the body of sized was announced with`;
      expect(await failureOf(putWith(1))).toMatchObject({
        code: 'PreconditionFailed',
        message: `${announced} ${sizeBytes + 1} bytes and has only ${sizeBytes}; nothing was stored`,
      });
      expect(await failureOf(putWith(-1))).toMatchObject({
        code: 'PreconditionFailed',
        message: `${announced} ${sizeBytes - 1} bytes and has more; nothing was stored`,
      });
    }
    await expect(store.stat('sized')).resolves.toBeUndefined();
  });

  it('a store may be closed twice, and says then that it is closed', async () => {
    const store = host().open();
    await store.close();
    await store.close();
    for (const call of Object.values(everyCall)) {
      const error = await failureOf(call(store));
      expect(error.code).toBe('Closed');
      expect(error.message).toBe(`${error.operation}: the store ${store.location} has been closed`);
    }
  });

  it('a put is stopped at every stage, and leaves nothing', async () => {
    await using store = host().open();
    const key = `stopped-${randomUUID()}`;
    for (let delayMs = 0; delayMs <= 40; delayMs += 4) {
      const reason = new Error(`stopped after ${delayMs} ms`);
      const controller = new AbortController();
      const timer = setTimeout(() => {
        controller.abort(reason);
      }, delayMs);
      const body = chunksOf(host().severalPartsBytes);
      const outcome: unknown = await store.put(key, body, { signal: controller.signal }).then(
        () => 'stored',
        (error: unknown) => error,
      );
      clearTimeout(timer);
      expect([reason, 'stored']).toContain(outcome);
      const stat = await store.stat(key);
      expect(stat?.sizeBytes).toBe(outcome === 'stored' ? host().severalPartsBytes : undefined);
      await store.delete(key);
    }
  });
}
