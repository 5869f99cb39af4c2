import {
  isJsonArray,
  isJsonObject,
  type JsonObject,
  type JsonValue,
  jsonEquals,
} from '../../../model/json.ts';
import type { KubernetesObject } from '../../../model/kubernetes.ts';
import { objectAt } from '../../../model/object-path.ts';
import { describeField, type FieldSet, fieldsOf, hasField, leavesOf, read } from './field-set.ts';
import { managedFieldsOf } from './managed-fields.ts';

/** A field that an apply would change although another manager owns it. */
export interface ApplyConflict {
  readonly manager: string;
  /** `.data.color` */
  readonly field: string;
}

/** What applying a manifest comes to. */
export interface AppliedObject {
  /** The object with the manifest applied; its managed fields are as before. */
  readonly object: JsonObject;
  /** What the manifest sets. */
  readonly fields: FieldSet;
  readonly conflicts: readonly ApplyConflict[];
}

/**
 * Applies a whole manifest to a live object as server-side apply does, lists taken as a whole: what the manifest sets is
 * set, what its manager applied before and the manifest no longer has is removed unless someone else owns it too.
 */
export function applyManifest(
  live: KubernetesObject,
  manifest: JsonObject,
  manager: string,
  subresource: string | undefined,
): AppliedObject {
  const fields = fieldsOf(manifest);
  const entries = managedFieldsOf(live);
  const own = entries.find(
    (entry) =>
      entry.manager === manager && entry.operation === 'Apply' && entry.subresource === subresource,
  );
  const others = entries.filter((entry) => entry !== own);
  const conflicts = leavesOf(fields)
    .filter((path) => !jsonEquals(read(live, path), read(manifest, path)))
    .flatMap((path) =>
      others
        .filter((entry) => hasField(entry.fields, path) && entry.manager !== manager)
        .map((entry) => ({ manager: entry.manager, field: describeField(path) })),
    );
  const dropped = leavesOf(own?.fields ?? {}).filter(
    (path) => !hasField(fields, path) && !others.some((entry) => hasField(entry.fields, path)),
  );
  const pruned = dropped.reduce<JsonValue>(withoutField, live);
  return { object: merge(isJsonObject(pruned) ? pruned : live, manifest), fields, conflicts };
}

function merge(live: JsonObject, manifest: JsonObject, name = ''): JsonObject {
  const merged = new Map(Object.entries(live));
  for (const [key, value] of Object.entries(manifest)) {
    const known = merged.get(key);
    if (value === undefined) {
      continue;
    }
    if (isJsonObject(known) && isJsonObject(value)) {
      merged.set(key, merge(known, value, key));
    } else if (
      name === 'metadata' &&
      key === 'finalizers' &&
      isJsonArray(known) &&
      isJsonArray(value)
    ) {
      merged.set(key, [...new Set([...known, ...value])]);
    } else {
      merged.set(key, value);
    }
  }
  return Object.fromEntries(merged);
}

function withoutField(value: JsonValue, [key, ...rest]: readonly string[]): JsonValue {
  if (key === undefined) {
    return value;
  }
  if (key.startsWith('v:')) {
    return isJsonArray(value)
      ? value.filter((member) => JSON.stringify(member) !== key.slice(2))
      : value;
  }
  const name = key.slice(2);
  const member = isJsonObject(value) ? objectMember(value, name) : undefined;
  if (!isJsonObject(value) || member === undefined) {
    return value;
  }
  const kept = Object.entries(value).filter(([other]) => other !== name);
  return Object.fromEntries(
    rest.length === 0 ? kept : [...kept, [name, withoutField(member, rest)]],
  );
}

function objectMember(value: JsonObject, name: string): JsonValue | undefined {
  return objectAt(value, [name]) ?? (Object.hasOwn(value, name) ? value[name] : undefined);
}
