import { expect, it } from 'vitest';
import { finalRequest } from './final-request.ts';

const reason = new Error('stop');

/** A clock that tells how long was slept, and does not. */
function recordingClock(pauses: number[]): { now(): Date; sleep(ms: number): Promise<void> } {
  return {
    now: () => new Date(),
    sleep: async (ms) => {
      pauses.push(ms);
    },
  };
}

/** A request that the server does not answer before it is cut off. */
function unanswered(signal: AbortSignal): Promise<never> {
  const { promise, reject } = Promise.withResolvers<never>();
  const fail = (): void => reject(new Error('cut off'));
  if (signal.aborted) fail();
  signal.addEventListener('abort', fail);
  return promise;
}

const never = async (): Promise<boolean> => {
  throw new Error('nobody asks');
};

it('succeeds with the request, and looks for nothing', async () => {
  const { signal } = new AbortController();
  await finalRequest(async () => undefined, { signal, isStored: never });
});

it('sends nothing when the call was aborted before', async () => {
  let sent = false;
  const send = async (): Promise<void> => {
    sent = true;
  };
  const request = finalRequest(send, { signal: AbortSignal.abort(reason), isStored: never });
  await expect(request).rejects.toBe(reason);
  expect(sent).toBe(false);
});

it('fails with the request, and looks for nothing unless the call is aborted', async () => {
  const failure = new Error('refused');
  let asked = 0;
  const isStored = async (): Promise<boolean> => {
    asked += 1;
    return true;
  };
  const send = async (): Promise<never> => {
    throw failure;
  };
  await expect(finalRequest(send, { signal: undefined, isStored })).rejects.toBe(failure);
  expect(asked).toBe(0);
});

it('lets an answer count that comes after an abort', async () => {
  const controller = new AbortController();
  const send = async (signal: AbortSignal): Promise<void> => {
    controller.abort(reason);
    expect(signal.aborted).toBe(false);
  };
  await finalRequest(send, { signal: controller.signal, isStored: never });
});

it('succeeds when the request was cut off and the object is there, perhaps a while later', async () => {
  const controller = new AbortController();
  const answers = [false, true];
  const pauses: number[] = [];
  const request = finalRequest(unanswered, {
    signal: controller.signal,
    isStored: async () => answers.shift() ?? false,
    graceMs: 0,
    clock: recordingClock(pauses),
  });
  controller.abort(reason);
  await request;
  expect(pauses).toEqual([0, 200]);
});

it('fails when the request was cut off and the object does not appear', async () => {
  const controller = new AbortController();
  const pauses: number[] = [];
  const request = finalRequest(unanswered, {
    signal: controller.signal,
    isStored: async () => false,
    graceMs: 0,
    clock: recordingClock(pauses),
  });
  controller.abort(reason);
  await expect(request).rejects.toThrow('cut off');
  expect(pauses).toEqual([0, 200, 1_000]);
});

it('looks once when the connection broke after the abort, and takes no answer for no', async () => {
  const controller = new AbortController();
  const pauses: number[] = [];
  const send = async (): Promise<never> => {
    controller.abort(reason);
    throw new Error('broken');
  };
  const options = { signal: controller.signal, clock: recordingClock(pauses) };
  await expect(finalRequest(send, { ...options, isStored: never })).rejects.toThrow('broken');
  expect(pauses).toEqual([0]);
});
