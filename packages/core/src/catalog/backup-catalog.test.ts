import { describe, expect, it } from 'vitest';

import { ObjectStoreError } from '../errors.ts';
import { silentLogger } from '../internal/silent-logger.ts';
import type { Backup } from '../model/backup.ts';
import type { Issue } from '../model/issue.ts';
import type { CallOptions, GetOptions, ObjectStat } from '../ports/object-store.ts';
import { MemoryObjectStore } from '../stores/memory-object-store.ts';
import { BackupCatalog } from './backup-catalog.ts';
import { putArtifact, putBackup } from './backup-files.ts';
import { backupKey, deletionMarkKey } from './key-layout.ts';

function backupNamed(name: string): Backup {
  return {
    kind: 'Backup',
    apiVersion: 'velero.io/v1',
    metadata: { name },
    spec: {},
    status: { version: 1, formatVersion: '1.1.0', phase: 'Completed' },
  };
}

/** Remembers which keys were read, and fails the reading of one. */
class WatchedStore extends MemoryObjectStore {
  readonly read: string[] = [];
  readonly looked: string[] = [];
  lists = 0;
  failing: string | undefined;

  override async get(key: string, options: GetOptions = {}): Promise<AsyncIterable<Uint8Array>> {
    this.read.push(key);
    if (key === this.failing) {
      throw new ObjectStoreError('down', { code: 'Unavailable', operation: 'ObjectStore.get' });
    }
    return super.get(key, options);
  }

  override async stat(key: string, options: CallOptions = {}): Promise<ObjectStat | undefined> {
    this.looked.push(key);
    return super.stat(key, options);
  }

  override async *list(prefix: string, options: CallOptions = {}): AsyncGenerator<ObjectStat> {
    this.lists += 1;
    yield* super.list(prefix, options);
  }
}

async function catalogOf(
  ...names: readonly string[]
): Promise<{ readonly catalog: BackupCatalog; readonly store: WatchedStore }> {
  const store = new WatchedStore();
  for (const name of names) {
    await putBackup(store, backupNamed(name));
  }
  return { catalog: new BackupCatalog(store, silentLogger), store };
}

async function namesIn(backups: AsyncIterable<Backup>): Promise<readonly string[]> {
  return (await Array.fromAsync(backups)).map(({ metadata }) => metadata.name);
}

describe('BackupCatalog.list', () => {
  it('yields nothing from an empty store', async () => {
    const { catalog } = await catalogOf();
    expect(await namesIn(catalog.list())).toEqual([]);
  });

  it('yields the backups by name', async () => {
    const { catalog } = await catalogOf('b', 'a-1', 'a', 'a.1');
    expect(await namesIn(catalog.list())).toEqual(['a', 'a-1', 'a.1', 'b']);
  });

  it('leaves out directories without a description, and restores', async () => {
    const { catalog, store } = await catalogOf('a');
    await putArtifact(store, 'unfinished', 'results', {});
    await store.put('restores/r/restore-r-logs.gz', Buffer.from('x'));
    await store.put('backups/stray', Buffer.from('x'));
    expect(await namesIn(catalog.list())).toEqual(['a']);
  });

  it('reports what it cannot read as issues and goes on', async () => {
    const { catalog, store } = await catalogOf('a', 'z');
    await store.put(backupKey('broken', 'backup'), Buffer.from('{'));
    await store.put(backupKey('copy', 'backup'), Buffer.from(JSON.stringify(backupNamed('a'))));
    await store.put('backups/Not_A_Name/velero-backup.json', Buffer.from('{}'));
    const issues: Issue[] = [];
    expect(await namesIn(catalog.list({ onIssue: (issue) => issues.push(issue) }))).toEqual([
      'a',
      'z',
    ]);
    expect(issues.map(({ severity, reason }) => `${severity} ${reason}`)).toEqual(
      Array(3).fill('warning CorruptBackup'),
    );
    expect(issues.map(({ message }) => message.split(' ')[0])).toEqual([
      'backups/Not_A_Name/',
      'backups/broken/',
      'backups/copy/',
    ]);
  });

  it('rejects when the store cannot be read, rather than leave a backup out', async () => {
    const { catalog, store } = await catalogOf('a', 'b');
    store.failing = backupKey('b', 'backup');
    await expect(namesIn(catalog.list())).rejects.toMatchObject({ code: 'Unavailable' });
  });

  it('reads one backup at a time, and none once the loop is left', async () => {
    const { catalog, store } = await catalogOf('a', 'b');
    for await (const backup of catalog.list()) {
      expect(backup.metadata.name).toBe('a');
      break;
    }
    expect(store.read).toEqual([backupKey('a', 'backup')]);
  });

  it('stops with the reason of the signal', async () => {
    const { catalog } = await catalogOf('a', 'b');
    const controller = new AbortController();
    const reason = new Error('enough');
    const listing = (async (): Promise<void> => {
      for await (const backup of catalog.list({ signal: controller.signal })) {
        expect(backup.metadata.name).toBe('a');
        controller.abort(reason);
      }
    })();
    await expect(listing).rejects.toBe(reason);
  });
});

