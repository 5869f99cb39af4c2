import type { StringMap } from '../model/kubernetes.ts';

// By one of these a tool takes an object for its own, and deletes what its sources do not hold. The claim is in them, its
// VolumeSnapshot is not (velero issues 7905, 9162).
const ownershipKeys: ReadonlySet<string> = new Set([
  // Argo CD by default, whether or not the claim is under it: nothing on the claim tells.
  'app.kubernetes.io/instance',
  'app.kubernetes.io/managed-by',
  'applyset.kubernetes.io/part-of',
  'addonmanager.kubernetes.io/mode',
  'kubernetes.io/cluster-service',
  'olm.owner',
  'olm.managed',
]);
const ownershipDomains: readonly string[] = [
  'argocd.argoproj.io',
  'argoproj.io',
  'fluxcd.io',
  'kapp.k14s.io',
  'objectset.rio.cattle.io',
  'fleet.cattle.io',
  'configsync.gke.io',
  'configmanagement.gke.io',
  'config.k8s.io',
  'cli-utils.sigs.k8s.io',
  'projectsveltos.io',
  'operators.coreos.com',
  'helm.sh',
];
// Marks of backups and restores: a snapshot that carries those of an earlier one would be removed with that.
const ownDomains: readonly string[] = ['velero.io', 'lifeboat.dev'];

/**
 * The labels that a VolumeSnapshot takes over from its claim, as Velero 1.12 and later do, so that it is found by the labels
 * of its application. Without those by which a tool for GitOps would delete it, and those that belong to backups.
 */
export function copiedLabels(labels: StringMap | undefined): StringMap {
  return Object.fromEntries(Object.entries(labels ?? {}).filter(([key]) => !isTied(key)));
}

/**
 * Tells Argo CD to leave an object alone even when it takes it for its own: which label it goes by is a setting of its
 * installation, so that no list of keys has them all.
 */
export const leaveAloneAnnotations: StringMap = {
  'argocd.argoproj.io/compare-options': 'IgnoreExtraneous',
  'argocd.argoproj.io/sync-options': 'Prune=false',
};

function isTied(key: string): boolean {
  const domain = key.includes('/') ? key.slice(0, key.indexOf('/')) : '';
  return (
    ownershipKeys.has(key) ||
    [...ownershipDomains, ...ownDomains].some(
      (owner) => domain === owner || domain.endsWith(`.${owner}`),
    )
  );
}
