import { isJsonArray, isJsonObject, isRawNumber, type JsonValue } from '../../model/json.ts';
import type { KubernetesObject } from '../../model/kubernetes.ts';

// What this module froze: such a value is shared as it is, so that a change copies only what it touches.
const frozenHere = new WeakSet<object>();

/** A deep copy that cannot be changed. Raw numbers and `__proto__` keys survive, `undefined` members are left out. */
export function frozenCopy(value: JsonValue): JsonValue {
  if (typeof value !== 'object' || value === null || isRawNumber(value) || frozenHere.has(value)) {
    return value;
  }
  const copy: JsonValue = isJsonArray(value)
    ? value.map(frozenCopy)
    : Object.fromEntries(
        Object.entries(value).flatMap(([key, member]) =>
          member === undefined ? [] : [[key, frozenCopy(member)]],
        ),
      );
  Object.freeze(copy);
  frozenHere.add(copy);
  return copy;
}

/**
 * A deep copy of an object that cannot be changed, so that neither the caller nor the table can alter what the other holds.
 *
 * @throws TypeError when the value lacks apiVersion, kind or metadata.name.
 */
export function frozenObject(value: JsonValue): KubernetesObject {
  const copy = frozenCopy(value);
  if (!isKubernetesObject(copy)) {
    throw new TypeError('A Kubernetes object needs apiVersion, kind and metadata.name');
  }
  return copy;
}

/** Whether a value has what every stored object has: apiVersion, kind and a name. */
export function isKubernetesObject(value: JsonValue | undefined): value is KubernetesObject {
  return (
    isJsonObject(value) &&
    typeof value['apiVersion'] === 'string' &&
    typeof value['kind'] === 'string' &&
    isJsonObject(value['metadata']) &&
    typeof value['metadata']['name'] === 'string'
  );
}
