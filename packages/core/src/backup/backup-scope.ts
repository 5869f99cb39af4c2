import { discoveryIssues } from '../discovery/discovery-issues.ts';
import { preferredResources } from '../discovery/preferred-resources.ts';
import { resolveResource } from '../discovery/resolve-resource.ts';
import { servedResources } from '../discovery/served-resources.ts';
import type { Backup } from '../model/backup.ts';
import { type ApiResource, groupResourceOf, type KubernetesObject } from '../model/kubernetes.ts';
import { VeleroLabel } from '../model/labels.ts';
import type { Cluster } from '../ports/cluster.ts';
import { type BackupFilter, createBackupFilter } from '../selection/backup-filter.ts';
import { withExcludedNamespaces } from '../selection/backup-request.ts';
import type { BackupRecord } from './backup-record.ts';
import { readNamespaces } from './namespaces.ts';

/** What a backup takes in, decided from its spec and from what there is in the cluster. */
export interface BackupScope {
  /** The backup, its spec completed with the namespaces that are excluded by label. */
  readonly backup: Backup;
  readonly filter: BackupFilter;
  /** The resources to list, in order. */
  readonly resources: readonly ApiResource[];
  /** The namespaces to list in, sorted; `undefined`: every namespace, at once. */
  readonly namespaces: readonly string[] | undefined;
  /** The Namespace objects of the selected namespaces, as far as the caller may read them. */
  readonly namespaceObjects: readonly KubernetesObject[];
  /** Finds the preferred version of a resource by `<resource>.<group>`; `undefined` when it is not served. */
  readonly findResource: (groupResource: string) => ApiResource | undefined;
}

/** Finds out what a backup takes in. What cannot be found out becomes an issue of the record. */
export async function scopeOf({
  cluster,
  backup,
  record,
  signal,
}: {
  readonly cluster: Cluster;
  readonly backup: Backup;
  readonly record: BackupRecord;
  readonly signal: AbortSignal;
}): Promise<BackupScope> {
  const discovery = await cluster.discover({ signal });
  const live = await readNamespaces(cluster, backup.spec.includedNamespaces ?? [], record, signal);
  const excludedByLabel = live.objects
    .filter(({ metadata }) => metadata.labels?.[VeleroLabel.excludeFromBackup] === 'true')
    .map(({ metadata }) => metadata.name);
  const filter = createBackupFilter(backup.spec, {
    liveNamespaces: live.names,
    excludedByLabel,
    resolveResource: (name) => resolveResource(discovery, name),
  });
  const { resources, failures } = servedResources(discovery, (resource) =>
    filter.includesResource(resource),
  );
  for (const issue of [...discoveryIssues(failures), ...filter.issues]) {
    record.addIssue(issue);
  }
  const preferred = new Map(
    preferredResources(discovery).map((resource) => [groupResourceOf(resource), resource]),
  );
  return {
    backup: { ...backup, spec: withExcludedNamespaces(backup.spec, excludedByLabel) },
    filter,
    // Namespaces are stored on their own, at the end: which ones depends on what was found in them.
    resources: resources.filter((resource) => groupResourceOf(resource) !== 'namespaces'),
    namespaces: filter.namespaces.includesEverything ? undefined : filter.namespaces.names,
    namespaceObjects: live.objects.filter(({ metadata }) =>
      filter.namespaces.includes(metadata.name),
    ),
    findResource: (groupResource) => preferred.get(groupResource),
  };
}
