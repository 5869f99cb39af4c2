import { expect, it, vi } from 'vitest';
import { delayedSignal } from './delayed-signal.ts';

it.each([['before'], ['after']])(
  'aborts a while after a signal that aborts %s it was made',
  (when) => {
    vi.useFakeTimers();
    const controller = new AbortController();
    const reason = new Error('stop');
    if (when === 'before') controller.abort(reason);
    using delayed = delayedSignal(controller.signal, 5_000);
    if (when === 'after') controller.abort(reason);
    vi.advanceTimersByTime(4_999);
    expect(delayed.signal.aborted).toBe(false);
    vi.advanceTimersByTime(1);
    expect(delayed.signal.reason).toBe(reason);
    vi.useRealTimers();
  },
);

it('never aborts once it was disposed of, nor without a signal', () => {
  vi.useFakeTimers();
  const controller = new AbortController();
  const disposed = delayedSignal(controller.signal, 5_000);
  using alone = delayedSignal(undefined, 5_000);
  controller.abort();
  disposed[Symbol.dispose]();
  vi.advanceTimersByTime(10_000);
  expect(disposed.signal.aborted).toBe(false);
  expect(alone.signal.aborted).toBe(false);
  expect(vi.getTimerCount()).toBe(0);
  vi.useRealTimers();
});
