import type { BackupSpec, LabelSelector } from '../model/backup.ts';
import type { Issue } from '../model/issue.ts';
import { type ApiResource, groupResourceOf, type KubernetesObject } from '../model/kubernetes.ts';
import { formatLabelSelector, matchesLabelSelector } from '../model/label-selector.ts';
import { VeleroLabel } from '../model/labels.ts';
import { stringAt } from '../model/object-path.ts';
import type { IncludeExcludePolicy } from '../model/resource-policy.ts';
import { type BackupCandidate, backupCandidate } from './backup-candidate.ts';
import { labelSelectorsOf } from './label-selectors-of.ts';
import { createNamespaceFilter, type NamespaceFilter } from './namespace-filter.ts';
import { createResourceFilter, type ResourceFilter } from './resource-filter.ts';

/** What a {@link BackupFilter} has to know of the cluster. */
export interface BackupFilterContext {
  /** The namespaces that exist; see {@link createNamespaceFilter}. */
  readonly liveNamespaces: readonly string[];
  /** Those of them that carry `velero.io/exclude-from-backup=true`. */
  readonly excludedByLabel: readonly string[];
  /** Finds the resource that a user means by a name; `undefined` when none is served under it. */
  readonly resolveResource: (name: string) => ApiResource | undefined;
  /** Filters that count where those of the spec say nothing; see {@link createResourceFilter}. */
  readonly policy?: IncludeExcludePolicy | undefined;
  /** Has the last word about each object that everything else lets in. Never throws. @default every object */
  readonly include?: ((candidate: BackupCandidate) => boolean) | undefined;
}

/** Why an object is not in a backup. */
export type ItemExclusion =
  /** It is being deleted. */
  | 'Deleting'
  /** It carries `velero.io/exclude-from-backup=true`. */
  | 'Label'
  /** Its namespace is not selected. */
  | 'Namespace'
  /** Its resource is not selected. */
  | 'Resource'
  /** The caller's predicate does not want it. */
  | 'Predicate';

/** What of a spec lets a listed object in. */
export interface ItemSelection {
  /** The entry of `includedNamespaces` that its namespace is selected by; absent for a cluster-scoped object. */
  readonly namespaces?: string | undefined;
  /** The list and its entry that its resource is selected by, or that no list has to: `every namespaced resource`. */
  readonly resources: string;
  /** The first label selector that it matches; absent when all objects are wanted. */
  readonly labels?: string | undefined;
}

/** Options of {@link BackupFilter.exclusionOf}. */
export interface ExclusionOptions {
  /** Whether the object that pulls this one along cannot be restored without it: then only a deletion keeps it out. @default false */
  readonly mustInclude?: boolean | undefined;
}

/** What a backup takes in. */
export interface BackupFilter {
  /** The namespaces it takes objects from. */
  readonly namespaces: NamespaceFilter;
  /**
   * The selectors of which listed objects must match one; none when all objects are wanted. They say nothing of objects that
   * others pull along.
   */
  readonly labelSelectors: readonly LabelSelector[];
  /** What in the spec does not do what it seems to: warnings. */
  readonly issues: readonly Issue[];
  /** Whether the objects of a resource are listed. */
  includesResource(resource: ApiResource): boolean;
  /**
   * Why an object that was listed, or that another object pulls along, stays out; `undefined` when it is taken. A pulled-along
   * object of a cluster-scoped resource is taken even where the resource is not listed, unless the spec excludes it.
   */
  exclusionOf(
    resource: ApiResource,
    object: KubernetesObject,
    options?: ExclusionOptions,
  ): ItemExclusion | undefined;
  /** Why a listed object that nothing excludes is taken. */
  selectionOf(resource: ApiResource, object: KubernetesObject): ItemSelection;
  /** Whether a Namespace object is stored for its own sake. One that objects are taken from is stored for theirs. */
  includesNamespaceObject(namespace: KubernetesObject): boolean;
}

/** Creates the filter of a valid spec, whether its defaults are filled in or not. */
export function createBackupFilter(
  spec: BackupSpec,
  { liveNamespaces, excludedByLabel, resolveResource, policy, include }: BackupFilterContext,
): BackupFilter {
  const namespaces = createNamespaceFilter(
    {
      included: spec.includedNamespaces ?? [],
      excluded: [...(spec.excludedNamespaces ?? []), ...excludedByLabel],
    },
    liveNamespaces,
  );
  const everyNamespace = namespaces.includesEverything;
  const resources = createResourceFilter(spec, { resolveResource, everyNamespace, policy });
  const labelSelectors = labelSelectorsOf(spec);

  return {
    namespaces,
    labelSelectors,
    issues: resources.problems.map((message) => ({
      severity: 'warning',
      reason: 'FilterWithoutEffect',
      message: `resource filter: ${message}`,
    })),
    includesResource: (resource) => resources.includes(resource),
    exclusionOf(resource, object, { mustInclude = false } = {}): ItemExclusion | undefined {
      if (object.metadata.deletionTimestamp !== undefined) {
        return 'Deleting';
      }
      if (mustInclude) {
        return undefined;
      }
      if (object.metadata.labels?.[VeleroLabel.excludeFromBackup] === 'true') {
        return 'Label';
      }
      if (resource.namespaced && !namespaces.includes(object.metadata.namespace ?? '')) {
        return 'Namespace';
      }
      if (groupResourceOf(resource) !== 'namespaces' && resources.excludesRelated(resource)) {
        return 'Resource';
      }
      return include?.(backupCandidate(resource, object)) === false ? 'Predicate' : undefined;
    },
    selectionOf: (resource, object) =>
      describeSelection({ namespaces, resources, labelSelectors }, resource, object),
    includesNamespaceObject(namespace): boolean {
      const { name, labels } = namespace.metadata;
      if (stringAt(namespace, ['status', 'phase']) !== 'Active' || !namespaces.includes(name)) {
        return false;
      }
      // A namespace that the spec names is wanted whatever its labels; one of "all" only if the selector wants it.
      return (
        labelSelectors.length === 0 ||
        !everyNamespace ||
        labelSelectors.some((selector) => matchesLabelSelector(labels, selector))
      );
    },
  };
}

function describeSelection(
  {
    namespaces,
    resources,
    labelSelectors,
  }: {
    readonly namespaces: NamespaceFilter;
    readonly resources: ResourceFilter;
    readonly labelSelectors: readonly LabelSelector[];
  },
  resource: ApiResource,
  { metadata: { namespace, labels } }: KubernetesObject,
): ItemSelection {
  const entry = namespace === undefined ? undefined : namespaces.entryFor(namespace);
  const selector = labelSelectors.find((one) => matchesLabelSelector(labels, one));
  return {
    ...(entry !== undefined && { namespaces: entry }),
    resources: resources.reasonFor(resource),
    ...(selector !== undefined && { labels: formatLabelSelector(selector) }),
  };
}
