import { LineCounter, parseDocument, visit } from 'yaml';
import { messageOf, type Violation } from '../errors.ts';
import { type JsonValue, parseJson } from '../model/json.ts';

// Reading blocks the process, so a hostile text must not be long. A ConfigMap could hold eight times as much.
const longestText = 131_072;
// As many as a document that is written by hand can need; a text that multiplies itself by them is refused.
const maxAliasCount = 100;

/** The JSON that a YAML text stands for, or why it is refused. */
export type ParsedYaml =
  | { readonly value: JsonValue; readonly violations?: undefined }
  | { readonly violations: readonly Violation[] };

/**
 * Reads the YAML text of a ConfigMap or option, whose place in the request is `path`. Text that is too long, has a key twice in
 * one map, uses tags, or grows out of proportion by its aliases is refused; what it says is not checked.
 */
export function parseYaml(path: string, text: string): ParsedYaml {
  const refuse = (rule: string): ParsedYaml => ({ violations: [{ path, rule }] });
  if (text.length > longestText) {
    return refuse(`must not be longer than ${longestText} characters`);
  }
  const lineCounter = new LineCounter();
  const document = parseDocument(text, {
    logLevel: 'error',
    schema: 'core',
    // The parser takes a time by the square of their number for repeated keys, and for the lines of its errors.
    uniqueKeys: false,
    prettyErrors: false,
    lineCounter,
  });
  const [problem] = [...document.errors, ...document.warnings];
  if (problem !== undefined) {
    const { line, col } = lineCounter.linePos(problem.pos[0]);
    return refuse(`must be YAML: ${problem.message} at line ${line}, column ${col}`);
  }
  const repeated = repeatedKey(document);
  if (repeated !== undefined) {
    return refuse(`must be YAML with each key once: ${JSON.stringify(repeated)} is repeated`);
  }
  try {
    return { value: parseJson(JSON.stringify(document.toJS({ maxAliasCount }) ?? null)) };
  } catch (error) {
    return refuse(`must be YAML: ${messageOf(error)}`);
  }
}

function repeatedKey(document: Parameters<typeof visit>[0]): string | undefined {
  let repeated: string | undefined;
  visit(document, {
    Map(_key, { items }) {
      const seen = new Set<string>();
      for (const { key } of items) {
        const name = String(key);
        if (seen.has(name)) {
          repeated = name;
          return visit.BREAK;
        }
        seen.add(name);
      }
      return undefined;
    },
  });
  return repeated;
}
