import { describe, expect, it } from 'vitest';
import { ClusterError } from '../../../errors.ts';
import { ManualClock } from '../../manual-clock.ts';
import { FakeApiServer } from '../fake-api-server.ts';
import { type Controller, ownKeys, type Requeue } from './controller.ts';
import { ControllerClock } from './controller-clock.ts';
import { ControllerRuntime } from './controller-runtime.ts';

const object = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a', namespace: 'n' } };

function setUp(
  reconcile: (attempt: number, clock: ControllerClock) => Promise<Requeue | undefined>,
) {
  const manual = new ManualClock();
  const clock = new ControllerClock(manual);
  const server = new FakeApiServer(manual);
  const looks: string[] = [];
  const controller: Controller = {
    name: 'test',
    triggers: [ownKeys('configmaps')],
    reconcile: async (key) => {
      looks.push(key);
      return reconcile(looks.length, clock);
    },
  };
  const runtime = new ControllerRuntime(server, clock, [controller]);
  const change = (): void => {
    server.table.put('configmaps', object);
  };
  return { manual, runtime, looks, change };
}

describe('ControllerRuntime', () => {
  it('looks at an object later, once for all changes until then', async () => {
    const { runtime, looks, change } = setUp(async () => undefined);
    change();
    change();
    expect(looks).toEqual([]);
    await runtime.settle();
    expect(looks).toEqual(['n/a']);
    await runtime.stop();
  });

  it('looks again when an object changed during the look', async () => {
    const { runtime, looks, change } = setUp(async (attempt) => {
      if (attempt === 1) {
        change();
      }
      return undefined;
    });
    change();
    await runtime.settle();
    expect(looks).toHaveLength(2);
    await runtime.stop();
  });

  it('looks again when the controller asks for it, not before', async () => {
    const { manual, runtime, looks, change } = setUp(async (attempt) =>
      attempt === 1 ? { afterMs: 1000 } : undefined,
    );
    change();
    await runtime.settle();
    await manual.advance(999);
    await runtime.settle();
    expect(looks).toHaveLength(1);
    await manual.advance(1);
    await runtime.settle();
    expect(looks).toHaveLength(2);
    await runtime.stop();
  });

  it('does not wait for a controller that sleeps in the midst of its work', async () => {
    let isDone = false;
    const { manual, runtime, change } = setUp(async (_attempt, clock) => {
      await clock.sleep(1000);
      isDone = true;
      return undefined;
    });
    change();
    await runtime.settle();
    expect(isDone).toBe(false);
    await manual.advance(1000);
    await runtime.settle();
    expect(isDone).toBe(true);
    await runtime.stop();
  });

  it('tries again after an error of the API server', async () => {
    const { manual, runtime, looks, change } = setUp(async (attempt) => {
      if (attempt === 1) {
        throw new ClusterError('conflict', { code: 'Conflict', operation: 'test' });
      }
      return undefined;
    });
    change();
    await runtime.settle();
    await manual.advance(1000);
    await runtime.settle();
    expect(looks).toHaveLength(2);
    await runtime.stop();
  });

  it('tells of a controller that breaks', async () => {
    const broken = new TypeError('broken');
    const { runtime, change } = setUp(async () => {
      throw broken;
    });
    change();
    await expect(runtime.settle()).rejects.toBe(broken);
    await expect(runtime.stop()).rejects.toBe(broken);
  });

  it('does not look any more once it is stopped', async () => {
    const { runtime, looks, change } = setUp(async () => ({ afterMs: 1000 }));
    change();
    await runtime.settle();
    await runtime.stop();
    change();
    await runtime.settle();
    expect(looks).toHaveLength(1);
  });
});
