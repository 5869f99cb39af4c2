import { describe, expect, it } from 'vitest';
import { backupKey, deletionMarkKey } from '../catalog/key-layout.ts';
import type { JsonObject } from '../model/json.ts';
import { readonlyObjectStore } from '../stores/readonly-object-store.ts';
import { ManualClock } from '../testing/manual-clock.ts';
import { dependenciesOf, storeDeletableBackup } from './deletable-backup-fixture.ts';
import { DeletionBench } from './deletion-bench-fixture.ts';
import { expireBackups } from './expire-backups.ts';

const now = new Date('2026-01-02T00:00:00Z');
const past = { expiration: '2026-01-01T00:00:00Z' };

function openBench(): DeletionBench {
  return new DeletionBench(new ManualClock(now));
}

async function addBackup(bench: DeletionBench, name: string, status: JsonObject): Promise<string> {
  const handle = bench.addSnapshot(name);
  await storeDeletableBackup(bench.memory, { name, handles: [handle], status });
  return handle;
}

async function namesIn(bench: DeletionBench): Promise<readonly string[]> {
  const names = (await bench.keys('backups/')).map((key) => key.split('/')[1] ?? '');
  return [...new Set(names)];
}

describe('expire', () => {
  it('deletes what has expired and nothing else', async () => {
    await using bench = openBench();
    await addBackup(bench, 'a-past', past);
    await addBackup(bench, 'b-now', { expiration: '2026-01-02T00:00:00Z' });
    await addBackup(bench, 'c-later', { expiration: '2026-01-02T00:00:01Z' });
    await addBackup(bench, 'd-never', {});
    await addBackup(bench, 'e-nonsense', { expiration: 'soon' });
    await addBackup(bench, 'f-failed', { ...past, phase: 'PartiallyFailed' });
    const { backups, issues } = await expireBackups(bench.dependencies);
    expect(issues).toEqual([]);
    expect(backups).toMatchObject([
      { backupName: 'a-past', expiration: past.expiration, outcome: 'deleted' },
      { backupName: 'b-now', outcome: 'deleted' },
      { backupName: 'f-failed', outcome: 'deleted' },
    ]);
    expect(await namesIn(bench)).toEqual(['c-later', 'd-never', 'e-nonsense']);
    expect(bench.handles).toHaveLength(3);
  });

  it('never touches one that Velero has not completed, and says so', async () => {
    await using bench = openBench();
    await addBackup(bench, 'b1', { ...past, phase: 'Finalizing' });
    expect((await expireBackups(bench.dependencies)).backups).toMatchObject([
      { backupName: 'b1', outcome: 'kept', reason: 'BackupNotComplete' },
    ]);
    expect(bench.handles).toHaveLength(1);
    expect(await bench.keys()).not.toContain(deletionMarkKey('b1'));
  });

  it('keeps what the store keeps, with its reason, and goes on with the others', async () => {
    await using bench = openBench();
    await addBackup(bench, 'a', past);
    await addBackup(bench, 'b', past);
    const until = new Date('2026-02-01T00:00:00Z');
    const store = Object.assign(bench.memory, {
      getLock: async (key: string) =>
        key.startsWith('backups/a/') ? { retention: { mode: 'compliance' as const, until } } : {},
    });
    const dependencies = dependenciesOf(bench.cluster, store, bench.clock);
    expect((await expireBackups(dependencies)).backups).toMatchObject([
      {
        backupName: 'a',
        outcome: 'kept',
        reason: 'Retained',
        message: expect.stringContaining('until 2026-02-01') as string,
      },
      { backupName: 'b', outcome: 'deleted' },
    ]);
    expect(bench.handles).toHaveLength(1);
  });

  it('keeps everything in a read-only store', async () => {
    await using bench = openBench();
    await addBackup(bench, 'a', past);
    await addBackup(bench, 'b', past);
    const store = readonlyObjectStore(bench.memory);
    const dependencies = dependenciesOf(bench.cluster, store, bench.clock);
    expect((await expireBackups(dependencies)).backups).toMatchObject([
      { backupName: 'a', outcome: 'kept', reason: 'PermissionDenied' },
      { backupName: 'b', outcome: 'kept', reason: 'PermissionDenied' },
    ]);
    expect(bench.handles).toHaveLength(2);
    expect(bench.cluster.requests).toEqual([]);
  });

  it('reports one that fails, goes on with the others, and tries again next time', async () => {
    await using bench = openBench();
    await addBackup(bench, 'a', past);
    await addBackup(bench, 'b', past);
    bench.cluster.faults.inject({ operation: 'create', error: 'Forbidden', times: 1 });
    expect((await expireBackups(bench.dependencies)).backups).toMatchObject([
      { backupName: 'a', outcome: 'failed', reason: 'SnapshotFailed' },
      { backupName: 'b', outcome: 'deleted' },
    ]);
    expect((await expireBackups(bench.dependencies)).backups).toMatchObject([
      { backupName: 'a', outcome: 'deleted' },
    ]);
    expect(bench.handles).toEqual([]);
  });

  it('calls a failure after the deletion was begun failed, although the store refused it', async () => {
    await using bench = openBench();
    await addBackup(bench, 'a', past);
    bench.store.inject({ operation: 'delete', key: backupKey('a', 'backup'), error: 'Retained' });
    expect((await expireBackups(bench.dependencies)).backups).toMatchObject([
      { backupName: 'a', outcome: 'failed', reason: 'Retained' },
    ]);
  });

  it('frees a snapshot that two expired backups share with the second of them', async () => {
    await using bench = openBench();
    const shared = bench.addSnapshot('shared');
    for (const name of ['a', 'b']) {
      await storeDeletableBackup(bench.memory, { name, handles: [shared], status: past });
    }
    const { backups } = await expireBackups(bench.dependencies);
    expect(backups.map(({ deletion }) => deletion?.snapshots[0]?.state)).toEqual([
      'shared',
      'released',
    ]);
    expect(bench.handles).toEqual([]);
    expect(await bench.keys()).toEqual([]);
  });

  it('finishes a deletion that was interrupted after the description was gone', async () => {
    await using bench = openBench();
    await addBackup(bench, 'a', {});
    await bench.memory.put(deletionMarkKey('a'), Buffer.from('{}'));
    expect((await expireBackups(bench.dependencies)).backups).toEqual([]);
    await bench.memory.delete(backupKey('a', 'backup'));
    expect((await expireBackups(bench.dependencies)).backups).toMatchObject([
      { backupName: 'a', outcome: 'deleted' },
    ]);
    expect(await bench.keys()).toEqual([]);
  });

  it('only tells what it would do in a dry run', async () => {
    await using bench = openBench();
    await addBackup(bench, 'a', past);
    const keys = await bench.keys();
    expect((await expireBackups(bench.dependencies, { dryRun: true })).backups).toMatchObject([
      {
        backupName: 'a',
        outcome: 'wouldBeDeleted',
        deletion: { snapshots: [{ state: 'wouldBeReleased' }] },
      },
    ]);
    expect(await bench.keys()).toEqual(keys);
    expect(bench.cluster.requests).toEqual([]);
  });

  it('reports each backup, and one that cannot be read', async () => {
    await using bench = openBench();
    await addBackup(bench, 'a', past);
    await bench.memory.put(backupKey('b', 'backup'), Buffer.from('damaged'));
    const outcomes: string[] = [];
    const { issues } = await expireBackups(bench.dependencies, {
      onEvent: (event) => {
        if (event.type === 'backup') {
          outcomes.push(`${event.backupName}: ${event.outcome}`);
        }
      },
    });
    expect(outcomes).toEqual(['a: deleted']);
    expect(issues).toMatchObject([{ reason: 'CorruptBackup' }]);
  });

  it('rejects with the reason of an abort', async () => {
    await using bench = openBench();
    await addBackup(bench, 'a', past);
    const stop = new AbortController();
    const reason = new Error('enough');
    const expiring = expireBackups(bench.dependencies, {
      signal: stop.signal,
      onEvent: () => stop.abort(reason),
    });
    await expect(expiring).rejects.toBe(reason);
    expect(bench.handles).toHaveLength(1);
  });
});
