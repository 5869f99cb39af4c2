import { describe, expect, it } from 'vitest';

import type { CallOptions } from '../ports/object-store.ts';
import { MemoryObjectStore } from '../stores/memory-object-store.ts';
import { deleteBackupFiles } from './delete-backup-files.ts';
import { backupKey, claimKey, deletionMarkKey } from './key-layout.ts';

/** Remembers the order of deletions, and fails those of one key. */
class WatchedStore extends MemoryObjectStore {
  readonly deleted: string[] = [];
  failing: string | undefined;

  override async delete(key: string, options: CallOptions = {}): Promise<void> {
    if (key === this.failing) {
      throw new Error('locked');
    }
    this.deleted.push(key);
    await super.delete(key, options);
  }
}

async function storeWithBackup(): Promise<WatchedStore> {
  const store = new WatchedStore();
  for (const key of [
    claimKey('b1'),
    deletionMarkKey('b1'),
    backupKey('b1', 'backup'),
    backupKey('b1', 'archive'),
    'backups/b1/of-a-later-version.json',
    backupKey('b10', 'backup'),
    'restores/b1/restore-b1-logs.gz',
  ]) {
    await store.put(key, Buffer.from('x'));
  }
  return store;
}

async function keysOf(store: MemoryObjectStore): Promise<readonly string[]> {
  const stats = await Array.fromAsync(store.list(''));
  return stats.map(({ key }) => key);
}

describe('deleteBackupFiles', () => {
  it('deletes the whole directory and nothing beside it: the description first, the mark and the claim last', async () => {
    const store = await storeWithBackup();
    await deleteBackupFiles(store, 'b1');
    expect(await keysOf(store)).toEqual([
      'backups/b10/velero-backup.json',
      'restores/b1/restore-b1-logs.gz',
    ]);
    expect(store.deleted[0]).toBe(backupKey('b1', 'backup'));
    expect(store.deleted.slice(-2)).toEqual([deletionMarkKey('b1'), claimKey('b1')]);
  });

  it('keeps the claim when a file cannot be deleted, so that the rest is found again', async () => {
    const store = await storeWithBackup();
    store.failing = backupKey('b1', 'archive');
    await expect(deleteBackupFiles(store, 'b1')).rejects.toThrow('locked');
    const left = await keysOf(store);
    expect(left).toContain(claimKey('b1'));
    expect(left).not.toContain(backupKey('b1', 'backup'));
    store.failing = undefined;
    await deleteBackupFiles(store, 'b1');
    expect(await keysOf(store)).not.toContain(claimKey('b1'));
  });

  it('deletes nothing when the description is locked', async () => {
    const store = await storeWithBackup();
    store.failing = backupKey('b1', 'backup');
    await expect(deleteBackupFiles(store, 'b1')).rejects.toThrow('locked');
    expect(await keysOf(store)).toHaveLength(7);
  });

  it('takes a missing backup for a deleted one', async () => {
    await expect(deleteBackupFiles(new MemoryObjectStore(), 'b1')).resolves.toBeUndefined();
  });
});
