import { expect, it } from 'vitest';
import { ObjectStoreError } from '../errors.ts';
import type { Logger } from '../ports/logger.ts';
import type { UnfinishedUpload } from '../ports/object-store.ts';
import { MemoryObjectStore } from '../stores/memory-object-store.ts';
import { FakeCluster } from '../testing/fake-cluster/fake-cluster.ts';
import { ManualClock } from '../testing/manual-clock.ts';
import { createEngine } from './create-engine.ts';
import type { Engine } from './engine.ts';

const clock = new ManualClock(new Date('2026-11-24T12:00:00Z'));
const old = new Date('2026-11-23T11:59:00Z');
const young = new Date('2026-11-24T11:59:00Z');

class StoreWithUploads extends MemoryObjectStore {
  readonly uploads: UnfinishedUpload[];
  failure: Error | undefined;

  constructor(...uploads: readonly (readonly [key: string, startedAt: Date])[]) {
    super();
    this.uploads = uploads.map(([key, startedAt]) => ({ key, uploadId: `of ${key}`, startedAt }));
  }

  async *listUploads(prefix: string): AsyncGenerator<UnfinishedUpload> {
    if (this.failure !== undefined) {
      throw this.failure;
    }
    yield* this.uploads.filter(({ key }) => key.startsWith(prefix));
  }

  async removeUpload({ uploadId }: UnfinishedUpload): Promise<void> {
    const index = this.uploads.findIndex((upload) => upload.uploadId === uploadId);
    this.uploads.splice(index, 1);
  }
}

function engineWith(store: StoreWithUploads, logger?: Logger): Engine {
  return createEngine({ cluster: new FakeCluster(), store, clock, logger });
}

it('finds old uploads into directories of backups, and removes them', async () => {
  const store = new StoreWithUploads(
    ['backups/shop/shop.tar.gz', old],
    ['backups/new/new.tar.gz', young],
    ['backups/No Name/a', old],
    ['backups/file', old],
    ['elsewhere/shop/a', old],
  );
  const engine = engineWith(store);
  const found = await engine.findLeftovers();
  expect(found).toEqual([
    {
      cause: 'UploadInterrupted',
      action: 'RemoveUpload',
      backupName: 'shop',
      since: '2026-11-23T11:59:00Z',
      objects: [],
      upload: { key: 'backups/shop/shop.tar.gz', uploadId: 'of backups/shop/shop.tar.gz' },
      message:
        'the upload of backups/shop/shop.tar.gz: it was begun and not completed; its parts can be removed',
    },
  ]);
  expect(await engine.removeLeftovers(found)).toMatchObject([{ outcome: 'Removed' }]);
  expect(store.uploads).toHaveLength(4);
  expect(await engine.removeLeftovers(found)).toMatchObject([{ outcome: 'Changed' }]);
});

it('leaves another upload of the same key and moment alone', async () => {
  const store = new StoreWithUploads(['backups/shop/shop.tar.gz', old]);
  const engine = engineWith(store);
  const found = await engine.findLeftovers();
  store.uploads.splice(0, 1, {
    key: 'backups/shop/shop.tar.gz',
    uploadId: 'another',
    startedAt: old,
  });
  expect(await engine.removeLeftovers(found)).toMatchObject([{ outcome: 'Changed' }]);
  expect(store.uploads).toHaveLength(1);
});

it.each(['PermissionDenied', 'InvalidConfig'] as const)(
  'finds the rest, and says so, where uploads cannot be listed: %s',
  async (code) => {
    const store = new StoreWithUploads(['backups/shop/shop.tar.gz', old]);
    await store.put('backups/dead/lifeboat-claim.json', Buffer.from('{}'));
    store.failure = new ObjectStoreError('uploads: no', { code, operation: 'listUploads' });
    const warnings: unknown[] = [];
    const ignore = (): void => undefined;
    const warn: Logger['warn'] = (message, fields) => warnings.push([message, fields]);
    const engine = engineWith(store, { debug: ignore, info: ignore, warn, error: ignore });
    const found = await engine.findLeftovers({ minimumAgeMs: 0 });
    expect(found).toMatchObject([{ cause: 'BackupUnfinished' }]);
    expect(warnings).toEqual([
      ['uploads that were not completed cannot be listed', { error: 'uploads: no' }],
    ]);
  },
);

it('rejects when the store does not answer', async () => {
  const store = new StoreWithUploads();
  store.failure = new ObjectStoreError('busy', { code: 'Unavailable', operation: 'listUploads' });
  await expect(engineWith(store).findLeftovers()).rejects.toBe(store.failure);
});
