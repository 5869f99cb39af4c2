import { describe, expect, it } from 'vitest';
import { ConcurrencyWindow } from './concurrency-window.ts';

function refuse(window: ConcurrencyWindow, times: number): void {
  for (let count = 0; count < times; count += 1) {
    window.refused(window.epoch);
  }
}

describe('ConcurrencyWindow', () => {
  it('halves with each refusal, down to one', () => {
    const window = new ConcurrencyWindow(10);
    refuse(window, 1);
    expect(window.width).toBe(5);
    refuse(window, 1);
    expect(window.width).toBe(2);
    refuse(window, 5);
    expect(window.width).toBe(1);
  });

  it('takes the refusals of all that was under way for one', () => {
    const window = new ConcurrencyWindow(8);
    const { epoch } = window;
    for (let count = 0; count < 8; count += 1) {
      window.refused(epoch);
    }
    expect(window.width).toBe(4);
  });

  it('widens by one after as many successes as it is wide, up to where it began', () => {
    const window = new ConcurrencyWindow(4);
    refuse(window, 1);
    window.succeeded();
    expect(window.width).toBe(2);
    window.succeeded();
    expect(window.width).toBe(3);
    for (let count = 0; count < 50; count += 1) {
      window.succeeded();
    }
    expect(window.width).toBe(4);
  });
});
