import { isJsonArray, parseJson } from '../model/json.ts';

/** Reads a command: a JSON list of texts, or else one program whose name is the whole text. There is no shell. */
export function parseHookCommand(text: string): readonly string[] {
  if (text.startsWith('[')) {
    try {
      const value = parseJson(text);
      if (isJsonArray(value) && value.length > 0) {
        const parts = value.filter((part) => typeof part === 'string');
        return parts.length === value.length ? parts : [text];
      }
    } catch {
      // Not JSON: a program, however strange its name.
    }
  }
  return [text];
}