describe('BackupCatalog.get', () => {
  it('reads a backup', async () => {
    const { catalog } = await catalogOf('a');
    expect(await catalog.get('a')).toMatchObject({ metadata: { name: 'a' } });
  });

  it('is undefined for a missing or unfinished backup', async () => {
    const { catalog, store } = await catalogOf();
    await putArtifact(store, 'unfinished', 'results', {});
    expect(await catalog.get('missing')).toBeUndefined();
    expect(await catalog.get('unfinished')).toBeUndefined();
  });

  it('rejects a description of another backup as corrupt', async () => {
    const { catalog, store } = await catalogOf();
    await store.put(backupKey('copy', 'backup'), Buffer.from(JSON.stringify(backupNamed('a'))));
    await expect(catalog.get('copy')).rejects.toMatchObject({ code: 'CorruptBackup' });
  });

  it.each(['', '..', 'A', 'a/b'])('rejects the name %j before it reads', async (name) => {
    const { catalog, store } = await catalogOf();
    await expect(catalog.get(name)).rejects.toMatchObject({ code: 'Validation' });
    expect(store.read).toEqual([]);
  });

  it('rejects with the reason of an aborted signal', async () => {
    const { catalog } = await catalogOf('a');
    const reason = new Error('enough');
    await expect(catalog.get('a', { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  });
});

describe('a backup whose deletion has begun', () => {
  it('is in phase Deleting in a list and alone, whatever its file says', async () => {
    const { catalog, store } = await catalogOf('a', 'b');
    const marked = await catalog.get('a');
    await store.put(deletionMarkKey('a'), Buffer.from('{}'));
    const listed = await Array.fromAsync(catalog.list());
    expect(listed.map(({ status: { phase } }) => phase)).toEqual(['Deleting', 'Completed']);
    expect(await catalog.get('a')).toEqual({
      ...marked,
      status: { ...marked?.status, phase: 'Deleting' },
    });
    await catalog.delete('a');
    expect(await catalog.get('a')).toBeUndefined();
  });

  it('costs a look of its own for each backup, and no list', async () => {
    const { catalog, store } = await catalogOf('a', 'b');
    await namesIn(catalog.list());
    expect(store.looked).toEqual([deletionMarkKey('a'), deletionMarkKey('b')]);
    expect(store.read).toEqual([backupKey('a', 'backup'), backupKey('b', 'backup')]);
    expect(store.lists).toBe(0);
  });
});

describe('BackupCatalog.delete', () => {
  it('deletes a backup and succeeds when there is none', async () => {
    const { catalog } = await catalogOf('a', 'b');
    await catalog.delete('a');
    await catalog.delete('a');
    expect(await namesIn(catalog.list())).toEqual(['b']);
  });

  it('rejects a name that could leave its directory', async () => {
    const { catalog } = await catalogOf('a');
    await expect(catalog.delete('.')).rejects.toMatchObject({ code: 'Validation' });
  });
});
