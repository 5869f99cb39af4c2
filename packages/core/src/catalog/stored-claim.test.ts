import { expect, it } from 'vitest';
import { MemoryObjectStore } from '../stores/memory-object-store.ts';
import { FaultyObjectStore } from '../testing/faulty-object-store.ts';
import { claimBackup } from './backup-claim.ts';
import { claimKey } from './key-layout.ts';
import { claimForDeletion, readClaim } from './stored-claim.ts';

const startedAt = new Date('2026-01-02T03:04:05Z');
const claim = { name: 'b1', runId: 'run-1', startedAt };

it('tells who holds the name of a backup, since when, and what for', async () => {
  const store = new MemoryObjectStore();
  expect(await readClaim(store, 'b1')).toBeUndefined();
  await claimBackup(store, claim);
  const held = {
    runId: 'run-1',
    backupRunId: 'run-1',
    startTimestamp: '2026-01-02T03:04:05Z',
  };
  expect(await readClaim(store, 'b1')).toEqual({ ...held, purpose: 'backup' });
  await claimForDeletion(store, { ...claim, runId: 'run-2' });
  expect(await readClaim(store, 'b1')).toEqual({ ...held, runId: 'run-2', purpose: 'delete' });
  await claimForDeletion(store, { ...claim, runId: 'run-3' });
  expect(await readClaim(store, 'b1')).toMatchObject({ runId: 'run-3', backupRunId: 'run-1' });
});

it.each(['', 'damaged', '[]'])(
  'takes a claim that holds %j for one of an unknown run',
  async (text) => {
    const store = new MemoryObjectStore();
    await store.put(claimKey('b1'), Buffer.from(text));
    expect(await readClaim(store, 'b1')).toEqual({
      runId: undefined,
      backupRunId: undefined,
      startTimestamp: undefined,
      purpose: 'backup',
    });
  },
);

it('does not take a store that fails for one without a claim', async () => {
  const store = new FaultyObjectStore(new MemoryObjectStore());
  store.inject({ operation: 'get', error: 'Unavailable' });
  await expect(readClaim(store, 'b1')).rejects.toMatchObject({ code: 'Unavailable' });
});

it('keeps the name from new backups while the old one is being deleted', async () => {
  const store = new MemoryObjectStore();
  await claimForDeletion(store, claim);
  await expect(claimBackup(store, { ...claim, runId: 'run-2' })).rejects.toMatchObject({
    code: 'AlreadyExists',
    message: expect.stringContaining('deleteBackup finishes it') as string,
  });
});
