import { gunzipSync, gzipSync } from 'node:zlib';

import { describe, expect, it } from 'vitest';

import type { Backup } from '../model/backup.ts';
import type { ObjectStoreCapabilities } from '../ports/object-store.ts';
import { MemoryObjectStore } from '../stores/memory-object-store.ts';
import {
  backupExists,
  openArchive,
  putArtifact,
  putBackup,
  putText,
  readArtifact,
  readArtifactList,
  readBackup,
} from './backup-files.ts';
import { backupKey } from './key-layout.ts';

const backup: Backup = {
  kind: 'Backup',
  apiVersion: 'velero.io/v1',
  metadata: { name: 'b1', uid: 'u1' },
  spec: {},
  status: { version: 1, formatVersion: '1.1.0', phase: 'Completed' },
};

/** A store that cannot create an object only if it is absent. */
class PlainStore extends MemoryObjectStore {
  override readonly capabilities: ObjectStoreCapabilities = { ifAbsent: false };
}

async function bytesOf(store: MemoryObjectStore, key: string): Promise<Buffer> {
  return Buffer.concat(await Array.fromAsync(await store.get(key)));
}

describe('putArtifact', () => {
  it('stores gzip JSON with a newline under the key of the file, with its content type', async () => {
    const store = new MemoryObjectStore();
    await putArtifact(store, 'b1', 'results', { errors: {}, warnings: {} });
    const key = 'backups/b1/b1-results.gz';
    expect(gunzipSync(await bytesOf(store, key)).toString()).toBe('{"errors":{},"warnings":{}}\n');
    expect(await store.stat(key)).toMatchObject({ contentType: 'application/gzip' });
  });

  it('rejects with the reason of an aborted signal and stores nothing', async () => {
    const store = new MemoryObjectStore();
    const reason = new Error('enough');
    await expect(
      putArtifact(store, 'b1', 'volumeInfo', [], { signal: AbortSignal.abort(reason) }),
    ).rejects.toBe(reason);
    expect(await store.stat(backupKey('b1', 'volumeInfo'))).toBeUndefined();
  });
});

describe('putText', () => {
  it('stores gzip text', async () => {
    const store = new MemoryObjectStore();
    await putText(store, 'b1', 'logs', 'one\ntwo\n');
    expect(gunzipSync(await bytesOf(store, 'backups/b1/b1-logs.gz')).toString()).toBe('one\ntwo\n');
  });
});

describe('readArtifact', () => {
  it('reads what was put', async () => {
    const store = new MemoryObjectStore();
    await putArtifact(store, 'b1', 'itemOperations', [{ a: 1 }]);
    expect(await readArtifact(store, 'b1', 'itemOperations')).toEqual([{ a: 1 }]);
  });

  it('is undefined when the file is missing', async () => {
    expect(await readArtifact(new MemoryObjectStore(), 'b1', 'volumeInfo')).toBeUndefined();
  });

  it.each<[string, Uint8Array]>([
    ['no bytes', new Uint8Array()],
    ['bytes that are not gzip', Buffer.from('[]')],
    ['gzip that is cut off', gzipSync('[1,2,3]\n').subarray(0, 12)],
    ['gzip of text', gzipSync('hello')],
  ])('rejects %s as corrupt, naming the key', async (_what, bytes) => {
    const store = new MemoryObjectStore();
    const target = backupKey('b1', 'volumeInfo');
    await store.put(target, bytes);
    await expect(readArtifact(store, 'b1', 'volumeInfo')).rejects.toMatchObject({
      code: 'CorruptBackup',
      target,
    });
  });
});

describe('readArtifactList', () => {
  it('reads a missing file, null and an empty list alike', async () => {
    const store = new MemoryObjectStore();
    await putArtifact(store, 'b1', 'podVolumeBackups', null);
    await putArtifact(store, 'b1', 'volumeInfo', []);
    expect(await readArtifactList(store, 'b1', 'podVolumeBackups')).toEqual([]);
    expect(await readArtifactList(store, 'b1', 'volumeInfo')).toEqual([]);
    expect(await readArtifactList(store, 'b1', 'itemOperations')).toEqual([]);
  });

  it.each([{}, 'text', 7, [1], [null], [[]]])('rejects %j as corrupt', async (value) => {
    const store = new MemoryObjectStore();
    await putArtifact(store, 'b1', 'volumeInfo', value);
    await expect(readArtifactList(store, 'b1', 'volumeInfo')).rejects.toMatchObject({
      code: 'CorruptBackup',
    });
  });
});

describe('openArchive', () => {
  it('opens the archive', async () => {
    const store = new MemoryObjectStore();
    await store.put(backupKey('b1', 'archive'), Buffer.from('tar'));
    const chunks = await Array.fromAsync(await openArchive(store, 'b1'));
    expect(Buffer.concat(chunks).toString()).toBe('tar');
  });

  it('rejects a missing archive as a corrupt backup', async () => {
    await expect(openArchive(new MemoryObjectStore(), 'b1')).rejects.toMatchObject({
      code: 'CorruptBackup',
      target: 'backups/b1/b1.tar.gz',
    });
  });
});

describe.each([
  ['a store with ifAbsent', () => new MemoryObjectStore()],
  ['a store without it', () => new PlainStore()],
])('putBackup into %s', (_what, createStore) => {
  it('stores the description, indented and not compressed', async () => {
    const store = createStore();
    await putBackup(store, backup);
    const text = (await bytesOf(store, 'backups/b1/velero-backup.json')).toString();
    expect(text).toContain('\n  "kind": "Backup",\n');
    expect(await store.stat('backups/b1/velero-backup.json')).toMatchObject({
      contentType: 'application/json',
    });
    expect(await readBackup(store, 'b1')).toMatchObject({ metadata: { name: 'b1', uid: 'u1' } });
    expect(await backupExists(store, 'b1')).toBe(true);
  });

  it('does not replace the backup of another writer', async () => {
    const store = createStore();
    await putBackup(store, backup);
    const other: Backup = { ...backup, metadata: { name: 'b1', uid: 'u2' } };
    await expect(putBackup(store, other)).rejects.toMatchObject({ code: 'AlreadyExists' });
    expect(await readBackup(store, 'b1')).toMatchObject({ metadata: { uid: 'u1' } });
  });

  it('does not replace a description that cannot be read', async () => {
    const store = createStore();
    await store.put(backupKey('b1', 'backup'), Buffer.from('?'));
    await expect(putBackup(store, backup)).rejects.toMatchObject({ code: 'AlreadyExists' });
  });

  it('succeeds again when the stored backup is its own', async () => {
    const store = createStore();
    await putBackup(store, backup);
    await expect(putBackup(store, backup)).resolves.toBeUndefined();
  });
});

describe('readBackup', () => {
  it('is undefined when there is none', async () => {
    const store = new MemoryObjectStore();
    expect(await readBackup(store, 'b1')).toBeUndefined();
    expect(await backupExists(store, 'b1')).toBe(false);
  });

  it('rejects a name that could leave its directory', async () => {
    await expect(readBackup(new MemoryObjectStore(), '../b1')).rejects.toMatchObject({
      code: 'Validation',
    });
  });
});
