import { gunzipSync } from 'node:zlib';

import { describe, expect, it } from 'vitest';
import type { Restore } from '../model/restore.ts';
import { MemoryObjectStore } from '../stores/memory-object-store.ts';
import { FaultyObjectStore } from '../testing/faulty-object-store.ts';
import { restoreKey } from './key-layout.ts';
import {
  deleteRestoreFiles,
  putRestore,
  putRestoreArtifact,
  putRestoreText,
  readBackupNameOfRestore,
} from './restore-files.ts';
import { restoresOfBackup } from './restores-of-backup.ts';

async function textOf(store: MemoryObjectStore, key: string): Promise<string> {
  return gunzipSync(Buffer.concat(await Array.fromAsync(await store.get(key)))).toString();
}

describe('the files of a restore', () => {
  it('are stored under the names that Velero gives them', async () => {
    const store = new MemoryObjectStore();
    await putRestoreArtifact(store, 'r1', 'results', { errors: {}, warnings: {} });
    await putRestoreArtifact(store, 'r1', 'volumeInfo', []);
    await putRestoreText(store, 'r1', 'logs', 'one\n');
    expect(await textOf(store, 'restores/r1/restore-r1-results.gz')).toBe(
      '{"errors":{},"warnings":{}}\n',
    );
    expect(await textOf(store, 'restores/r1/r1-volumeinfo.json.gz')).toBe('[]\n');
    expect(await textOf(store, 'restores/r1/restore-r1-logs.gz')).toBe('one\n');
  });
});

function restoreOf(name: string, backupName: string): Restore {
  return {
    kind: 'Restore',
    apiVersion: 'velero.io/v1',
    metadata: { name },
    spec: { backupName },
    status: { phase: 'Completed' },
  };
}

describe('the restores of a backup', () => {
  it('are found by what their files tell, sorted by name; those of Velero tell nothing', async () => {
    const store = new MemoryObjectStore();
    await putRestore(store, restoreOf('r2', 'b1'));
    await putRestore(store, restoreOf('r1', 'b1'));
    await putRestore(store, restoreOf('b1', 'b10'));
    await putRestoreText(store, 'b1-20260101000000', 'logs', 'by Velero');
    await store.put('restores/Not-A-Name/x', Buffer.from('x'));
    expect(await restoresOfBackup(store, 'b1')).toEqual(['r1', 'r2']);
  });

  it.each(['damaged', '[]', '{"spec":{}}'])(
    'are not those whose description is %s',
    async (text) => {
      const store = new MemoryObjectStore();
      await store.put(restoreKey('r1', 'restore'), Buffer.from(text));
      expect(await readBackupNameOfRestore(store, 'r1')).toBeUndefined();
    },
  );

  it('are not guessed at when the store fails', async () => {
    const store = new FaultyObjectStore(new MemoryObjectStore());
    store.inject({ operation: 'get', error: 'Unavailable' });
    await expect(readBackupNameOfRestore(store, 'r1')).rejects.toMatchObject({
      code: 'Unavailable',
    });
  });

  it('are deleted whole, and found again when that was interrupted', async () => {
    const memory = new MemoryObjectStore();
    const store = new FaultyObjectStore(memory);
    await putRestore(store, restoreOf('r1', 'b1'));
    await putRestoreText(store, 'r1', 'logs', 'x');
    await putRestoreText(store, 'r10', 'logs', 'x');
    store.inject({ operation: 'delete', error: 'Unavailable', skip: 1 });
    await expect(deleteRestoreFiles(store, 'r1')).rejects.toMatchObject({ code: 'Unavailable' });
    expect(await restoresOfBackup(store, 'b1')).toEqual(['r1']);
    await deleteRestoreFiles(store, 'r1');
    await deleteRestoreFiles(store, 'r1');
    const keys = await Array.fromAsync(memory.list(''), ({ key }) => key);
    expect(keys).toEqual([restoreKey('r10', 'logs')]);
  });
});
