import { isJsonObject, type JsonValue } from './json.ts';

/** Applies a JSON merge patch (RFC 7396): objects are merged, `null` removes, anything else replaces. */
export function applyMergePatch(target: JsonValue | undefined, patch: JsonValue): JsonValue {
  if (!isJsonObject(patch)) {
    return patch;
  }
  const merged = new Map(Object.entries(isJsonObject(target) ? target : {}));
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) {
      merged.delete(key);
    } else if (value !== undefined) {
      merged.set(key, applyMergePatch(merged.get(key), value));
    }
  }
  return Object.fromEntries(merged);
}
