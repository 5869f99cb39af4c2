import { discoveryIssues } from '../discovery/discovery-issues.ts';
import { preferredResources } from '../discovery/preferred-resources.ts';
import { resolveResource } from '../discovery/resolve-resource.ts';
import { servedResources } from '../discovery/served-resources.ts';
import type { Backup, BackupSpec } from '../model/backup.ts';
import {
  type ApiResource,
  groupResourceOf,
  identifierOf,
  type KubernetesObject,
} from '../model/kubernetes.ts';
import { VeleroLabel } from '../model/labels.ts';
import type { IncludeExcludePolicy } from '../model/resource-policy.ts';
import { Resources } from '../model/resources.ts';
import type { Cluster } from '../ports/cluster.ts';
import { type BackupCandidate, backupCandidate } from '../selection/backup-candidate.ts';
import { type BackupFilter, createBackupFilter } from '../selection/backup-filter.ts';
import { withExcludedNamespaces } from '../selection/backup-request.ts';
import { type NamedObject, orderedResourcesOf } from '../selection/ordered-resources.ts';
import { safePredicate } from '../selection/safe-predicate.ts';
import type { BackupRecord } from './backup-record.ts';
import { addMissingNamespace, readNamespaces } from './namespaces.ts';

/** What a backup takes in, decided from its spec and from what there is in the cluster. */
export interface BackupScope {
  /** The backup, its spec completed with the namespaces that are excluded by label. */
  readonly backup: Backup;
  readonly filter: BackupFilter;
  /** The resources to list, in order. */
  readonly resources: readonly ApiResource[];
  /** `<resource>` or `<resource>.<group>` → the objects of it that come first, in order. */
  readonly order: ReadonlyMap<string, readonly NamedObject[]>;
  /** The namespaces to list in, sorted; `undefined`: every namespace, at once. */
  readonly namespaces: readonly string[] | undefined;
  /** The Namespace objects of the selected namespaces, as far as the caller may read them and his predicate wants them. */
  readonly namespaceObjects: readonly KubernetesObject[];
  /** Finds the preferred version of a resource by `<resource>.<group>`; `undefined` when it is not served. */
  readonly findResource: (groupResource: string) => ApiResource | undefined;
}

/** What {@link scopeOf} decides from. */
export interface ScopeOptions {
  readonly cluster: Cluster;
  readonly backup: Backup;
  readonly record: BackupRecord;
  /** Filters of the backup's resource policy. */
  readonly policy?: IncludeExcludePolicy | undefined;
  /** The caller's predicate. An object for which it throws is left out, with an error of that object. */
  readonly include?: ((candidate: BackupCandidate) => boolean) | undefined;
  readonly signal: AbortSignal;
}

/** Finds out what a backup takes in. What cannot be found out becomes an issue of the record. */
export async function scopeOf({
  cluster,
  backup,
  record,
  policy,
  include,
  signal,
}: ScopeOptions): Promise<BackupScope> {
  const discovery = await cluster.discover({ signal });
  const live = await readNamespaces(cluster, backup.spec.includedNamespaces ?? [], record, signal);
  const excludedByLabel = live.objects
    .filter(({ metadata }) => metadata.labels?.[VeleroLabel.excludeFromBackup] === 'true')
    .map(({ metadata }) => metadata.name);
  const wants =
    include === undefined
      ? () => true
      : safePredicate(include, (candidate, issue, cause) =>
          record.addError({ ...issue, object: identifierOf(candidate) }, cause),
        );
  if (include !== undefined) {
    record.addUnstoredFilter('include');
  }
  if (policy !== undefined) {
    record.addUnstoredFilter('resourcePolicy');
  }
  const filter = createBackupFilter(backup.spec, {
    liveNamespaces: live.names,
    excludedByLabel,
    resolveResource: (name) => resolveResource(discovery, name),
    policy,
    include: wants,
  });
  for (const name of filter.namespaces.missing) {
    addMissingNamespace(cluster, name, record);
  }
  const { resources, failures } = servedResources(discovery, (resource) =>
    filter.includesResource(resource),
  );
  for (const issue of [...discoveryIssues(failures), ...filter.issues]) {
    record.addIssue(issue);
  }
  // Namespaces are stored on their own, at the end: which ones depends on what was found in them.
  const listed = resources.filter((resource) => groupResourceOf(resource) !== 'namespaces');
  const preferred = new Map(
    preferredResources(discovery).map((resource) => [groupResourceOf(resource), resource]),
  );
  return {
    backup: { ...backup, spec: withExcludedNamespaces(backup.spec, excludedByLabel) },
    filter,
    resources: listed,
    order: orderOf(backup.spec, listed, (name) => resolveResource(discovery, name), record),
    namespaces: filter.namespaces.includesEverything ? undefined : filter.namespaces.names,
    namespaceObjects: live.objects.filter(
      (object) =>
        filter.namespaces.includes(object.metadata.name) &&
        wants(backupCandidate(Resources.namespaces, object)),
    ),
    findResource: (groupResource) => preferred.get(groupResource),
  };
}

function orderOf(
  spec: BackupSpec,
  listed: readonly ApiResource[],
  resolve: (name: string) => ApiResource | undefined,
  record: BackupRecord,
): BackupScope['order'] {
  const order = new Map<string, readonly NamedObject[]>();
  for (const [name, objects] of orderedResourcesOf(spec['orderedResources'])) {
    const resource = resolve(name);
    const groupResource = resource && groupResourceOf(resource);
    if (
      groupResource !== undefined &&
      listed.some((one) => groupResourceOf(one) === groupResource)
    ) {
      order.set(groupResource, [...(order.get(groupResource) ?? []), ...objects]);
    } else {
      record.addWarning({
        reason: 'OrderWithoutEffect',
        message: `spec.orderedResources names the resource ${JSON.stringify(name)}, which this backup does not list`,
      });
    }
  }
  return order;
}
