import assert from 'node:assert/strict';
import type { ObjectBody } from '../../ports/object-store.ts';
import { rejectsWith, rejectsWithReason } from '../cluster-contract/expectations.ts';
import { defineCase } from './define-case.ts';
import type {
  ObjectStoreContractCase,
  ObjectStoreContractContext,
} from './object-store-contract-context.ts';
import {
  assertRoundTrip,
  assertSameBytes,
  failingStream,
  hangingStream,
  keysBelow,
  readObject,
  sampleBytes,
  streamOf,
} from './sample-bodies.ts';

const defaultPartSizeBytes = 65_536;
const moments = 6;

/** Bodies that end before a first part is full, and after several. */
function bodiesBelowAndAbove({
  partSizeBytes = defaultPartSizeBytes,
}: ObjectStoreContractContext): readonly Uint8Array[] {
  return [
    new Uint8Array(),
    sampleBytes(100),
    sampleBytes(partSizeBytes),
    sampleBytes(3 * partSizeBytes + 7),
  ];
}

async function assertNothingLeft(context: ObjectStoreContractContext): Promise<void> {
  const { store, prefix, signal, danglingUploads } = context;
  assert.deepEqual(await keysBelow(store, prefix, signal), [], 'an object has become visible');
  assert.equal((await danglingUploads?.(prefix)) ?? 0, 0, 'an upload was left dangling');
}

/** Puts a hanging body and aborts the call; the body hangs after the given bytes. */
async function abortPut(
  { store, signal }: ObjectStoreContractContext,
  key: string,
  bytes: Uint8Array,
): Promise<void> {
  const controller = new AbortController();
  const reason = new Error('the case aborts');
  const body = hangingStream(bytes, () => {
    setImmediate(() => {
      controller.abort(reason);
    });
  });
  await rejectsWithReason(
    reason,
    store.put(key, body, { signal: AbortSignal.any([controller.signal, signal]) }),
  );
}

/** Puts a body, aborts the call after a while, and returns whether the store says that the object is there. */
async function putAbortedAfter(
  delayMs: number,
  { store, signal }: ObjectStoreContractContext,
  key: string,
  body: ObjectBody,
): Promise<boolean> {
  const controller = new AbortController();
  const reason = new Error('the case aborts');
  const timer = setTimeout(() => {
    controller.abort(reason);
  }, delayMs);
  try {
    await store.put(key, body, { signal: AbortSignal.any([controller.signal, signal]) });
    return true;
  } catch (error) {
    assert.ok(error === reason, `expected the signal's reason itself, got ${String(error)}`);
    return false;
  } finally {
    clearTimeout(timer);
  }
}

