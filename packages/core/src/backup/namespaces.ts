import { isLifeboatError, LifeboatError } from '../errors.ts';
import type { KubernetesObject } from '../model/kubernetes.ts';
import { Resources } from '../model/resources.ts';
import type { Cluster } from '../ports/cluster.ts';
import type { BackupRecord } from './backup-record.ts';

/** Whether a list of included namespaces needs to know which there are: it is empty or has a pattern in it. */
export function needsNamespaceList(included: readonly string[]): boolean {
  return included.length === 0 || included.some((name) => /[*?[]/.test(name));
}

/**
 * Reads the namespaces that a backup may be about: all of them where its list has patterns, else only those it names, so
 * that a caller with rights in his own namespaces alone can back them up.
 *
 * A named one that is missing is not among the names. One that the caller may not read is taken to exist; then its Namespace
 * object is not in the backup, which is a warning.
 */
export async function readNamespaces(
  cluster: Cluster,
  included: readonly string[],
  record: BackupRecord,
  signal: AbortSignal,
): Promise<{ readonly names: readonly string[]; readonly objects: readonly KubernetesObject[] }> {
  if (needsNamespaceList(included)) {
    const objects = await Array.fromAsync(cluster.list(Resources.namespaces, { signal }));
    return { names: objects.map(({ metadata }) => metadata.name), objects };
  }
  const names: string[] = [];
  const objects: KubernetesObject[] = [];
  for (const name of [...new Set(included)].sort()) {
    const found = await readNamespace(cluster, name, record, signal);
    if (found !== undefined) {
      names.push(name);
    }
    if (typeof found === 'object') {
      objects.push(found);
    }
  }
  return { names, objects };
}

/** Records that a namespace which the backup names does not exist. */
export function addMissingNamespace(cluster: Cluster, name: string, record: BackupRecord): void {
  const message = `namespace ${name} does not exist in ${cluster.location}`;
  const cause = new LifeboatError(`backup: ${message}`, {
    code: 'NotFound',
    operation: 'backup',
    target: `namespaces ${name}`,
  });
  record.addError(
    { reason: 'NotFound', message, object: { groupResource: 'namespaces', name } },
    cause,
  );
}

async function readNamespace(
  cluster: Cluster,
  name: string,
  record: BackupRecord,
  signal: AbortSignal,
): Promise<KubernetesObject | 'unreadable' | undefined> {
  try {
    return await cluster.get({ ...Resources.namespaces, name }, { signal });
  } catch (error) {
    if (!isLifeboatError(error, 'Forbidden')) {
      throw error;
    }
    record.addWarning({
      reason: 'Forbidden',
      message: `the Namespace object may not be read, so it is not in the backup; a restore will make a plain one: ${error.message}`,
      object: { groupResource: 'namespaces', name },
    });
    return 'unreadable';
  }
}
