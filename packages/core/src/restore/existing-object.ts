import type { JsonObject } from '../model/json.ts';
import type { KubernetesManifest, KubernetesObject } from '../model/kubernetes.ts';
import { VeleroAnnotation, VeleroLabel } from '../model/labels.ts';
import {
  type ObjectPath,
  objectAt,
  objectsAt,
  stringAt,
  withoutValueAt,
} from '../model/object-path.ts';
import type { Restore } from '../model/restore.ts';
import { differenceInMeaning } from './difference-in-meaning.ts';
import { resetMetadata } from './reset-metadata.ts';
import { withRestoreLabels } from './restore-labels.ts';
import { serviceAccountToken } from './server-assigned-fields.ts';

const marks: readonly ObjectPath[] = [
  ['metadata', 'labels', VeleroLabel.volumeSnapshotName],
  ['metadata', 'annotations', VeleroAnnotation.volumeSnapshotName],
  ['metadata', 'annotations', VeleroAnnotation.mustIncludeAdditionalItems],
];

// Each restore imports the snapshot under a name of its own.
const sources: readonly ObjectPath[] = [
  ['spec', 'dataSource'],
  ['spec', 'dataSourceRef'],
];

/** How an object of the target relates to the one a restore would create in its place. */
export type ExistingComparison =
  | { readonly kind: 'equal' }
  /** A merge patch that turns it into what would be created. */
  | { readonly kind: 'different'; readonly patch: JsonObject }
  /** A merge patch that adds what is missing and takes nothing away. */
  | { readonly kind: 'mergeable'; readonly patch: JsonObject };

/** What {@link compareWithExisting} compares. */
export interface ExistingObject {
  readonly existing: KubernetesObject;
  /** What would be created. */
  readonly manifest: KubernetesManifest;
  readonly itemFromBackup: KubernetesObject;
  readonly restore: Restore;
}

/**
 * Compares an existing object by its meaning with what a restore would create and, unless existing objects are to be changed,
 * with what the backup holds: an object that nobody has touched since the backup is the same, unless it serves
 * namespaces that are mapped to others. Status, the metadata that belongs to one cluster, what a server chose, and the labels of a
 * restore do not count. A ServiceAccount is merged.
 */
export function compareWithExisting(
  { existing, manifest, itemFromBackup, restore }: ExistingObject,
  { isChangeable = false }: { readonly isChangeable?: boolean } = {},
): ExistingComparison {
  const kind = comparedKindOf(manifest);
  const present = comparable(existing, manifest, restore);
  const patch = differenceInMeaning(kind, present, withoutMarks(manifest));
  if (patch === undefined) {
    return { kind: 'equal' };
  }
  if (kind === 'ServiceAccount' && manifest.apiVersion === 'v1') {
    const additions = serviceAccountPatch(existing, manifest);
    return additions === undefined ? { kind: 'equal' } : { kind: 'mergeable', patch: additions };
  }
  const archived = comparable(itemFromBackup, manifest, restore);
  const isUntouched = differenceInMeaning(kind, present, archived) === undefined;
  return isUntouched && !isChangeable && !isOfOtherNamespaces(manifest, restore)
    ? { kind: 'equal' }
    : { kind: 'different', patch };
}

// An object of no namespace that differs from what mapped namespaces make of it serves the original ones alone: a ClusterRoleBinding whose
// subjects are there gives the copies no rights.
function isOfOtherNamespaces({ metadata }: KubernetesManifest, { spec }: Restore): boolean {
  return metadata.namespace === undefined && Object.keys(spec.namespaceMapping ?? {}).length > 0;
}

// The data of a token belongs to the cluster, that of any other Secret to whoever made it.
function comparedKindOf({ kind, type }: KubernetesManifest): string {
  return kind === 'Secret' && type === 'kubernetes.io/service-account-token'
    ? serviceAccountToken
    : kind;
}

function comparable(
  object: KubernetesObject,
  { metadata: { name, namespace } }: KubernetesManifest,
  restore: Restore,
): KubernetesManifest {
  const manifest = withoutMarks(withRestoreLabels(resetMetadata(object), restore));
  const place = {
    ...(name === undefined ? {} : { name }),
    ...(namespace === undefined ? {} : { namespace }),
  };
  return { ...manifest, metadata: { ...manifest.metadata, ...place } };
}

/** An object without what a backup notes on a claim for its restore, and without what a claim was filled from. */
function withoutMarks(manifest: KubernetesManifest): KubernetesManifest {
  const paths = manifest.kind === 'PersistentVolumeClaim' ? [...marks, ...sources] : marks;
  return paths.reduce<KubernetesManifest>((result, path) => withoutValueAt(result, path), manifest);
}

function serviceAccountPatch(
  existing: KubernetesObject,
  manifest: KubernetesManifest,
): JsonObject | undefined {
  const metadata = {
    ...missingKeys(existing, manifest, 'labels'),
    ...missingKeys(existing, manifest, 'annotations'),
  };
  const patch = {
    ...(Object.keys(metadata).length === 0 ? {} : { metadata }),
    ...missingReferences(existing, manifest, 'secrets'),
    ...missingReferences(existing, manifest, 'imagePullSecrets'),
  };
  return Object.keys(patch).length === 0 ? undefined : patch;
}

function missingKeys(existing: JsonObject, manifest: JsonObject, field: string): JsonObject {
  const present = objectAt(existing, ['metadata', field]) ?? {};
  const missing = Object.entries(objectAt(manifest, ['metadata', field]) ?? {}).filter(
    ([key]) => !Object.hasOwn(present, key),
  );
  return missing.length === 0 ? {} : { [field]: Object.fromEntries(missing) };
}

function missingReferences(existing: JsonObject, manifest: JsonObject, field: string): JsonObject {
  const present = objectsAt(existing, [field]);
  const names = new Set(present.map((reference) => stringAt(reference, ['name'])));
  const missing = objectsAt(manifest, [field]).filter(
    (reference) => !names.has(stringAt(reference, ['name'])),
  );
  return missing.length === 0 ? {} : { [field]: [...present, ...missing] };
}
