import { expect, it } from 'vitest';
import { backupKey, deletionMarkKey } from '../catalog/key-layout.ts';
import type { DeletionEvent } from '../model/event.ts';
import { storeDeletableBackup } from './deletable-backup-fixture.ts';
import { beginDeletion, finishDeletion, inspectBackup } from './delete-backup.ts';
import { DeletionBench } from './deletion-bench-fixture.ts';
import type { DeletionPlan } from './plan-deletion.ts';

const ignore = (_event: DeletionEvent): void => undefined;

/** Two backups that share a snapshot, each of them planned before the deletion of the other began. */
async function plannedBoth(
  bench: DeletionBench,
): Promise<readonly [one: DeletionPlan, other: DeletionPlan]> {
  const [shared = ''] = await bench.addBackup('b1');
  await storeDeletableBackup(bench.memory, { name: 'b2', handles: [shared] });
  const { dependencies } = bench;
  const plans = [
    await inspectBackup(dependencies, 'b1', {}, ignore),
    await inspectBackup(dependencies, 'b2', {}, ignore),
  ] as const;
  expect(plans.map(({ shared: { length } }) => length)).toEqual([1, 1]);
  return plans;
}

it('two deletions that each left a snapshot to the other free it, whichever marks first', async () => {
  await using bench = new DeletionBench();
  const [one, other] = await plannedBoth(bench);
  const { dependencies } = bench;
  const begunOne = await beginDeletion(dependencies, one, {});
  const doneOne = await finishDeletion(dependencies, begunOne, {}, ignore);
  expect(doneOne.snapshots).toMatchObject([{ state: 'shared', sharedWith: ['b2'] }]);
  expect(bench.handles).toHaveLength(1);
  const begunOther = await beginDeletion(dependencies, other, {});
  const doneOther = await finishDeletion(dependencies, begunOther, {}, ignore);
  expect(doneOther).toMatchObject({ snapshots: [{ state: 'released' }], issues: [] });
  expect(bench.handles).toEqual([]);
  expect(await bench.keys()).toEqual([]);
});

it('two deletions that have both marked their backups both free what they share', async () => {
  await using bench = new DeletionBench();
  const [one, other] = await plannedBoth(bench);
  const { dependencies } = bench;
  await beginDeletion(dependencies, one, {});
  const begun = await beginDeletion(dependencies, other, {});
  await finishDeletion(dependencies, begun, {}, ignore);
  expect(bench.handles).toEqual([]);
  expect((await bench.delete('b1')).snapshots).toMatchObject([{ state: 'notFound' }]);
  expect(await bench.keys()).toEqual([]);
});

it.each([0, 1, 2, 3, 5, 8])(
  'a shared snapshot is freed by two simultaneous deletions, the second %i steps behind',
  async (steps) => {
    await using bench = new DeletionBench();
    const [shared = ''] = await bench.addBackup('b1');
    await storeDeletableBackup(bench.memory, { name: 'b2', handles: [shared] });
    const first = bench.delete('b1');
    for (let step = 0; step < steps; step += 1) {
      await bench.memory.stat(backupKey('b1', 'backup'));
    }
    await Promise.all([first, bench.delete('b2')]);
    expect(bench.handles).toEqual([]);
    expect(await bench.keys()).toEqual([]);
  },
);

it('a backup whose deletion has begun does not keep a snapshot from being freed', async () => {
  await using bench = new DeletionBench();
  const [shared = ''] = await bench.addBackup('b1');
  await storeDeletableBackup(bench.memory, { name: 'copy', handles: [shared] });
  await bench.memory.put(deletionMarkKey('copy'), Buffer.from('{}'));
  const { snapshots, issues } = await bench.delete('b1');
  expect(snapshots).toMatchObject([{ state: 'released' }]);
  expect(issues).toEqual([]);
  expect((await bench.delete('copy')).snapshots).toMatchObject([{ state: 'notFound' }]);
});

it('a claim that the store refuses leaves a backup that is not marked', async () => {
  await using bench = new DeletionBench();
  await bench.addBackup('b1');
  const keys = await bench.keys();
  bench.store.inject({ operation: 'put', key: /lifeboat-claim/, error: 'Retained' });
  await expect(bench.delete('b1')).rejects.toMatchObject({ code: 'Retained' });
  expect(await bench.keys()).toEqual(keys);
});
