import type { BackupManifest, UnstoredFilter } from '../catalog/artifacts/backup-manifest.ts';
import { LifeboatError, ValidationError, type Violation } from '../errors.ts';
import type { Backup } from '../model/backup.ts';
import { objectAt } from '../model/object-path.ts';
import type { RestoreSpec } from '../model/restore.ts';
import { targetNamespaceOf } from './namespace-mapping.ts';
import type { RestoreOptions } from './request.ts';
import type { SelectionOptions } from './selection-options.ts';

// What a cluster needs to run, which it changes by itself.
const systemNamespaces: ReadonlySet<string> = new Set([
  'kube-node-lease',
  'kube-public',
  'kube-system',
]);

/**
 * What is wrong with a rollback whose request is valid otherwise: namespaces have to be named one by one, none of them the cluster's own,
 * and there has to be a plan, so that somebody can have seen what is to be deleted.
 */
export function rollbackViolations(
  spec: RestoreSpec,
  { existingObjects }: Pick<RestoreOptions, 'existingObjects'>,
  { isPlanned }: { readonly isPlanned: boolean },
): readonly Violation[] {
  if (existingObjects !== 'rollback') {
    return [];
  }
  const violations: Violation[] = [];
  if (!isPlanned) {
    violations.push({
      path: 'options.existingObjects',
      rule: 'may be rollback only with a plan, since objects are deleted: call planRestore with the same request and options, look at its items, and pass the plan to restore',
      received: existingObjects,
    });
  }
  const { includedNamespaces = [] } = spec;
  if (includedNamespaces.length === 0 || includedNamespaces.some(isPattern)) {
    violations.push({
      path: 'spec.includedNamespaces',
      rule: 'must name the namespaces of a rollback one by one, without wildcards',
      received: includedNamespaces,
    });
  }
  for (const namespace of includedNamespaces) {
    const target = targetNamespaceOf(spec, namespace);
    if (systemNamespaces.has(namespace) || systemNamespaces.has(target)) {
      violations.push({
        path: 'spec.includedNamespaces',
        rule: 'must not name a namespace of the cluster itself in a rollback',
        received: namespace,
      });
    }
  }
  return violations;
}

/**
 * Refuses a backup of which it cannot be told what it would hold if it had been there: what it lacks for another reason must not be
 * deleted. That a backup was made with a predicate, or that item actions kept objects out of it, its manifest tells; of a backup that was
 * made before manifests told it is not known.
 *
 * @throws {LifeboatError} code Unsupported when the backup is not complete, or the filters of a resource policy decided what went into it.
 * @throws {ValidationError} when it was made with a predicate, or item actions kept objects out of it, and no predicate is given.
 */
export function checkBackupOfRollback(
  { metadata: { name }, spec, status }: Backup,
  manifest: Pick<BackupManifest, 'unstoredFilters'> | undefined,
  { include }: Pick<SelectionOptions, 'include'>,
): void {
  const unstored = manifest?.unstoredFilters;
  const hasPolicy =
    unstored?.includes('resourcePolicy') ?? objectAt(spec, ['resourcePolicy']) !== undefined;
  const why =
    status.phase !== 'Completed'
      ? `its phase is ${status.phase}, so objects may be missing in it that were there`
      : hasPolicy && 'a resource policy decided what went into it';
  if (why) {
    throw new LifeboatError(
      `restore: backup ${name} cannot be rolled back to: ${why}. Restore it without existingObjects: 'rollback', or roll back to another backup`,
      { code: 'Unsupported', operation: 'restore', target: name },
    );
  }
  const rules = include === undefined ? rulesOf(name, unstored ?? []) : [];
  if (rules.length > 0) {
    throw new ValidationError(
      'restore',
      rules.map((rule) => ({ path: 'options.include', rule, received: include })),
    );
  }
}

/** What a predicate has to answer. */
function rulesOf(name: string, unstored: readonly UnstoredFilter[]): readonly string[] {
  const isNeeded = 'and be given to planRestore and to restore: what was left out would be deleted';
  return [
    ...(unstored.includes('include')
      ? [`must answer as the predicate did that backup ${name} was made with, ${isNeeded}`]
      : []),
    ...(unstored.includes('itemAction')
      ? [`must leave out what item actions kept out of backup ${name}, ${isNeeded}`]
      : []),
  ];
}

function isPattern(name: string): boolean {
  return /[*?[\]{}]/.test(name);
}
