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
 * @throws {ClusterError} when a StorageClass cannot be read.
 */
export async function storageClassViolations(
  mapping: StringMap,
  contents: Pick<BackupContents, 'find'>,
  cluster: Cluster,
  options: CallOptions,
): Promise<readonly Violation[]> {
  const missing = new Map<string, boolean>();
  for (const name of new Set(Object.values(mapping))) {
    const isRestored = contents.find({ groupResource: storageClasses, name })?.selected === true;
    const reference = { ...Resources.storageClasses, name };
    missing.set(name, !isRestored && (await cluster.get(reference, options)) === undefined);
  }
  return Object.entries(mapping)
    .filter(([, name]) => missing.get(name) === true)
    .map(([from, name]) => ({
      path: `options.storageClassMapping[${JSON.stringify(from)}]`,
      rule: 'must map to a StorageClass that the target has or that is restored too',
      received: name,
    }));
}
