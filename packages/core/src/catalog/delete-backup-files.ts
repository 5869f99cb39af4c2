import { runAll } from '../internal/run-all.ts';
import type { CallOptions, ObjectStore } from '../ports/object-store.ts';
import { backupDirectory, backupKey, claimKey } from './key-layout.ts';

const concurrency = 8;

/**
 * Deletes everything in a backup's directory: `velero-backup.json` first, so that nobody sees a backup that lacks a part, and
 * the claim last, so that what an interrupted deletion leaves is recognised as unfinished. Repeating it is harmless.
 */
export async function deleteBackupFiles(
  store: ObjectStore,
  name: string,
  { signal }: CallOptions = {},
): Promise<void> {
  const first = backupKey(name, 'backup');
  const last = claimKey(name);
  const between: string[] = [];
  for await (const { key } of store.list(backupDirectory(name), { signal })) {
    if (key !== first && key !== last) {
      between.push(key);
    }
  }
  await store.delete(first, { signal });
  await runAll(between, (key, workSignal) => store.delete(key, { signal: workSignal }), {
    concurrency,
    signal,
  });
  await store.delete(last, { signal });
}
