import { runAll } from '../internal/run-all.ts';
import { compareCodePoints } from '../model/json.ts';
import { isDnsSubdomain } from '../model/kubernetes-name.ts';
import type { CallOptions, ObjectStore } from '../ports/object-store.ts';
import { restoresDirectory } from './key-layout.ts';
import { readBackupNameOfRestore } from './restore-files.ts';

const concurrency = 8;

/**
 * Finds the restores that were made from a backup, by name. Reads the description of every restore in the store; those of
 * Velero have none, and are left to Velero.
 */
export async function restoresOfBackup(
  store: ObjectStore,
  backupName: string,
  { signal }: CallOptions = {},
): Promise<readonly string[]> {
  const found: string[] = [];
  await runAll(
    store.listPrefixes(restoresDirectory, { signal }),
    async (prefix, workSignal) => {
      const name = prefix.slice(restoresDirectory.length, -1);
      if (
        isDnsSubdomain(name) &&
        (await readBackupNameOfRestore(store, name, { signal: workSignal })) === backupName
      ) {
        found.push(name);
      }
    },
    { concurrency, signal },
  );
  return found.sort(compareCodePoints);
}
