import { describe, expect, it } from 'vitest';

import type { Backup } from '../model/backup.ts';
import type { LogFields, Logger } from '../ports/logger.ts';
import type {
  CallOptions,
  ObjectBody,
  ObjectStat,
  ObjectStoreCapabilities,
  PutOptions,
} from '../ports/object-store.ts';
import { MemoryObjectStore } from '../stores/memory-object-store.ts';
import { abandonBackup, type BackupClaim, claimBackup } from './backup-claim.ts';
import { putArtifact, putBackup, readBackup } from './backup-files.ts';
import { backupKey, claimKey } from './key-layout.ts';

const claim: BackupClaim = {
  name: 'b1',
  runId: 'run-1',
  startedAt: new Date('2026-11-24T14:09:02Z'),
};
const backup: Backup = {
  kind: 'Backup',
  apiVersion: 'velero.io/v1',
  metadata: { name: 'b1', uid: 'u1' },
  spec: {},
  status: { version: 1, formatVersion: '1.1.0', phase: 'Completed' },
};

class PlainStore extends MemoryObjectStore {
  override readonly capabilities: ObjectStoreCapabilities = { ifAbsent: false };
}

/** Loses the answer to the next put or stat: the put takes effect, but its caller sees it fail. */
class LossyStore extends MemoryObjectStore {
  lost: 'put' | 'stat' | undefined;

  override async put(key: string, body: ObjectBody, options: PutOptions = {}): Promise<void> {
    await super.put(key, body, options);
    this.#loseAnswer('put');
  }

  override async stat(key: string, options: CallOptions = {}): Promise<ObjectStat | undefined> {
    this.#loseAnswer('stat');
    return super.stat(key, options);
  }

  #loseAnswer(operation: 'put' | 'stat'): void {
    if (this.lost === operation) {
      this.lost = undefined;
      throw new Error('connection lost');
    }
  }
}

class RecordingLogger implements Logger {
  readonly warnings: [string, LogFields | undefined][] = [];
  debug(): void {}
  info(): void {}
  error(): void {}
  warn(message: string, fields?: LogFields): void {
    this.warnings.push([message, fields]);
  }
}

async function keysOf(store: MemoryObjectStore): Promise<readonly string[]> {
  const stats = await Array.fromAsync(store.list(''));
  return stats.map(({ key }) => key);
}

