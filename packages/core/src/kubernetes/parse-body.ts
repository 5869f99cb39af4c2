import { type JsonValue, parseJson } from '../model/json.ts';

/** Parses a body that may be anything: `undefined` when it is not JSON. */
export function parseBody(text: string): JsonValue | undefined {
  try {
    return parseJson(text);
  } catch {
    return undefined;
  }
}
