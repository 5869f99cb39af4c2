import type { Backup } from '../model/backup.ts';
import type { ApiResource, KubernetesObject, ResourceIdentifier } from '../model/kubernetes.ts';
import { matchesLabelSelector } from '../model/label-selector.ts';
import type { RestoreSpec } from '../model/restore.ts';
import { createBackupFilter } from '../selection/backup-filter.ts';
import type { HeldNames } from './held-names.ts';
import type { ItemSelection } from './item-selection.ts';
import { targetNamespaceOf } from './namespace-mapping.ts';
import type { TargetResources } from './target-resources.ts';

/** What {@link createRollbackScope} decides from. */
export interface RollbackScopeOptions {
  readonly spec: RestoreSpec;
  readonly backup: Backup;
  readonly selection: ItemSelection;
  readonly held: HeldNames;
  readonly resources: TargetResources;
}

/** Which objects of the target a rollback is about. */
export interface RollbackScope {
  /** The namespaces of the target that are rolled back, with their names in the backup. */
  readonly namespaces: readonly RolledBackNamespace[];
  /** The resources that the request names and that are to be looked through even if the backup holds no object of theirs. */
  readonly namedResources: readonly string[];
  /** Whether the backup holds an object that is restored under this name. */
  holds(target: ResourceIdentifier): boolean;
  /** Whether backup and restore would have taken an object, had it been there. `source` names it as the backup would. */
  takes(resource: ApiResource, source: ResourceIdentifier, object: KubernetesObject): boolean;
}

/** A namespace by both its names. */
export interface RolledBackNamespace {
  readonly source: string;
  readonly target: string;
}

/**
 * The scope of a rollback: of what is missing in a backup only that counts which it would hold if it had been there. The backup has to be
 * one of which that can be told.
 */
export function createRollbackScope(options: RollbackScopeOptions): RollbackScope {
  const { spec, backup, selection, held, resources } = options;
  const { includedNamespaces = [], excludedNamespaces = [], includedResources = [] } = spec;
  const filter = createBackupFilter(backup.spec, {
    liveNamespaces: [...held.namespaces],
    excludedByLabel: [],
    resolveResource: (name) => resources.resolve(name),
  });
  const sources = Map.groupBy(held.namespaces, (source) => targetNamespaceOf(spec, source));
  return {
    // One that the backup does not know at all is none that could be rolled back.
    namespaces: includedNamespaces
      .filter((source) => held.namespaces.has(source) && !excludedNamespaces.includes(source))
      .map((source) => ({ source, target: targetNamespaceOf(spec, source) })),
    namedResources: includedResources.map((name) => resources.canonicalName(name)),
    holds: (target) =>
      (sources.get(target.namespace ?? '') ?? []).some((namespace) =>
        held.has({ ...target, namespace }),
      ),
    takes: (resource, source, object) => {
      const { name, namespace } = source;
      const metadata = { ...object.metadata, name, ...(namespace && { namespace }) };
      const exclusion = filter.exclusionOf(resource, { ...object, metadata });
      const isLabelled =
        filter.labelSelectors.length === 0 ||
        filter.labelSelectors.some((one) => matchesLabelSelector(object.metadata.labels, one));
      return (
        isLabelled &&
        (exclusion === undefined || exclusion === 'Deleting') &&
        selection.decide(source) === 'restore' &&
        selection.wants(source, object)
      );
    },
  };
}
