import {
  isJsonArray,
  isJsonObject,
  type JsonArray,
  type JsonObject,
  type JsonValue,
  jsonEquals,
} from '../../model/json.ts';
import { PatchFailure } from '../../model/patch-failure.ts';
import type { FieldMerge, MergeSchema } from './merge-keys.ts';
import { orderMerged } from './merged-list-order.ts';

const elementOrder = '$setElementOrder/';
const deletedElements = '$deleteFromPrimitiveList/';
// Other names with a dollar are fields: the schema of a definition has some.
const directive: RegExp = /^\$(?:patch$|retainKeys$|setElementOrder\/|deleteFromPrimitiveList\/)/;

/**
 * Applies a strategic merge patch: objects are merged, lists that have a merge key by that key, others replaced; `null` removes. The
 * directives are `$patch` (`replace`, `delete`), `$retainKeys`, `$setElementOrder/<list>` and `$deleteFromPrimitiveList/<list>`.
 *
 * @throws PatchFailure when an element lacks its merge key, or a directive is not one.
 */
export function applyStrategicMergePatch(
  target: JsonObject,
  patch: JsonObject,
  schema: MergeSchema,
): JsonObject {
  const { $patch: whole, $retainKeys: retained, ...fields } = patch;
  switch (whole) {
    case 'replace':
      return withoutDirectives(fields);
    case 'delete':
      return {};
    case undefined:
      return mergeFields(retainKeys(target, fields, retained), fields, schema);
    default:
      throw malformed(`$patch must be replace or delete, not ${JSON.stringify(whole)}`);
  }
}

function mergeFields(target: JsonObject, patch: JsonObject, schema: MergeSchema): JsonObject {
  const merged = new Map(Object.entries(target));
  for (const [field, value] of Object.entries(patch)) {
    if (directive.test(field) || value === undefined) {
      continue;
    }
    const present = merged.get(field);
    const rule = (Object.hasOwn(schema, field) ? schema[field] : undefined) ?? {};
    const order = patch[`${elementOrder}${field}`];
    const result = value === null ? undefined : mergeValue(present, value, rule, order);
    if (result === undefined) {
      merged.delete(field);
    } else {
      merged.set(field, result);
    }
  }
  return applyListDirectives(merged, patch, schema);
}

/** The value that a field has after the patch; `undefined` when a directive removes what is not there. */
function mergeValue(
  target: JsonValue | undefined,
  value: JsonValue,
  rule: FieldMerge,
  order: JsonValue | undefined,
): JsonValue | undefined {
  if (isJsonObject(value)) {
    if (isJsonObject(target) && rule.replace !== true) {
      return applyStrategicMergePatch(target, value, rule.fields ?? {});
    }
    return isDirective(value) ? undefined : withoutDirectives(value);
  }
  // A list that is not there yet is taken as it stands, though two elements have one key: a port of TCP, a port of UDP.
  if (!isJsonArray(value) || !isJsonArray(target) || (rule.key ?? rule.set) === undefined) {
    return plain(value);
  }
  return mergeList(target, value, rule, order);
}

function mergeList(
  target: JsonArray,
  patch: JsonArray,
  { key, fields = {} }: FieldMerge,
  order: JsonValue | undefined,
): JsonArray {
  const patches = patch.filter((element) => directiveOf(element) === undefined);
  if (patch.some((element) => directiveOf(element) === 'replace')) {
    return patches.map(plain);
  }
  const isSame = comparisonBy(key);
  const deleted = patch.filter((element) => directiveOf(element) === 'delete');
  const kept = target.filter((element) => !deleted.some((other) => isSame(element, other)));
  const merged = patches.reduce<JsonArray>((list, element) => {
    const index = list.findIndex((present) => isSame(present, element));
    const present = list[index];
    if (present === undefined) {
      return [...list, plain(element)];
    }
    return isJsonObject(element) && isJsonObject(present)
      ? list.with(index, applyStrategicMergePatch(present, element, fields))
      : list;
  }, kept);
  const patchOrder = isJsonArray(order) ? order : patches;
  return orderMerged({ merged, patchOrder, targetOrder: kept, isSame });
}

