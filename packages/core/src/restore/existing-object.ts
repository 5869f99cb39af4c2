import { type JsonObject, jsonEquals } from '../model/json.ts';
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
import { resetMetadata } from './reset-metadata.ts';
import { withRestoreLabels } from './restore-labels.ts';

const marks: readonly ObjectPath[] = [
  ['metadata', 'labels', VeleroLabel.volumeSnapshotName],
  ['metadata', 'annotations', VeleroAnnotation.volumeSnapshotName],
  ['metadata', 'annotations', VeleroAnnotation.mustIncludeAdditionalItems],
];

/** How an object of the target relates to the one a restore would create in its place. */
export type ExistingComparison =
  | { readonly kind: 'equal' }
  | { readonly kind: 'different' }
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
 * Compares an existing object with what a restore would create and with what the backup holds: an object that nobody has
 * touched since the backup equals the latter, though its addresses or its volume are not restored. Status, the metadata that
 * belongs to one cluster, and the labels of a restore do not count. A ServiceAccount is merged.
 */
export function compareWithExisting(input: ExistingObject): ExistingComparison {
  const { existing, manifest, itemFromBackup, restore } = input;
  const present = comparable(existing, manifest, restore);
  const archived = comparable(itemFromBackup, manifest, restore);
  if (jsonEquals(present, withoutMarks(manifest)) || jsonEquals(present, archived)) {
    return { kind: 'equal' };
  }
  if (manifest.apiVersion === 'v1' && manifest.kind === 'ServiceAccount') {
    const patch = serviceAccountPatch(existing, manifest);
    return patch === undefined ? { kind: 'equal' } : { kind: 'mergeable', patch };
  }
  return { kind: 'different' };
}

function comparable(
  object: KubernetesObject,
  { metadata: { namespace } }: KubernetesManifest,
  restore: Restore,
): KubernetesManifest {
  const manifest = withoutMarks(withRestoreLabels(resetMetadata(object), restore));
  return namespace === undefined
    ? manifest
    : { ...manifest, metadata: { ...manifest.metadata, namespace } };
}

/** An object without what a backup notes on a claim for its restore. */
function withoutMarks(manifest: KubernetesManifest): KubernetesManifest {
  return marks.reduce<KubernetesManifest>((result, path) => withoutValueAt(result, path), manifest);
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
