import { expect, it } from 'vitest';

import type { Backup } from '../model/backup.ts';
import { MemoryObjectStore } from '../stores/memory-object-store.ts';
import { FaultyObjectStore } from '../testing/faulty-object-store.ts';
import { claimBackup } from './backup-claim.ts';
import { putArtifact, putBackup, putText, readBackup } from './backup-files.ts';
import { backupKey, claimKey } from './key-layout.ts';
import { RunFiles } from './run-files.ts';
import { claimForDeletion } from './stored-claim.ts';

const run = { name: 'b1', runId: 'run-1', uid: 'u1' };
const startedAt = new Date('2026-11-24T14:09:02Z');
const backup: Backup = {
  kind: 'Backup',
  apiVersion: 'velero.io/v1',
  metadata: { name: 'b1', uid: 'u1' },
  spec: {},
  status: { version: 1, formatVersion: '1.1.0', phase: 'Completed' },
};
const ofVelero: Backup = { ...backup, metadata: { ...backup.metadata, uid: 'velero' } };
const log = backupKey('b1', 'logs');
const results = backupKey('b1', 'results');
const index = backupKey('b1', 'index');
const description = backupKey('b1', 'backup');

/** A store in which a run has claimed the name. */
async function claimed(): Promise<{
  memory: MemoryObjectStore;
  store: FaultyObjectStore;
  files: RunFiles;
}> {
  const memory = new MemoryObjectStore();
  const store = new FaultyObjectStore(memory);
  await claimBackup(store, { ...run, startedAt });
  return { memory, store, files: new RunFiles(store, run) };
}

async function keysOf(store: MemoryObjectStore): Promise<readonly string[]> {
  return (await Array.fromAsync(store.list(''))).map(({ key }) => key);
}

it('takes back what the run has created, and its claim', async () => {
  const { memory, files } = await claimed();
  await putArtifact(files.store, 'b1', 'results', {});
  await putBackup(files.store, backup);
  await files.abandon();
  await files.abandon();
  expect(await keysOf(memory)).toEqual([]);
});

it('takes back what was stored although the answer was lost', async () => {
  const { memory, store, files } = await claimed();
  store.inject({ operation: 'put', when: 'after', error: 'Unavailable', times: 2 });
  await expect(putText(files.store, 'b1', 'logs', 'ours')).rejects.toThrow();
  await expect(putBackup(files.store, backup)).rejects.toThrow();
  await files.abandon();
  expect(await keysOf(memory)).toEqual([]);
});

it('replaces no file of another writer, nor deletes one that the other is about to replace', async () => {
  const { memory, files } = await claimed();
  await putArtifact(files.store, 'b1', 'results', {});
  await putArtifact(files.store, 'b1', 'index', []);
  await putText(memory, 'b1', 'logs', 'of Velero');
  await expect(putText(files.store, 'b1', 'logs', 'ours')).rejects.toMatchObject({
    code: 'AlreadyExists',
    target: 'b1',
    message: expect.stringContaining(log) as string,
  });
  await files.abandon();
  expect(await keysOf(memory)).toEqual([log, results]);
});

it('leaves alone what another writer has put over a file of the run', async () => {
  const { memory, files } = await claimed();
  await putText(files.store, 'b1', 'logs', 'ours');
  await putArtifact(files.store, 'b1', 'results', {});
  await putText(memory, 'b1', 'logs', 'written by Velero meanwhile');
  await files.abandon();
  expect(await keysOf(memory)).toEqual([log]);
});

it.each([
  ['of another writer', ofVelero, run],
  ['whose uid the run does not know', backup, { ...run, uid: undefined }],
])(
  'leaves a description %s, and deletes only what no other would replace',
  async (_, stored, of) => {
    const { memory, store } = await claimed();
    const files = new RunFiles(store, of);
    await putArtifact(files.store, 'b1', 'results', {});
    await putArtifact(files.store, 'b1', 'index', []);
    await putBackup(memory, stored);
    await files.abandon();
    expect((await readBackup(memory, 'b1'))?.metadata).toEqual(stored.metadata);
    expect(await keysOf(memory)).toEqual([results, description]);
  },
);

it('leaves a description that cannot be read: it is not the run that wrote it', async () => {
  const { memory, files } = await claimed();
  await memory.put(description, Buffer.from('?'));
  await files.abandon();
  expect(await keysOf(memory)).toEqual([description]);
});

it('goes on when a file cannot be deleted, and keeps the claim, by which the rest is found', async () => {
  const { memory, store, files } = await claimed();
  await putText(files.store, 'b1', 'logs', 'ours');
  await putArtifact(files.store, 'b1', 'results', {});
  await putArtifact(files.store, 'b1', 'index', []);
  store.inject({ operation: 'delete', key: results, error: 'Retained' });
  await expect(files.abandon()).rejects.toMatchObject({ code: 'Retained' });
  expect(await keysOf(memory)).toEqual([results, claimKey('b1')]);
  expect(await keysOf(memory)).not.toContain(index);
});

it('leaves the claim to a deletion that has taken it over', async () => {
  const { memory, files } = await claimed();
  await claimForDeletion(memory, { name: 'b1', runId: 'deletion', startedAt });
  await putArtifact(files.store, 'b1', 'results', {});
  await files.abandon();
  expect(await keysOf(memory)).toEqual([claimKey('b1')]);
});

it('stops with the reason of the signal', async () => {
  const { files } = await claimed();
  await putArtifact(files.store, 'b1', 'results', {});
  const reason = new Error('enough');
  await expect(files.abandon({ signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
});