function comparisonBy(key: string | undefined): (left: JsonValue, right: JsonValue) => boolean {
  return (left, right) => jsonEquals(identityOf(left, key), identityOf(right, key));
}

/** What tells an element of a merged list apart: the value of its merge key, or the scalar itself. */
function identityOf(element: JsonValue, key: string | undefined): JsonValue {
  if (key === undefined) {
    return element;
  }
  const value = isJsonObject(element) && Object.hasOwn(element, key) ? element[key] : undefined;
  if (value === undefined) {
    throw malformed(`an element of the list lacks the merge key ${key}`);
  }
  return value;
}

/** Removes from lists of scalars, and orders lists that the patch does not change otherwise. */
function applyListDirectives(
  merged: Map<string, JsonValue | undefined>,
  patch: JsonObject,
  schema: MergeSchema,
): JsonObject {
  for (const [name, value] of Object.entries(patch)) {
    const field = name.slice(name.indexOf('/') + 1);
    const list = merged.get(field);
    if (name.startsWith(deletedElements)) {
      const removed = listOf(name, value);
      if (isJsonArray(list)) {
        const isRemoved = (element: JsonValue): boolean =>
          removed.some((other) => jsonEquals(element, other));
        merged.set(
          field,
          list.filter((element) => !isRemoved(element)),
        );
      }
    } else if (name.startsWith(elementOrder)) {
      const patchOrder = listOf(name, value);
      if (isJsonArray(list) && patch[field] === undefined) {
        const rule = Object.hasOwn(schema, field) ? schema[field] : undefined;
        const isSame = comparisonBy(rule?.key);
        merged.set(field, orderMerged({ merged: list, patchOrder, targetOrder: list, isSame }));
      }
    }
  }
  return Object.fromEntries(merged);
}

function retainKeys(
  target: JsonObject,
  fields: JsonObject,
  retained: JsonValue | undefined,
): JsonObject {
  if (retained === undefined) {
    return target;
  }
  const keys = new Set(listOf('$retainKeys', retained));
  const missing = Object.keys(fields).find(
    (field) => !directive.test(field) && fields[field] !== null && !keys.has(field),
  );
  if (missing !== undefined) {
    throw malformed(`$retainKeys must name ${missing}, which the patch sets`);
  }
  return Object.fromEntries(Object.entries(target).filter(([field]) => keys.has(field)));
}

function directiveOf(element: JsonValue): 'replace' | 'delete' | undefined {
  const value = isJsonObject(element) ? element['$patch'] : undefined;
  if (value !== undefined && value !== 'replace' && value !== 'delete') {
    throw malformed(`$patch must be replace or delete, not ${JSON.stringify(value)}`);
  }
  return value;
}

/** A value that nothing is merged into: its directives have nothing to do, its nulls nothing to remove. */
function plain(value: JsonValue): JsonValue {
  if (isJsonArray(value)) {
    return value.filter((element) => directiveOf(element) === undefined).map(plain);
  }
  return isJsonObject(value) ? withoutDirectives(value) : value;
}

function withoutDirectives(object: JsonObject): JsonObject {
  return Object.fromEntries(
    Object.entries(object).flatMap(([field, value]) =>
      directive.test(field) || value === undefined || value === null || isDirective(value)
        ? []
        : [[field, plain(value)]],
    ),
  );
}

function isDirective(value: JsonValue): boolean {
  return isJsonObject(value) && value['$patch'] !== undefined;
}

function listOf(name: string, value: JsonValue | undefined): JsonArray {
  if (!isJsonArray(value)) {
    throw malformed(`${name} must be a list`);
  }
  return value;
}

function malformed(message: string): PatchFailure {
  return new PatchFailure(message, 'Malformed');
}
