import { expect, it } from 'vitest';
import { MemoryObjectStore } from '../stores/memory-object-store.ts';
import { interruptedDeletions } from './interrupted-deletions.ts';
import { backupKey, claimKey, deletionMarkKey } from './key-layout.ts';
import { claimForDeletion } from './stored-claim.ts';

it('finds what a deletion left that had deleted the description, and nothing else', async () => {
  const store = new MemoryObjectStore();
  for (const key of [
    backupKey('complete', 'backup'),
    backupKey('marked', 'backup'),
    deletionMarkKey('marked'),
    claimKey('unfinished'),
    deletionMarkKey('b-interrupted'),
    backupKey('b-interrupted', 'archive'),
    deletionMarkKey('b'),
    'backups/Not-A-Name/lifeboat-deletion.json',
    'backups/stray',
  ]) {
    await store.put(key, Buffer.from('x'));
  }
  await claimForDeletion(store, { name: 'c-claimed', runId: 'run', startedAt: new Date(0) });
  expect(await interruptedDeletions(store)).toEqual(['b', 'b-interrupted', 'c-claimed']);
});

it('finds nothing in an empty store', async () => {
  expect(await interruptedDeletions(new MemoryObjectStore())).toEqual([]);
});
