import { ValidationError, type Violation } from '../errors.ts';
import type { RestoreSpec } from '../model/restore.ts';
import { targetNamespaceOf } from './namespace-mapping.ts';
import type { RestoreOptions } from './request.ts';

// What a cluster needs to run, which it changes by itself.
const systemNamespaces: ReadonlySet<string> = new Set([
  'kube-node-lease',
  'kube-public',
  'kube-system',
]);

/**
 * Checks what a rollback asks beside a valid request: namespaces that are named one by one, none of them the cluster's own, and a
 * plan, so that somebody can have seen what is to be deleted.
 *
 * @throws {ValidationError} with every violation.
 */
export function checkRollback(
  spec: RestoreSpec,
  { existingObjects }: Pick<RestoreOptions, 'existingObjects'>,
  { isPlanned }: { readonly isPlanned: boolean },
): void {
  if (existingObjects !== 'rollback') {
    return;
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
  if (violations.length > 0) {
    throw new ValidationError('restore', violations);
  }
}

function isPattern(name: string): boolean {
  return /[*?[\]{}]/.test(name);
}
