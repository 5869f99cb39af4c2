import { expect, it } from 'vitest';
import { claimKey } from '../catalog/key-layout.ts';
import type { Cluster } from '../ports/cluster.ts';
import type { ObjectStore } from '../ports/object-store.ts';
import { dependenciesOf, storeDeletableBackup, storeRestore } from './deletable-backup-fixture.ts';
import { deleteBackup } from './delete-backup.ts';
import { DeletionBench } from './deletion-bench-fixture.ts';
import { expireBackups } from './expire-backups.ts';

const expired = { expiration: '2026-01-01T00:00:00Z' };

/** Dies at one of its calls: that call, carried out or not, and every later one fail. */
class Process {
  readonly #diesAt: number;
  readonly #isCarriedOut: boolean;
  calls = 0;

  constructor(diesAt: number, isCarriedOut: boolean) {
    this.#diesAt = diesAt;
    this.#isCarriedOut = isCarriedOut;
  }

  /** What the process sees of a port. */
  view<T extends Cluster | ObjectStore>(port: T): T {
    return new Proxy(port, {
      get: (target, property) => {
        const value: unknown = Reflect.get(target, property, target);
        return typeof value === 'function'
          ? (...args: unknown[]): unknown =>
              this.#call(() => Reflect.apply(value, target, args) as unknown)
          : value;
      },
    });
  }

  #call(carryOut: () => unknown): unknown {
    const call = this.calls;
    this.calls += 1;
    if (call < this.#diesAt) {
      return carryOut();
    }
    const answer = call === this.#diesAt && this.#isCarriedOut ? carryOut() : undefined;
    return deadCall(answer);
  }
}

/** Fails as a promise does, and as a stream does. */
function deadCall(answer: unknown): unknown {
  const death = (async (): Promise<never> => {
    await answer;
    throw new Error('killed');
  })();
  death.catch(() => undefined);
  return Object.assign(death, {
    [Symbol.asyncIterator]: () => ({ next: (): Promise<never> => death }),
  });
}

interface Scene {
  readonly bench: DeletionBench;
  readonly others: readonly string[];
  readonly keysOfOthers: readonly string[];
}

/** A backup with two snapshots of its own, one that a copy shares, a restore and a kept content; and others beside it. */
async function setTheScene(): Promise<Scene> {
  const bench = new DeletionBench();
  const { memory } = bench;
  const shared = bench.addSnapshot('shared');
  await storeDeletableBackup(memory, { name: 'b2', handles: [shared] });
  const others = [shared, ...(await bench.addBackup('other'))];
  await storeRestore(memory, 'of-other', 'other');
  const keysOfOthers = await bench.keys();
  const own = [bench.addSnapshot('s-1'), bench.addSnapshot('s-2')];
  await storeDeletableBackup(memory, { name: 'b1', handles: [...own, shared], status: expired });
  await storeRestore(memory, 'of-b1', 'b1');
  bench.keepContent('kept', own[0] ?? '', { 'velero.io/backup-name': 'b1' });
  return { bench, others, keysOfOthers };
}

async function kill(bench: DeletionBench, process: Process): Promise<void> {
  const cluster = process.view<Cluster>(bench.cluster);
  const store = process.view<ObjectStore>(bench.memory);
  await deleteBackup(dependenciesOf(cluster, store, bench.clock), 'b1').catch(() => undefined);
}

async function expectOnlyOthers({ bench, others, keysOfOthers }: Scene): Promise<void> {
  expect(bench.handles.toSorted()).toEqual(others.toSorted());
  expect(await bench.keys()).toEqual(keysOfOthers);
  expect(await bench.contents()).toEqual([]);
}

const calls = await (async () => {
  const { bench } = await setTheScene();
  const immortal = new Process(Number.POSITIVE_INFINITY, false);
  await kill(bench, immortal);
  await bench[Symbol.asyncDispose]();
  return immortal.calls;
})();

it('makes the calls that the cases below are made for', () => {
  expect(calls).toBeGreaterThan(30);
});

const deaths = Array.from({ length: calls }, (_, call) => call).flatMap((call) => [
  { call, when: 'before', isCarriedOut: false },
  { call, when: 'after', isCarriedOut: true },
]);

it.each(deaths)('a deletion killed $when call $call is finished by repeating it', async (death) => {
  const scene = await setTheScene();
  await using bench = scene.bench;
  await kill(bench, new Process(death.call, death.isCarriedOut));
  const files = await bench.keys('backups/b1/');
  // As long as a snapshot of the backup is left, its description is.
  if (bench.handles.length > scene.others.length) {
    expect(files).toContain('backups/b1/velero-backup.json');
  }
  // As long as a file is left, so is what tells that its deletion was begun.
  if (files.length > 0 && !files.includes('backups/b1/velero-backup.json')) {
    expect(files).toContain(claimKey('b1'));
  }
  await bench.delete('b1');
  await expectOnlyOthers(scene);
});

it.each(deaths)(
  'a deletion killed $when call $call is finished by the next expiry',
  async (death) => {
    const scene = await setTheScene();
    await using bench = scene.bench;
    await kill(bench, new Process(death.call, death.isCarriedOut));
    const { backups } = await expireBackups(bench.dependencies);
    expect(backups.every(({ outcome }) => outcome === 'deleted')).toBe(true);
    await expectOnlyOthers(scene);
  },
);