describe('claimBackup', () => {
  it('stores who began what when', async () => {
    const store = new MemoryObjectStore();
    await claimBackup(store, claim);
    const bytes = Buffer.concat(await Array.fromAsync(await store.get(claimKey('b1'))));
    expect(JSON.parse(bytes.toString())).toEqual({
      runId: 'run-1',
      startTimestamp: '2026-11-24T14:09:02Z',
      owner: 'lifeboat',
    });
  });

  it('lets exactly one of racing runs have the name', async () => {
    const store = new MemoryObjectStore();
    const outcomes = await Promise.allSettled(
      ['run-1', 'run-2', 'run-3', 'run-4'].map((runId) => claimBackup(store, { ...claim, runId })),
    );
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  });

  it('refuses a name that another run holds, saying which, and leaves its claim', async () => {
    const store = new MemoryObjectStore();
    await claimBackup(store, claim);
    const second = claimBackup(store, { ...claim, runId: 'run-2' });
    await expect(second).rejects.toMatchObject({ code: 'AlreadyExists', target: 'b1' });
    await expect(second).rejects.toThrow(/run run-1, begun 2026-11-24T14:09:02Z/);
    expect(await keysOf(store)).toEqual([claimKey('b1')]);
  });

  it('refuses a name whose claim cannot be read', async () => {
    const store = new MemoryObjectStore();
    await store.put(claimKey('b1'), Buffer.from('{'));
    await expect(claimBackup(store, claim)).rejects.toMatchObject({ code: 'AlreadyExists' });
    expect(await keysOf(store)).toEqual([claimKey('b1')]);
  });

  it('refuses the name of a backup without a claim, as Velero makes it, and leaves none', async () => {
    const store = new MemoryObjectStore();
    await putBackup(store, backup);
    const second = claimBackup(store, claim);
    await expect(second).rejects.toMatchObject({ code: 'AlreadyExists' });
    await expect(second).rejects.toThrow(/a backup of this name is stored there/);
    expect(await keysOf(store)).toEqual([backupKey('b1', 'backup')]);
  });

  it('succeeds again for the same run', async () => {
    const store = new MemoryObjectStore();
    await claimBackup(store, claim);
    await expect(claimBackup(store, claim)).resolves.toBeUndefined();
  });

  it.each(['put', 'stat'] as const)('leaves no claim when a %s fails', async (operation) => {
    const store = new LossyStore();
    store.lost = operation;
    await expect(claimBackup(store, claim)).rejects.toThrow('connection lost');
    expect(await keysOf(store)).toEqual([]);
  });

  it('rejects with the reason of an aborted signal and leaves nothing', async () => {
    const store = new MemoryObjectStore();
    const reason = new Error('enough');
    await expect(claimBackup(store, claim, { signal: AbortSignal.abort(reason) })).rejects.toBe(
      reason,
    );
    expect(await keysOf(store)).toEqual([]);
  });

  it('refuses a store that cannot tell two writers apart', async () => {
    const store = new PlainStore();
    await expect(claimBackup(store, claim)).rejects.toMatchObject({ code: 'Unsupported' });
    expect(await keysOf(store)).toEqual([]);
  });

  it('warns and goes on with such a store when that is allowed, and still looks first', async () => {
    const store = new PlainStore();
    const logger = new RecordingLogger();
    await claimBackup(store, { ...claim, allowUnsafeConcurrentWriters: true, logger });
    expect(logger.warnings).toEqual([
      [
        'the store cannot keep two writers of one backup apart',
        { backup: 'b1', store: store.location },
      ],
    ]);
    await expect(
      claimBackup(store, { ...claim, runId: 'run-2', allowUnsafeConcurrentWriters: true }),
    ).rejects.toMatchObject({ code: 'AlreadyExists' });
  });

  it('refuses a name that cannot be a backup', async () => {
    await expect(
      claimBackup(new MemoryObjectStore(), { ...claim, name: '..' }),
    ).rejects.toMatchObject({ code: 'Validation' });
  });
});

describe('abandonBackup', () => {
  it('deletes the files of the run and its claim', async () => {
    const store = new MemoryObjectStore();
    await claimBackup(store, claim);
    await putArtifact(store, 'b1', 'results', {});
    await abandonBackup(store, 'b1', { uid: 'u1' });
    await abandonBackup(store, 'b1', { uid: 'u1' });
    expect(await keysOf(store)).toEqual([]);
  });

  it('deletes a description that the run stored without knowing it', async () => {
    const store = new MemoryObjectStore();
    await claimBackup(store, claim);
    await putBackup(store, backup);
    await abandonBackup(store, 'b1', { uid: 'u1' });
    expect(await keysOf(store)).toEqual([]);
  });

  it.each<[string, string | undefined]>([
    ['of another uid', 'u2'],
    ['when it does not know its own', undefined],
  ])('leaves a complete backup %s alone', async (_what, uid) => {
    const store = new MemoryObjectStore();
    await claimBackup(store, claim);
    await putArtifact(store, 'b1', 'results', {});
    await putBackup(store, backup);
    await abandonBackup(store, 'b1', { uid });
    expect(await readBackup(store, 'b1')).toBeDefined();
    expect(await keysOf(store)).toEqual([backupKey('b1', 'results'), backupKey('b1', 'backup')]);
  });

  it('leaves a description alone that cannot be read: it is not the run that wrote it', async () => {
    const store = new MemoryObjectStore();
    await claimBackup(store, claim);
    await store.put(backupKey('b1', 'backup'), Buffer.from('?'));
    await abandonBackup(store, 'b1', { uid: 'u1' });
    expect(await keysOf(store)).toEqual([backupKey('b1', 'backup')]);
  });
});
