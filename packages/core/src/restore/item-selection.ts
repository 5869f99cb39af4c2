import type { KubernetesObject, ResourceIdentifier } from '../model/kubernetes.ts';
import { matchesLabelSelector } from '../model/label-selector.ts';
import type { RestoreSpec } from '../model/restore.ts';
import { createGlob } from '../selection/glob.ts';
import { createNamespaceFilter } from '../selection/namespace-filter.ts';
import type { SelectionOptions } from './selection-options.ts';

/**
 * What becomes of an entry of the archive: it is restored, it is kept at hand because something that is restored may need
 * it (the snapshot of a claim, the volume of a claim, the class and the claims of a pod) or because an item action may ask for it, or it is
 * passed over.
 */
export type EntryDecision = 'restore' | 'at hand' | 'on request' | 'ignore';

/** Decides about entries by their path and, where labels are asked for, by their labels. */
export interface ItemSelection {
  decide(entry: ResourceIdentifier): EntryDecision;
  /** Whether an object that {@link ItemSelection.decide} would restore has the labels that are asked for, and is wanted. */
  wants(entry: ResourceIdentifier, object: KubernetesObject): boolean;
  /** What becomes of an object that {@link ItemSelection.decide} would restore and that is not wanted of its own. */
  decideUnwanted(entry: ResourceIdentifier, object: KubernetesObject): EntryDecision;
  /** Whether an object may be restored when an item action asks for it: by its resource and its namespace, whatever its labels are. */
  letsIn(entry: ResourceIdentifier): boolean;
}

// Never objects of their own: a claim imports the snapshot it needs, as a pair made for this restore.
const onlyAtHand: ReadonlySet<string> = new Set([
  'volumesnapshots.snapshot.storage.k8s.io',
  'volumesnapshotcontents.snapshot.storage.k8s.io',
]);
const claims = 'persistentvolumeclaims';
const mayBeNeeded: ReadonlySet<string> = new Set([
  'namespaces',
  'persistentvolumes',
  'priorityclasses.scheduling.k8s.io',
]);
// They drive a controller that would act on the cluster or on Velero's repositories.
const neverTaken: ReadonlySet<string> = new Set([
  'datauploads.velero.io',
  'datadownloads.velero.io',
  'podvolumebackups.velero.io',
  'podvolumerestores.velero.io',
  'volumegroupsnapshots.groupsnapshot.storage.k8s.io',
  'volumegroupsnapshotcontents.groupsnapshot.storage.k8s.io',
]);

/**
 * The selection that a restore's spec asks for, on the names that the backup has.
 *
 * @param canonicalName turns a resource as a user names it (`deploy`, `pvc`) into its group resource.
 */
export function createItemSelection(
  spec: RestoreSpec,
  canonicalName: (name: string) => string,
  {
    only,
    include = () => true,
    keepsOnRequest = false,
  }: SelectionOptions & {
    /** Whether there may be somebody who asks for objects. @default false */
    readonly keepsOnRequest?: boolean | undefined;
  } = {},
): ItemSelection {
  const { includedNamespaces = [], excludedNamespaces = [], includeClusterResources } = spec;
  const namespaces = createNamespaceFilter(
    { included: includedNamespaces, excluded: excludedNamespaces },
    [],
  );
  const selectsResource = resourceFilterOf(spec, canonicalName);
  const named = only && new Set(only.map((object) => keyOf(object, canonicalName)));
  const selectsCluster =
    includeClusterResources ?? (named !== undefined || namespaces.includesEverything);
  const labelSelectors =
    spec.labelSelector === undefined ? (spec.orLabelSelectors ?? []) : [spec.labelSelector];
  const letsIn = ({ groupResource, namespace }: ResourceIdentifier): boolean =>
    !neverTaken.has(groupResource) &&
    !onlyAtHand.has(groupResource) &&
    selectsResource(groupResource) &&
    (namespace === undefined ? includeClusterResources !== false : namespaces.includes(namespace));
  return {
    letsIn,
    decide: (entry) => {
      const { groupResource, namespace } = entry;
      const isNamed = named?.has(keyOf(entry)) !== false;
      if (letsIn(entry) && isNamed && (namespace !== undefined || selectsCluster)) {
        return 'restore';
      }
      if (onlyAtHand.has(groupResource) || mayBeNeeded.has(groupResource)) {
        return 'at hand';
      }
      return keepsOnRequest && letsIn(entry) ? 'on request' : 'ignore';
    },
    // A pod brings its claims along whatever their labels, but none that other filters leave out.
    decideUnwanted: (entry, object) =>
      mayBeNeeded.has(entry.groupResource) ||
      (entry.groupResource === claims && include({ ...entry, object }))
        ? 'at hand'
        : keepsOnRequest
          ? 'on request'
          : 'ignore',
    wants: (entry, object) =>
      (labelSelectors.length === 0 ||
        labelSelectors.some((selector) =>
          matchesLabelSelector(object.metadata.labels, selector),
        )) &&
      include({ ...entry, object }),
  };
}

function resourceFilterOf(
  { includedResources = [], excludedResources = [] }: RestoreSpec,
  canonicalName: (name: string) => string,
): (groupResource: string) => boolean {
  const includes = matcherOf(includedResources.map(canonicalName));
  const excludes = matcherOf(excludedResources.map(canonicalName));
  return (groupResource) =>
    (includedResources.length === 0 || includes(groupResource)) && !excludes(groupResource);
}

function matcherOf(patterns: readonly string[]): (name: string) => boolean {
  const globs = patterns.map((pattern) => createGlob(pattern, { braces: true }));
  return (name) => globs.some((matches) => matches(name));
}

function keyOf(
  { groupResource, namespace = '', name }: ResourceIdentifier,
  canonicalName: (name: string) => string = (resource) => resource,
): string {
  return `${canonicalName(groupResource)}/${namespace}/${name}`;
}
