import { type JsonObject, jsonEquals } from '../../../model/json.ts';
import type { KubernetesObject } from '../../../model/kubernetes.ts';
import {
  objectAt,
  objectsAt,
  stringAt,
  withoutValueAt,
  withValueAt,
} from '../../../model/object-path.ts';
import {
  changedFields,
  describeField,
  differenceOf,
  type FieldSet,
  isLeaf,
  keepLeaves,
  unionOf,
} from './field-set.ts';

/** Who changes an object, and how. */
export interface FieldManager {
  readonly name: string;
  readonly operation: 'Update' | 'Apply';
  /** RFC 3339. */
  readonly time: string;
  /** Whether `status` belongs to a subresource of its own. */
  readonly statusApart: boolean;
}

/** One entry of `metadata.managedFields`. */
export interface ManagedFieldsEntry {
  readonly manager: string;
  readonly operation: string;
  readonly subresource: string | undefined;
  readonly fields: FieldSet;
  readonly entry: JsonObject;
}

/** Who owns which fields of an object. */
export function managedFieldsOf(object: JsonObject): readonly ManagedFieldsEntry[] {
  return objectsAt(object, ['metadata', 'managedFields']).map((entry) => ({
    manager: stringAt(entry, ['manager']) ?? '',
    operation: stringAt(entry, ['operation']) ?? '',
    subresource: stringAt(entry, ['subresource']),
    fields: objectAt(entry, ['fieldsV1']) ?? {},
    entry,
  }));
}

/** Gives the fields that an update changed to its manager, and takes them from the others. */
export function recordUpdate(
  object: KubernetesObject,
  before: KubernetesObject | undefined,
  manager: FieldManager,
): KubernetesObject {
  const changed = changedFields(object, before ?? {});
  const { 'f:status': status, ...rest } = changed;
  if (!manager.statusApart || status === undefined) {
    return recordFields(object, changed, manager, undefined);
  }
  return recordFields(
    recordFields(object, rest, manager, undefined),
    { 'f:status': status },
    manager,
    'status',
  );
}

/**
 * Sets what a manager owns: for an apply all that it applied, for an update what it changed in addition. An update takes
 * its fields from the others, an apply only those that were taken by force, named as messages name them.
 */
export function recordFields(
  object: KubernetesObject,
  fields: FieldSet,
  manager: FieldManager,
  subresource: string | undefined,
  takenByForce: readonly string[] = [],
): KubernetesObject {
  const entries = managedFieldsOf(object);
  const isOwn = (entry: ManagedFieldsEntry): boolean =>
    entry.manager === manager.name &&
    entry.operation === manager.operation &&
    entry.subresource === subresource;
  const own = entries.find(isOwn);
  const replaces = manager.operation === 'Apply';
  if (isLeaf(fields) && !(replaces && own !== undefined)) {
    return object;
  }
  if (
    replaces &&
    own !== undefined &&
    takenByForce.length === 0 &&
    jsonEquals(own.fields, fields)
  ) {
    return object;
  }
  const others = entries
    .filter((entry) => !isOwn(entry))
    .flatMap(({ entry, fields: theirs }) => {
      const kept = replaces
        ? keepLeaves(theirs, (path) => !takenByForce.includes(describeField(path)))
        : differenceOf(theirs, fields);
      return isLeaf(kept) ? [] : [withValueAt(entry, ['fieldsV1'], kept)];
    });
  const owned = replaces || own === undefined ? fields : unionOf(own.fields, fields);
  const mine: JsonObject = {
    apiVersion: object.apiVersion,
    fieldsType: 'FieldsV1',
    fieldsV1: owned,
    manager: manager.name,
    operation: manager.operation,
    ...(subresource !== undefined && { subresource }),
    time: manager.time,
  };
  const all = isLeaf(owned) ? others : [...others, mine];
  return all.length === 0
    ? withoutValueAt(object, ['metadata', 'managedFields'])
    : withValueAt(object, ['metadata', 'managedFields'], all);
}
