import { groupResourceOf, type ResourceIdentifier } from '../model/kubernetes.ts';
import { stringAt } from '../model/object-path.ts';
import { claimNamesOf } from '../model/pod-claims.ts';
import { Resources } from '../model/resources.ts';
import type { RestoreSpec } from '../model/restore.ts';
import type { ArchivedVolumes } from './archived-volumes.ts';
import type { BackupContents, SpooledEntry } from './backup-contents.ts';

const claims = groupResourceOf(Resources.persistentVolumeClaims);
const volumes = groupResourceOf(Resources.persistentVolumes);
const pods = groupResourceOf(Resources.pods);
const priorityClasses = groupResourceOf(Resources.priorityClasses);

/**
 * What is restored: the selected entries, and with them what they need: the claims of selected pods, whatever labels are asked for, the
 * volumes that claims keep, and the priority classes of pods, which a selection of namespaces leaves out because they belong to none. Of
 * the latter two nothing is added when the spec forbids what is not in a namespace.
 */
export async function entriesToRestore(
  contents: BackupContents,
  archivedVolumes: ArchivedVolumes,
  { includeClusterResources }: RestoreSpec,
  signal: AbortSignal,
): Promise<ReadonlySet<SpooledEntry>> {
  const entries = new Set([...contents.entries].filter(({ selected }) => selected));
  const leftOut = new Set(
    [...contents.entries].filter(({ selected }) => !selected).map((entry) => entry.groupResource),
  );
  // What is added while the set is gone through is gone through too.
  for (const entry of entries) {
    signal.throwIfAborted();
    for (const needed of await neededBy(entry)) {
      const found = contents.find(needed);
      const isForbidden = needed.namespace === undefined && includeClusterResources === false;
      if (found !== undefined && !isForbidden) {
        entries.add(found);
      }
    }
  }
  return entries;

  async function neededBy(entry: SpooledEntry): Promise<readonly ResourceIdentifier[]> {
    if (entry.groupResource === claims && leftOut.has(volumes)) {
      const source = await archivedVolumes.sourceOf(await contents.read(entry));
      return source.kind === 'same volume'
        ? [{ groupResource: volumes, name: source.volumeName }]
        : [];
    }
    if (entry.groupResource === pods && (leftOut.has(priorityClasses) || leftOut.has(claims))) {
      const pod = await contents.read(entry);
      const { namespace } = entry;
      const className = stringAt(pod, ['spec', 'priorityClassName']);
      return [
        ...(className === undefined ? [] : [{ groupResource: priorityClasses, name: className }]),
        ...claimNamesOf(pod).map((name) => ({ groupResource: claims, namespace, name })),
      ];
    }
    return [];
  }
}
