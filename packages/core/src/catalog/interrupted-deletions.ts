import { compareCodePoints } from '../model/json.ts';
import { isDnsSubdomain } from '../model/kubernetes-name.ts';
import type { CallOptions, ObjectStore } from '../ports/object-store.ts';
import { backupKey, backupsDirectory, deletionMarkKey } from './key-layout.ts';

/**
 * Finds the backups whose deletion was interrupted after their `velero-backup.json` was deleted, by name: no catalog lists
 * them any more. Lists every key of the store once; memory grows with the number of such backups alone.
 */
export async function interruptedDeletions(
  store: ObjectStore,
  { signal }: CallOptions = {},
): Promise<readonly string[]> {
  const found: string[] = [];
  let current = '';
  let keys: string[] = [];
  const finishDirectory = (): void => {
    if (
      isDnsSubdomain(current) &&
      keys.includes(deletionMarkKey(current)) &&
      !keys.includes(backupKey(current, 'backup'))
    ) {
      found.push(current);
    }
  };
  for await (const { key } of store.list(backupsDirectory, { signal })) {
    const [name = ''] = key.slice(backupsDirectory.length).split('/');
    if (name !== current) {
      finishDirectory();
      current = name;
      keys = [];
    }
    keys.push(key);
  }
  finishDirectory();
  return found.sort(compareCodePoints);
}
