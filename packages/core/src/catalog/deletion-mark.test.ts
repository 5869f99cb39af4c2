import { expect, it } from 'vitest';
import { systemClock } from '../internal/system-clock.ts';
import { MemoryObjectStore } from '../stores/memory-object-store.ts';
import { claimBackup } from './backup-claim.ts';
import { markDeletion, readDeletionMark } from './deletion-mark.ts';
import { backupKey, deletionMarkKey } from './key-layout.ts';
import { claimForDeletion } from './stored-claim.ts';

const options = { clock: systemClock };

async function keysOf(store: MemoryObjectStore): Promise<readonly string[]> {
  return (await Array.fromAsync(store.list(''))).map(({ key }) => key);
}

it('marks a backup, and leaves the mark that stands', async () => {
  const store = new MemoryObjectStore();
  await store.put(backupKey('b1', 'backup'), Buffer.from('x'));
  await markDeletion(store, 'b1', options);
  expect(await keysOf(store)).toContain(deletionMarkKey('b1'));

  await store.put(deletionMarkKey('b1'), Buffer.from('first'));
  await markDeletion(store, 'b1', options);
  expect(await store.stat(deletionMarkKey('b1'))).toMatchObject({ sizeBytes: 5 });
});

it('makes no directory for a backup that does not exist', async () => {
  const store = new MemoryObjectStore();
  await store.put(backupKey('b10', 'backup'), Buffer.from('x'));
  await markDeletion(store, 'b1', options);
  expect(await keysOf(store)).toEqual([backupKey('b10', 'backup')]);
});

it.each(['the mark', 'the claim'])(
  'remembers the run that was making the backup, when its deletion writes %s first',
  async (first) => {
    const store = new MemoryObjectStore();
    expect(await readDeletionMark(store, 'b1')).toBeUndefined();
    await claimBackup(store, { name: 'b1', runId: 'run-1', startedAt: new Date() });
    if (first === 'the claim') {
      await claimForDeletion(store, { name: 'b1', runId: 'run-2', startedAt: new Date() });
    }
    await markDeletion(store, 'b1', options);
    await claimForDeletion(store, { name: 'b1', runId: 'run-3', startedAt: new Date() });
    expect(await readDeletionMark(store, 'b1')).toEqual({ runId: 'run-1', isUnfinished: true });
  },
);

it('remembers that the backup was complete', async () => {
  const store = new MemoryObjectStore();
  await store.put(backupKey('b1', 'backup'), Buffer.from('x'));
  await markDeletion(store, 'b1', options);
  await store.delete(backupKey('b1', 'backup'));
  expect(await readDeletionMark(store, 'b1')).toEqual({ isUnfinished: false });
});

it('takes a damaged mark for one that does not tell', async () => {
  const store = new MemoryObjectStore();
  await store.put(deletionMarkKey('b1'), Buffer.from('not json'));
  expect(await readDeletionMark(store, 'b1')).toEqual({ isUnfinished: false });
});
