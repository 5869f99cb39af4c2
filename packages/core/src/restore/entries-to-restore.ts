import { groupResourceOf, type ResourceIdentifier } from '../model/kubernetes.ts';
import { stringAt } from '../model/object-path.ts';
import { claimNamesOf } from '../model/pod-claims.ts';
import { Resources } from '../model/resources.ts';
import type { RestoreSpec } from '../model/restore.ts';
import type { ArchivedVolumes } from './archived-volumes.ts';
import type { BackupContents } from './backup-contents.ts';
import type { SpooledEntry } from './backup-entries.ts';
import { EntrySet } from './entry-set.ts';

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
  spec: RestoreSpec,
  signal: AbortSignal,
): Promise<EntrySet> {
  const entries = new EntrySet(contents.entries);
  for (const entry of contents.entries) {
    if (entry.selected) {
      entries.add(entry);
    }
  }
  const neededBy = createNeeds(contents, archivedVolumes, spec);
  // What is added while the set is gone through is gone through too.
  for (const entry of entries.list()) {
    signal.throwIfAborted();
    if (mayNeed(entry)) {
      for (const needed of await neededBy(entry)) {
        entries.add(needed);
      }
    }
  }
  return entries;
}

// Of ten thousands of others nothing is asked, not even to wait for an answer.
function mayNeed({ groupResource }: SpooledEntry): boolean {
  return groupResource === claims || groupResource === pods;
}

/** Tells which entries one is restored with because it needs them, as {@link entriesToRestore} says. */
export function createNeeds(
  contents: BackupContents,
  archivedVolumes: ArchivedVolumes,
  { includeClusterResources }: RestoreSpec,
): (entry: SpooledEntry) => Promise<readonly SpooledEntry[]> {
  const leftOut = new Set<string>();
  for (const entry of contents.entries) {
    if (isAtHand(entry)) {
      leftOut.add(entry.groupResource);
    }
  }
  return async (entry) => {
    const needed = await namesNeededBy(entry);
    return needed
      .filter(({ namespace }) => namespace !== undefined || includeClusterResources !== false)
      .flatMap((identifier) => contents.find(identifier) ?? [])
      .filter((found) => found.selected || isAtHand(found));
  };

  async function namesNeededBy(entry: SpooledEntry): Promise<readonly ResourceIdentifier[]> {
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

function isAtHand({ selected, isOnRequest }: SpooledEntry): boolean {
  return !selected && isOnRequest !== true;
}
