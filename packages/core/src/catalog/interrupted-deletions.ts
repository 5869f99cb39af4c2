import { compareCodePoints } from '../model/json.ts';
import { isDnsSubdomain } from '../model/kubernetes-name.ts';
import type { CallOptions, ObjectStore } from '../ports/object-store.ts';
import { backupKey, backupsDirectory, claimKey, deletionMarkKey } from './key-layout.ts';
import { readClaim } from './stored-claim.ts';

/**
 * Finds the backups whose deletion was interrupted after their `velero-backup.json` was deleted, by name: no catalog lists
 * them any more. Lists every key of the store once; memory grows with the number of incomplete backups alone.
 */
export async function interruptedDeletions(
  store: ObjectStore,
  { signal }: CallOptions = {},
): Promise<readonly string[]> {
  const found: string[] = [];
  for await (const { name, keys } of directoriesOf(store, signal)) {
    if (!isDnsSubdomain(name) || keys.has(backupKey(name, 'backup'))) {
      continue;
    }
    // The mark goes before the claim.
    const isMarked =
      keys.has(deletionMarkKey(name)) ||
      (keys.has(claimKey(name)) &&
        (await readClaim(store, name, { signal }))?.purpose === 'delete');
    if (isMarked) {
      found.push(name);
    }
  }
  return found.sort(compareCodePoints);
}

interface ListedDirectory {
  readonly name: string;
  readonly keys: ReadonlySet<string>;
}

async function* directoriesOf(
  store: ObjectStore,
  signal: AbortSignal | undefined,
): AsyncGenerator<ListedDirectory> {
  let name = '';
  let keys = new Set<string>();
  for await (const { key } of store.list(backupsDirectory, { signal })) {
    const [directory = ''] = key.slice(backupsDirectory.length).split('/');
    if (directory !== name) {
      yield { name, keys };
      name = directory;
      keys = new Set();
    }
    keys.add(key);
  }
  yield { name, keys };
}
