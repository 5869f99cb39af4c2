import { type JsonValue, parseJson } from './json.ts';

/** How large a document may be, so that what comes of it fits into memory. */
export interface JsonLimits {
  /** How deep lists and objects may lie in each other. @default 500 */
  readonly maximumDepth?: number | undefined;
  /** Members of all lists and objects together. @default 1000000 */
  readonly maximumValues?: number | undefined;
}

const defaultDepth = 500;
const defaultValues = 1_000_000;
/** The shortest that a value takes in a document, with its comma or its closing bracket. */
const charactersPerValue = 2;

/**
 * Parses JSON that anybody may have written, as {@link parseJson} does.
 *
 * The parser itself takes a document of any depth, but what it then returns overflows the stack of whatever walks through it, from some
 * 2,000 levels on; and `{}` becomes twenty times as large in memory. Objects of Kubernetes have some 50 levels at most.
 *
 * @throws SyntaxError when the text is not JSON, or exceeds a limit. Its message holds nothing of the text, which may be a Secret.
 */
export function parseUntrustedJson(
  text: string,
  { maximumDepth = defaultDepth, maximumValues = defaultValues }: JsonLimits = {},
): JsonValue {
  if (mayExceed(text, maximumDepth, maximumValues)) {
    assertWithin(text, maximumDepth, maximumValues);
  }
  try {
    return parseJson(text);
  } catch {
    // The parser's own message quotes the text.
    throw new SyntaxError('it is not JSON');
  }
}

// Cheap, and true of hardly any object, so that only what is suspicious is scanned character by character.
function mayExceed(text: string, maximumDepth: number, maximumValues: number): boolean {
  return (
    text.length > charactersPerValue * maximumValues ||
    (text.length > charactersPerValue * maximumDepth &&
      countUpTo(maximumDepth, text, '{') + countUpTo(maximumDepth, text, '[') > maximumDepth)
  );
}

function countUpTo(limit: number, text: string, character: string): number {
  let count = 0;
  for (
    let at = text.indexOf(character);
    at >= 0 && count <= limit;
    at = text.indexOf(character, at + 1)
  ) {
    count += 1;
  }
  return count;
}

function assertWithin(text: string, maximumDepth: number, maximumValues: number): void {
  let depth = 0;
  let values = 1;
  for (let at = 0; at < text.length; at += 1) {
    const character = text[at];
    if (character === '"') {
      at = endOfString(text, at);
    } else if (character === '{' || character === '[') {
      depth += 1;
      values += 1;
    } else if (character === '}' || character === ']') {
      depth -= 1;
    } else if (character === ',') {
      values += 1;
    }
    if (depth > maximumDepth) {
      throw new SyntaxError(`it is nested deeper than ${maximumDepth} levels`);
    }
    if (values > maximumValues) {
      throw new SyntaxError(`it holds more than ${maximumValues} values`);
    }
  }
}

/** Where a string ends that begins at a place: its quote, or the end of the text. */
function endOfString(text: string, start: number): number {
  for (let at = start + 1; at < text.length; at += 1) {
    const character = text[at];
    if (character === '"') {
      return at;
    }
    if (character === '\\') {
      at += 1;
    }
  }
  return text.length;
}
