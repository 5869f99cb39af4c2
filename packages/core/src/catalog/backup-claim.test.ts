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
import { type BackupClaim, claimBackup, foreseeClaim } from './backup-claim.ts';
import { putArtifact, putBackup } from './backup-files.ts';
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

/** Loses the answer to the next put or list: the put takes effect, but its caller sees it fail. */
class LossyStore extends MemoryObjectStore {
  lost: 'put' | 'list' | undefined;

  override async put(key: string, body: ObjectBody, options: PutOptions = {}): Promise<void> {
    await super.put(key, body, options);
    this.#loseAnswer('put');
  }

  override async *list(prefix: string, options: CallOptions = {}): AsyncGenerator<ObjectStat> {
    this.#loseAnswer('list');
    yield* super.list(prefix, options);
  }

  #loseAnswer(operation: 'put' | 'list'): void {
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

  it('refuses a directory with a file of a backup that Velero is making, and leaves no claim', async () => {
    const store = new MemoryObjectStore();
    await putArtifact(store, 'b1', 'results', {});
    const log = backupKey('b1', 'logs');
    await store.put(log, Buffer.from('velero'));
    const refused = { code: 'AlreadyExists', message: expect.stringContaining(log) as string };
    await expect(claimBackup(store, claim)).rejects.toMatchObject(refused);
    expect(await foreseeClaim(store, claim)).toMatchObject([refused]);
    expect(await keysOf(store)).toEqual([log, backupKey('b1', 'results')]);
  });

  it('succeeds again for the same run', async () => {
    const store = new MemoryObjectStore();
    await claimBackup(store, claim);
    await expect(claimBackup(store, claim)).resolves.toBeUndefined();
  });

  it.each(['put', 'list'] as const)('leaves no claim when a %s fails', async (operation) => {
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
