import { expect, it } from 'vitest';
import { systemClock } from '../internal/system-clock.ts';
import { storeDeletableBackup } from './deletable-backup-fixture.ts';
import { DeletionBench } from './deletion-bench-fixture.ts';
import { expireBackups } from './expire-backups.ts';

const missing = {
  code: 'Unsupported',
  message: expect.stringContaining('does not serve snapshot.storage.k8s.io') as string,
};

function bareBench(): DeletionBench {
  return new DeletionBench(systemClock, { withCsi: false });
}

it('a backup with snapshots is refused, and nothing was touched', async () => {
  await using bench = bareBench();
  await bench.addBackup('b1');
  const keys = await bench.keys();
  await expect(bench.delete('b1')).rejects.toMatchObject(missing);
  expect(await bench.keys()).toEqual(keys);
  expect(bench.handles).toHaveLength(1);
});

it('a backup without snapshots is deleted', async () => {
  await using bench = bareBench();
  await storeDeletableBackup(bench.memory, { name: 'b1', handles: [] });
  await bench.delete('b1');
  expect(await bench.keys()).toEqual([]);
});

it('an expired backup with snapshots is kept, and nothing of it was touched', async () => {
  await using bench = bareBench();
  const status = { expiration: '2001-01-01T00:00:00Z' };
  await storeDeletableBackup(bench.memory, { name: 'b1', handles: ['h-1'], status });
  const keys = await bench.keys();
  const { backups } = await expireBackups(bench.dependencies);
  expect(backups).toMatchObject([{ outcome: 'kept', reason: 'Unsupported' }]);
  expect(await bench.keys()).toEqual(keys);
});
