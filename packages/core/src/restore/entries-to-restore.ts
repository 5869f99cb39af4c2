import { groupResourceOf } from '../model/kubernetes.ts';
import { stringAt } from '../model/object-path.ts';
import { Resources } from '../model/resources.ts';
import type { ArchivedVolumes } from './archived-volumes.ts';
import type { BackupContents, SpooledEntry } from './backup-contents.ts';

const claims = groupResourceOf(Resources.persistentVolumeClaims);
const volumes = groupResourceOf(Resources.persistentVolumes);
const pods = groupResourceOf(Resources.pods);
const priorityClasses = groupResourceOf(Resources.priorityClasses);

/**
 * What is restored: the selected entries, and with them the volumes that selected claims keep and the priority classes of
 * selected pods, which a selection of namespaces leaves out because they belong to none.
 */
export async function entriesToRestore(
  contents: BackupContents,
  archivedVolumes: ArchivedVolumes,
  signal: AbortSignal,
): Promise<ReadonlySet<SpooledEntry>> {
  const entries = new Set([...contents.entries].filter(({ selected }) => selected));
  const leftOut = new Set(
    [...contents.entries].filter(({ selected }) => !selected).map((entry) => entry.groupResource),
  );
  for (const entry of [...entries]) {
    signal.throwIfAborted();
    const needed = await neededBy(entry);
    const found = needed && contents.find(needed);
    if (found !== undefined) {
      entries.add(found);
    }
  }
  return entries;

  async function neededBy(
    entry: SpooledEntry,
  ): Promise<{ readonly groupResource: string; readonly name: string } | undefined> {
    if (entry.groupResource === claims && leftOut.has(volumes)) {
      const source = await archivedVolumes.sourceOf(await contents.read(entry));
      return source.kind === 'same volume'
        ? { groupResource: volumes, name: source.volumeName }
        : undefined;
    }
    if (entry.groupResource === pods && leftOut.has(priorityClasses)) {
      const name = stringAt(await contents.read(entry), ['spec', 'priorityClassName']);
      return name === undefined ? undefined : { groupResource: priorityClasses, name };
    }
    return undefined;
  }
}
