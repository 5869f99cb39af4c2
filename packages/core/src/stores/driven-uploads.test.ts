import { expect, it } from 'vitest';
import type { UnfinishedUpload } from '../ports/object-store.ts';
import { DrivenObjectStore } from './driven-object-store.ts';
import { driverWith, missing } from './driver-fixture.ts';
import type { UploadsDriver } from './object-store-driver.ts';

const startedAt = new Date('2026-11-24T12:00:00Z');
const upload: UnfinishedUpload = { key: 'backups/a/a.tar.gz', uploadId: 'u-1', startedAt };
const asDriver: UnfinishedUpload = { ...upload, key: `prod/${upload.key}` };

function storeOf(changes: Partial<UploadsDriver> = {}): DrivenObjectStore {
  const uploads = {
    listPage: async () => ({ uploads: [] }),
    remove: async () => undefined,
    ...changes,
  };
  return new DrivenObjectStore(driverWith({ uploads }));
}

it('lists uploads page by page, by their keys below the prefix', async () => {
  const asked: unknown[] = [];
  const store = storeOf({
    listPage: async (prefix, { continuation }) => {
      asked.push([prefix, continuation]);
      return continuation === undefined
        ? { uploads: [asDriver, { ...asDriver, key: 'prod/' }], continuation: 'more' }
        : { uploads: [{ ...asDriver, uploadId: 'u-2' }] };
    },
  });
  expect(await Array.fromAsync(store.listUploads('backups/'))).toEqual([
    upload,
    { ...upload, uploadId: 'u-2' },
  ]);
  expect(asked).toEqual([
    ['prod/backups/', undefined],
    ['prod/backups/', 'more'],
  ]);
});

it('removes an upload, and calls a missing one removed', async () => {
  const removed: unknown[] = [];
  const store = storeOf({
    remove: async (given) => {
      removed.push(given);
      throw missing;
    },
  });
  await store.removeUpload(upload);
  expect(removed).toEqual([asDriver]);
});

it('has none where the driver knows of none', async () => {
  const store = new DrivenObjectStore(driverWith());
  expect(await Array.fromAsync(store.listUploads(''))).toEqual([]);
  await store.removeUpload(upload);
});

it('refuses a prefix or key that is none, an aborted call, and a closed store', async () => {
  const store = storeOf();
  const bad = { code: 'InvalidConfig' };
  await expect(Array.fromAsync(store.listUploads('backups'))).rejects.toMatchObject(bad);
  await expect(store.removeUpload({ ...upload, key: '../a' })).rejects.toMatchObject(bad);
  const reason = new Error('enough');
  const options = { signal: AbortSignal.abort(reason) };
  await expect(Array.fromAsync(store.listUploads('', options))).rejects.toBe(reason);
  await expect(store.removeUpload(upload, options)).rejects.toBe(reason);
  await store.close();
  const closed = { code: 'Closed' };
  await expect(Array.fromAsync(store.listUploads(''))).rejects.toMatchObject(closed);
  await expect(store.removeUpload(upload)).rejects.toMatchObject(closed);
});
