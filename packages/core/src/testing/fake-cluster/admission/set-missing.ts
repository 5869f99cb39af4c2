import type { JsonObject, JsonValue } from '../../../model/json.ts';
import { arrayAt, type ObjectPath, valueAt, withValueAt } from '../../../model/object-path.ts';

/** A copy with values set where there are none. */
export function setMissing<T extends JsonObject>(
  object: T,
  values: readonly (readonly [ObjectPath, JsonValue])[],
): T {
  return values.reduce(
    (result, [path, value]) =>
      valueAt(result, path) === undefined ? withValueAt(result, path, value) : result,
    object,
  );
}

/** A copy with a finalizer, the same object when it has it already. */
export function withFinalizer<T extends JsonObject>(object: T, finalizer: string): T {
  const finalizers = arrayAt(object, ['metadata', 'finalizers']);
  return finalizers.includes(finalizer)
    ? object
    : withValueAt(object, ['metadata', 'finalizers'], [...finalizers, finalizer]);
}

/** A copy without a finalizer, the same object when it does not have it. */
export function withoutFinalizer<T extends JsonObject>(object: T, finalizer: string): T {
  const finalizers = arrayAt(object, ['metadata', 'finalizers']);
  return finalizers.includes(finalizer)
    ? withValueAt(
        object,
        ['metadata', 'finalizers'],
        finalizers.filter((name) => name !== finalizer),
      )
    : object;
}
