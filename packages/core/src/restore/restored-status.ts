import type { KubernetesObject } from '../model/kubernetes.ts';
import type { RestoreStatusSpec } from '../model/restore.ts';
import { createGlob } from '../selection/glob.ts';

/** Whether the status of a created object is put back. */
export type StatusDecision =
  | { readonly kind: 'restore' }
  | { readonly kind: 'leave' }
  /** It was asked for and is not done, or was asked for in words that mean nothing. */
  | { readonly kind: 'refuse'; readonly message: string };

/** Decides about objects by their resource and their annotations. */
export type StatusSelection = (groupResource: string, object: KubernetesObject) => StatusDecision;

const annotation = 'velero.io/restore-status';

/**
 * Resources whose status says what this cluster has done: containers that run, volumes that are bound, snapshots that the storage has,
 * names that are served. That of another time would be believed.
 */
export const neverRestoredStatuses: readonly string[] = [
  'pods',
  'persistentvolumeclaims',
  'persistentvolumes',
  'volumesnapshots.snapshot.storage.k8s.io',
  'volumesnapshotcontents.snapshot.storage.k8s.io',
  'customresourcedefinitions.apiextensions.k8s.io',
  'apiservices.apiregistration.k8s.io',
];

/**
 * The selection of a valid `spec.restoreStatus`. Without it no status is restored; the annotation `velero.io/restore-status` of an
 * object in the backup decides for that object alone.
 *
 * @param canonicalName turns a resource as a user names it into its group resource.
 */
export function createStatusSelection(
  spec: RestoreStatusSpec | undefined,
  canonicalName: (name: string) => string,
): StatusSelection {
  const { includedResources = [], excludedResources = [] } = spec ?? {};
  const decided = new Map<string, boolean>();
  const selects = (groupResource: string): boolean => {
    const known = decided.get(groupResource);
    if (known !== undefined) {
      return known;
    }
    // Names are resolved when an object is there: before, its definition may not have been restored.
    const selected =
      spec !== undefined &&
      !neverRestoredStatuses.includes(groupResource) &&
      (includedResources.length === 0 || matches(includedResources, groupResource)) &&
      !matches(excludedResources, groupResource);
    decided.set(groupResource, selected);
    return selected;
  };
  const matches = (names: readonly string[], groupResource: string): boolean =>
    names.some((name) => createGlob(canonicalName(name), { braces: true })(groupResource));
  return (groupResource, { metadata, status }) => {
    const asked = metadata.annotations?.[annotation]?.trim().toLowerCase() ?? '';
    if (!['', 'true', 'false'].includes(asked)) {
      const message = `annotation ${annotation} is ${JSON.stringify(asked)}, which means nothing; it has to be "true" or "false"`;
      return { kind: 'refuse', message };
    }
    if (asked === 'true' && neverRestoredStatuses.includes(groupResource)) {
      const message = `annotation ${annotation} has no effect on ${groupResource}: their status says what this cluster has done`;
      return { kind: 'refuse', message };
    }
    const isWanted = asked === '' ? selects(groupResource) : asked === 'true';
    return { kind: isWanted && status !== undefined ? 'restore' : 'leave' };
  };
}
