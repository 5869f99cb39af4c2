import type { Violation } from '../../errors.ts';
import { groupResourceOf, type StringMap } from '../../model/kubernetes.ts';
import { Resources } from '../../model/resources.ts';
import type { Cluster } from '../../ports/cluster.ts';
import type { CallOptions } from '../../ports/object-store.ts';
import type { BackupContents } from '../backup-contents.ts';

const storageClasses = groupResourceOf(Resources.storageClasses);

/**
 * Finds the StorageClasses that a mapping leads to though neither the target has them nor the restore brings them. With an empty mapping
 * nothing is read.
 *
 * @throws {ClusterError} when the StorageClasses cannot be listed.
 */
export async function storageClassViolations(
  mapping: StringMap,
  contents: Pick<BackupContents, 'find'>,
  cluster: Cluster,
  options: CallOptions,
): Promise<readonly Violation[]> {
  if (Object.keys(mapping).length === 0) {
    return [];
  }
  const present = new Set<string>();
  for await (const { metadata } of cluster.list(Resources.storageClasses, options)) {
    present.add(metadata.name);
  }
  const isRestored = (name: string): boolean =>
    contents.find({ groupResource: storageClasses, name })?.selected === true;
  return Object.entries(mapping)
    .filter(([, name]) => !present.has(name) && !isRestored(name))
    .map(([from, name]) => ({
      path: `options.storageClassMapping[${JSON.stringify(from)}]`,
      rule: 'must map to a StorageClass that the target has or that is restored too',
      received: name,
    }));
}
