import { runAll } from '../internal/run-all.ts';
import type { CallOptions, ObjectStore } from '../ports/object-store.ts';
import { backupDirectory, backupKey, claimKey, deletionMarkKey } from './key-layout.ts';

const concurrency = 8;

/**
 * Deletes everything in a backup's directory: `velero-backup.json` first, so that nobody sees a backup that lacks a part, the
 * mark of the deletion and the claim last, so that what an interrupted deletion leaves is recognised. Repeating it is harmless.
 */
export async function deleteBackupFiles(
  store: ObjectStore,
  name: string,
  { signal }: CallOptions = {},
): Promise<void> {
  const first = backupKey(name, 'backup');
  const last = [deletionMarkKey(name), claimKey(name)];
  const between: string[] = [];
  for await (const { key } of store.list(backupDirectory(name), { signal })) {
    if (key !== first && !last.includes(key)) {
      between.push(key);
    }
  }
  await store.delete(first, { signal });
  await runAll(between, (key, workSignal) => store.delete(key, { signal: workSignal }), {
    concurrency,
    signal,
  });
  for (const key of last) {
    await store.delete(key, { signal });
  }
}
