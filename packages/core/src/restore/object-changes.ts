import { ValidationError, type Violation } from '../errors.ts';
import type { StringMap } from '../model/kubernetes.ts';
import type { ResourceModifiers } from '../model/resource-modifiers.ts';
import type { Restore } from '../model/restore.ts';
import type { Cluster } from '../ports/cluster.ts';
import type { RestoreItemAction } from '../ports/item-action.ts';
import { createChangeClaimNameAction } from './actions/change-claim-name.ts';
import { createChangeImageNameAction } from './actions/change-image-name.ts';
import { createChangeNodeAction } from './actions/change-node.ts';
import { createChangeStorageClassAction } from './actions/change-storage-class.ts';
import type { BackupContents } from './backup-contents.ts';
import { claimNameViolations } from './claim-name-rules.ts';
import { findMappings, type Mappings } from './mapping/find-mappings.ts';
import { storageClassViolations } from './mapping/storage-class-violations.ts';
import { findResourceModifiers } from './modifiers/find-resource-modifiers.ts';
import { createModifierStep } from './modifiers/modifier-step.ts';
import type { ObjectChangeOptions } from './object-change-options.ts';
import type { PreparationStep } from './prepare-item.ts';
import type { RestoreTransform } from './restore-transform.ts';
import { createTransformStep } from './transform-step.ts';

/** What a restore was asked to change about objects, read and checked. */
export interface ObjectChanges {
  readonly mappings: Mappings;
  /** `<namespace>/<name>` of a claim in the backup → its name in the target. */
  readonly claimNames: StringMap;
  readonly modifiers: ResourceModifiers | undefined;
  readonly transforms: readonly RestoreTransform[];
}

/** What {@link findObjectChanges} works with. */
export interface ObjectChangeSource {
  readonly cluster: Cluster;
  readonly restore: Restore;
  readonly options: ObjectChangeOptions;
  readonly signal: AbortSignal | undefined;
}

/**
 * Finds out what a restore is to change about objects: from its options, and from the ConfigMaps that it names.
 *
 * @throws {ValidationError} with everything that is wrong with it.
 * @throws {ClusterError} when a ConfigMap cannot be read.
 */
export async function findObjectChanges(source: ObjectChangeSource): Promise<ObjectChanges> {
  const { cluster, restore, options, signal } = source;
  const { transforms = [], claimNameMapping: claimNames = {} } = options;
  const { namespace = 'velero' } = restore.metadata;
  const place = { cluster, namespace, signal };
  const given = options.resourceModifiers;
  const modifiers = await findResourceModifiers({ ...place, spec: restore.spec, given });
  const mappings = await findMappings(options, place);
  const violations = [
    ...(modifiers.violations ?? []),
    ...(mappings.violations ?? []),
    ...transformRules(transforms),
    ...claimNameViolations(claimNames),
  ];
  if (
    modifiers.violations !== undefined ||
    mappings.violations !== undefined ||
    violations.length > 0
  ) {
    throw new ValidationError('restore', violations);
  }
  return { mappings: mappings.mappings, claimNames, modifiers: modifiers.modifiers, transforms };
}

/**
 * Checks what needs to be known of backup and target, before anything is touched.
 *
 * @throws {ValidationError} when a StorageClass is mapped to one that there will not be.
 * @throws {ClusterError} when the StorageClasses cannot be listed.
 */
export async function checkObjectChanges(
  { mappings }: ObjectChanges,
  contents: BackupContents,
  cluster: Cluster,
  signal: AbortSignal,
): Promise<void> {
  const { storageClasses } = mappings;
  const violations = await storageClassViolations(storageClasses, contents, cluster, { signal });
  if (violations.length > 0) {
    throw new ValidationError('restore', violations);
  }
}

/** The item actions that carry out mappings. */
export function mappingActions({
  mappings,
  claimNames,
}: ObjectChanges): readonly RestoreItemAction[] {
  const { storageClasses, images, nodes } = mappings;
  return [
    ...(isEmpty(storageClasses) ? [] : [createChangeStorageClassAction(storageClasses)]),
    ...(isEmpty(images) ? [] : [createChangeImageNameAction(images)]),
    ...(isEmpty(claimNames) ? [] : [createChangeClaimNameAction(claimNames)]),
    ...(isEmpty(nodes) ? [] : [createChangeNodeAction(nodes)]),
  ];
}

/** The steps that come after the item actions. */
export function objectChangeSteps({
  modifiers,
  transforms,
}: ObjectChanges): readonly PreparationStep[] {
  return [
    ...(modifiers === undefined ? [] : [createModifierStep(modifiers)]),
    ...transforms.map(createTransformStep),
  ];
}

// A caller without types can give anything.
function transformRules(transforms: readonly unknown[]): readonly Violation[] {
  return transforms.flatMap((transform, index) =>
    typeof transform === 'function'
      ? []
      : [{ path: `options.transforms[${index}]`, rule: 'must be a function' }],
  );
}

function isEmpty(mapping: object): boolean {
  return Object.keys(mapping).length === 0;
}
