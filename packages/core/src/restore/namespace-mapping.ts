import type { RestoreSpec } from '../model/restore.ts';

/** The namespace that a backed-up namespace is restored as: itself, unless `spec.namespaceMapping` says otherwise. */
export function targetNamespaceOf(spec: RestoreSpec, namespace: string): string {
  const { namespaceMapping } = spec;
  return namespaceMapping !== undefined && Object.hasOwn(namespaceMapping, namespace)
    ? (namespaceMapping[namespace] ?? namespace)
    : namespace;
}
