import { isLifeboatError, LifeboatError } from '../errors.ts';
import { runAll } from '../internal/run-all.ts';
import type { KubernetesObject } from '../model/kubernetes.ts';
import { Resources } from '../model/resources.ts';
import type { Cluster } from '../ports/cluster.ts';
import type { BackupRecord } from './backup-record.ts';

const readAtATime = 4;

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
  const found = new Map<string, KubernetesObject | LifeboatError>();
  const named = [...new Set(included)].sort();
  await runAll(
    named,
    async (name, readSignal) => {
      const outcome = await readNamespace(cluster, name, readSignal);
      if (outcome !== undefined) {
        found.set(name, outcome);
      }
    },
    { concurrency: readAtATime, signal },
  );
  const names = named.filter((name) => found.has(name));
  const objects: KubernetesObject[] = [];
  for (const name of names) {
    const outcome = found.get(name);
    if (isLifeboatError(outcome)) {
      record.addWarning({
        reason: 'Forbidden',
        message: `the Namespace object may not be read, so it is not in the backup; a restore will make a plain one: ${outcome.message}`,
        object: { groupResource: 'namespaces', name },
      });
    } else if (outcome !== undefined) {
      objects.push(outcome);
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

/** The Namespace, or why it may not be read; `undefined` when it does not exist. */
async function readNamespace(
  cluster: Cluster,
  name: string,
  signal: AbortSignal,
): Promise<KubernetesObject | LifeboatError | undefined> {
  try {
    return await cluster.get({ ...Resources.namespaces, name }, { signal });
  } catch (error) {
    if (isLifeboatError(error, 'Forbidden')) {
      return error;
    }
    throw error;
  }
}
