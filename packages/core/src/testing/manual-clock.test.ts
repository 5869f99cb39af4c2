import { describe, expect, it } from 'vitest';
import { ManualClock } from './manual-clock.ts';

describe('ManualClock', () => {
  it('stands still until it is turned', async () => {
    const clock = new ManualClock(new Date('2026-03-04T05:06:07Z'));
    expect(clock.now().toISOString()).toBe('2026-03-04T05:06:07.000Z');
    await clock.advance(1500);
    expect(clock.now().toISOString()).toBe('2026-03-04T05:06:08.500Z');
  });

  it('wakes sleepers in the order in which their sleeps end, at the moment at which they end', async () => {
    const clock = new ManualClock();
    const start = clock.now().getTime();
    const woken: [string, number][] = [];
    const sleep = async (name: string, ms: number): Promise<void> => {
      await clock.sleep(ms);
      woken.push([name, clock.now().getTime() - start]);
    };
    const all = Promise.all([sleep('late', 20), sleep('early', 10), sleep('never', 1000)]);
    await clock.advance(30);
    expect(woken).toEqual([
      ['early', 10],
      ['late', 20],
    ]);
    await clock.advance(970);
    await all;
  });

  it('lets what it wakes sleep again within the same turn', async () => {
    const clock = new ManualClock();
    const twice = (async () => {
      await clock.sleep(10);
      await clock.sleep(10);
    })();
    await clock.advance(20);
    await twice;
  });

  it('does not sleep for zero', async () => {
    await new ManualClock().sleep(0);
  });

  it('rejects a sleep with the reason of its signal', async () => {
    const clock = new ManualClock();
    const controller = new AbortController();
    const reason = new Error('enough');
    const slept = clock.sleep(10, controller.signal);
    controller.abort(reason);
    await expect(slept).rejects.toBe(reason);
    await expect(clock.sleep(10, controller.signal)).rejects.toBe(reason);
  });
});
