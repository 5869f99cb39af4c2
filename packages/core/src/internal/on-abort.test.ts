import { getEventListeners } from 'node:events';
import { expect, it } from 'vitest';
import { onAbort } from './on-abort.ts';

it('calls everybody once who has not been told to forget it', () => {
  const controller = new AbortController();
  const called: number[] = [];
  const forget = [0, 1, 2, 3, 4].map((index) =>
    onAbort(controller.signal, () => called.push(index)),
  );
  forget[1]?.();
  forget[1]?.();
  forget[3]?.();
  controller.abort();
  controller.abort();
  forget.forEach((one) => one());
  expect(called.toSorted()).toEqual([0, 2, 4]);
});

it('calls nobody who is told to forget it by another one meanwhile', () => {
  const controller = new AbortController();
  const called: string[] = [];
  onAbort(controller.signal, () => {
    called.push('first');
    forget();
  });
  const forget = onAbort(controller.signal, () => called.push('second'));
  onAbort(controller.signal, () => called.push('third'));
  controller.abort();
  expect(called).toEqual(['first', 'third']);
});

it('calls nobody of a signal that has aborted already', () => {
  const called: string[] = [];
  const forget = onAbort(AbortSignal.abort(), () => called.push('late'));
  forget();
  expect(called).toEqual([]);
});

it('keeps one listener on a signal, and none when nobody waits any more', () => {
  const { signal } = new AbortController();
  const forget = [1, 2, 3].map(() => onAbort(signal, () => undefined));
  expect(getEventListeners(signal, 'abort')).toHaveLength(1);
  forget.forEach((one) => one());
  expect(getEventListeners(signal, 'abort')).toHaveLength(0);
  onAbort(signal, () => undefined);
  expect(getEventListeners(signal, 'abort')).toHaveLength(1);
});
