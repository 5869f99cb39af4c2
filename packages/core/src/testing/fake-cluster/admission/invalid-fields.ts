import type { InvalidField } from '../../../errors.ts';
import type { JsonValue } from '../../../model/json.ts';

/** A field that must be there and is not. */
export function required(field: string, detail = ''): InvalidField {
  const message = detail === '' ? 'Required value' : `Required value: ${detail}`;
  return { field, reason: 'FieldValueRequired', message };
}

/** A field with a value that is not allowed. */
export function invalid(field: string, value: JsonValue | undefined, detail: string): InvalidField {
  return {
    field,
    reason: 'FieldValueInvalid',
    message: `Invalid value: ${JSON.stringify(value ?? null)}: ${detail}`,
  };
}

/** A field that is not allowed here at all. */
export function forbidden(field: string, detail: string): InvalidField {
  return { field, reason: 'FieldValueForbidden', message: `Forbidden: ${detail}` };
}

/** A field whose value is not one of a closed set. */
export function unsupported(
  field: string,
  value: JsonValue | undefined,
  supported: readonly string[],
): InvalidField {
  const values = supported.map((name) => JSON.stringify(name)).join(', ');
  return {
    field,
    reason: 'FieldValueNotSupported',
    message: `Unsupported value: ${JSON.stringify(value ?? null)}: supported values: ${values}`,
  };
}