/** What a failure or an abort leaves: nothing. */
export const failureCases: readonly ObjectStoreContractCase[] = [
  defineCase('a failing source leaves no object', async (context) => {
    const failure = new Error('the source fails');
    for (const bytes of bodiesBelowAndAbove(context)) {
      const put = context.store.put(`${context.prefix}failed`, failingStream(bytes, failure), {
        signal: context.signal,
      });
      await rejectsWithReason(failure, put);
      await assertNothingLeft(context);
    }
  }),

  defineCase('a failing source leaves the object that was there', async (context) => {
    const { store, prefix, signal } = context;
    const key = `${prefix}kept`;
    const kept = sampleBytes(500, 2);
    await store.put(key, kept, { signal });
    const failure = new Error('the source fails');
    for (const bytes of bodiesBelowAndAbove(context)) {
      await rejectsWithReason(failure, store.put(key, failingStream(bytes, failure), { signal }));
    }
    assertSameBytes(await readObject(store, key, { signal }), kept);
  }),

  defineCase('a body of another size than announced is not stored', async (context) => {
    const { store, prefix, signal } = context;
    const key = `${prefix}sized`;
    for (const bytes of bodiesBelowAndAbove(context)) {
      for (const sizeBytes of [bytes.byteLength + 1, bytes.byteLength - 1]) {
        for (const body of [bytes, streamOf(bytes)]) {
          await rejectsWith('PreconditionFailed', store.put(key, body, { sizeBytes, signal }));
        }
      }
    }
    await assertNothingLeft(context);
    await store.put(key, streamOf(sampleBytes(10)), { sizeBytes: 10, signal });
    assertSameBytes(await readObject(store, key, { signal }), sampleBytes(10));
  }),

  defineCase(
    'a call that is aborted beforehand rejects with the reason and does nothing',
    async ({ store, prefix, signal }) => {
      const key = `${prefix}untouched`;
      const bytes = sampleBytes(10);
      await store.put(key, bytes, { signal });
      const reason = new Error('aborted beforehand');
      const aborted = { signal: AbortSignal.abort(reason) };
      await rejectsWithReason(reason, store.put(key, sampleBytes(20, 2), aborted));
      await rejectsWithReason(reason, store.get(key, aborted));
      await rejectsWithReason(reason, store.stat(key, aborted));
      await rejectsWithReason(reason, store.delete(key, aborted));
      await rejectsWithReason(reason, Array.fromAsync(store.list(prefix, aborted)));
      await rejectsWithReason(reason, Array.fromAsync(store.listPrefixes(prefix, aborted)));
      assertSameBytes(await readObject(store, key, { signal }), bytes);
    },
  ),

  defineCase('a put that is aborted leaves no object', async (context) => {
    for (const bytes of bodiesBelowAndAbove(context)) {
      await abortPut(context, `${context.prefix}aborted`, bytes);
      await assertNothingLeft(context);
    }
  }),

  defineCase('a put that is aborted leaves the object that was there', async (context) => {
    const { store, prefix, signal } = context;
    const key = `${prefix}kept`;
    const kept = sampleBytes(500, 2);
    await store.put(key, kept, { signal });
    await abortPut(context, key, sampleBytes(1_000));
    assertSameBytes(await readObject(store, key, { signal }), kept);
  }),

  defineCase(
    'a put that is aborted at any moment has stored all or nothing, and says which',
    async (context) => {
      const { store, prefix, signal, partSizeBytes = defaultPartSizeBytes } = context;
      const key = `${prefix}moments`;
      const before = sampleBytes(500, 2);
      const after = sampleBytes(2 * partSizeBytes + 7);
      for (const bodyOf of [() => after, () => streamOf(after)]) {
        const started = performance.now();
        await store.put(key, bodyOf(), { signal });
        const durationMs = performance.now() - started;
        for (let moment = 0; moment <= moments; moment += 1) {
          await store.put(key, before, { signal });
          const delayMs = (durationMs * moment) / moments;
          const wasStored = await putAbortedAfter(delayMs, context, key, bodyOf());
          const read = await readObject(store, key, { signal });
          assertSameBytes(read, wasStored ? after : before);
        }
      }
      await store.delete(key, { signal });
      await assertNothingLeft(context);
    },
  ),

  defineCase('a put that fails closes its source', async ({ store, prefix, signal }) => {
    const controller = new AbortController();
    let closed = false;
    async function* body(): AsyncGenerator<Uint8Array> {
      try {
        for (;;) {
          yield sampleBytes(1_000);
          controller.abort(new Error('the case aborts'));
        }
      } finally {
        closed = true;
      }
    }
    const both = AbortSignal.any([controller.signal, signal]);
    await assert.rejects(store.put(`${prefix}closed`, body(), { signal: both }));
    assert.ok(closed, 'the source was left open');
  }),

  defineCase('a get that is aborted rejects with the reason', async (context) => {
    const { store, prefix, signal, partSizeBytes = defaultPartSizeBytes } = context;
    const key = `${prefix}long`;
    await store.put(key, sampleBytes(20 * partSizeBytes), { signal });
    const controller = new AbortController();
    const reason = new Error('the case aborts');
    const read = async (): Promise<void> => {
      const both = AbortSignal.any([controller.signal, signal]);
      for await (const chunk of await store.get(key, { signal: both })) {
        assert.ok(chunk.byteLength > 0, 'a chunk is empty');
        controller.abort(reason);
      }
    };
    await rejectsWithReason(reason, read());
  }),

  defineCase('a get whose loop is left does no harm', async (context) => {
    const { store, prefix, signal, partSizeBytes = defaultPartSizeBytes } = context;
    const key = `${prefix}left`;
    const bytes = sampleBytes(4 * partSizeBytes);
    await store.put(key, bytes, { signal });
    for (let round = 0; round < 20; round += 1) {
      for await (const chunk of await store.get(key, { signal })) {
        assert.ok(chunk.byteLength > 0, 'a chunk is empty');
        break;
      }
    }
    await assertRoundTrip(store, key, bytes, signal);
  }),
];
