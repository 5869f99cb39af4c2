import { expect, it } from 'vitest';
import { systemClock } from '../internal/system-clock.ts';
import { MemoryObjectStore } from '../stores/memory-object-store.ts';
import { markDeletion } from './deletion-mark.ts';
import { backupKey, deletionMarkKey } from './key-layout.ts';

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
