import { isJsonObject, type JsonObject, parseJson } from '../model/json.ts';

/** A list as the API server sent it, taken apart but for its items. */
export interface ListText {
  /** Its members other than `items`. */
  readonly envelope: JsonObject;
  /** The text of each item. */
  readonly items: readonly string[];
}

/**
 * Takes the JSON text of a list apart without parsing its items, so that of a page one at a time is in memory as an object. Whether an
 * item is JSON shows when it is parsed.
 *
 * @throws SyntaxError when the text is no JSON object, as far as it was looked at.
 */
export function readListText(text: string): ListText {
  const parts = new ListParts(text);
  for (let index = 0; index < text.length; index += 1) {
    const character = text[index];
    if (character === '"') {
      index = endOfString(text, index);
    } else if (character === '{' || character === '[') {
      parts.open(character, index);
    } else if (character === '}' || character === ']') {
      parts.close(index);
    } else if (character === ',') {
      parts.divide(index);
    }
  }
  return parts.whole();
}

/** Finds where the members of the list and its items begin and end. */
class ListParts {
  readonly #text: string;
  readonly #members: string[] = [];
  readonly #items: string[] = [];
  #depth = 0;
  #memberStart = 0;
  #itemStart: number | undefined;
  #isItems = false;

  constructor(text: string) {
    this.#text = text;
  }

  open(bracket: '{' | '[', index: number): void {
    this.#depth += 1;
    if (this.#depth === 1 && bracket === '{') {
      this.#memberStart = index + 1;
    } else if (this.#depth === 2 && bracket === '[') {
      this.#isItems = /^\s*"items"\s*:\s*$/.test(this.#text.slice(this.#memberStart, index));
      this.#itemStart = this.#isItems ? index + 1 : undefined;
    }
  }

  divide(index: number): void {
    if (this.#depth === 1) {
      this.#endMember(index);
    } else if (this.#depth === 2) {
      this.#endItem(index);
    }
  }

  close(index: number): void {
    this.#depth -= 1;
    if (this.#depth === 0) {
      this.#endMember(index);
    } else if (this.#depth === 1) {
      const isEmpty = this.#text.slice(this.#itemStart ?? index, index).trim() === '';
      if (this.#items.length > 0 || !isEmpty) {
        this.#endItem(index);
      }
      this.#itemStart = undefined;
    }
  }

  whole(): ListText {
    const before = this.#text.slice(0, this.#text.indexOf('{'));
    const members = this.#members.join(',');
    const envelope = parseJson(`${before}{${members}}${this.#text.slice(this.#memberStart)}`);
    if (this.#depth !== 0 || this.#memberStart === 0 || !isJsonObject(envelope)) {
      throw new SyntaxError('the text is not a JSON object');
    }
    return { envelope, items: this.#items };
  }

  #endMember(end: number): void {
    if (!this.#isItems) {
      this.#members.push(this.#text.slice(this.#memberStart, end));
    }
    this.#isItems = false;
    this.#memberStart = end + 1;
  }

  #endItem(end: number): void {
    if (this.#itemStart !== undefined) {
      this.#items.push(this.#text.slice(this.#itemStart, end));
      this.#itemStart = end + 1;
    }
  }
}

/** Where the string that begins at a quote ends. */
function endOfString(text: string, start: number): number {
  for (let end = text.indexOf('"', start + 1); end >= 0; end = text.indexOf('"', end + 1)) {
    let backslashes = 0;
    while (text[end - 1 - backslashes] === '\\') {
      backslashes += 1;
    }
    if (backslashes % 2 === 0) {
      return end;
    }
  }
  return text.length;
}
