import { isJsonObject, type JsonObject, parseJson } from '../model/json.ts';
import type { PageBytes } from './page-memory.ts';

/** A list as the API server sent it, taken apart but for its items. */
export interface ListBytes {
  /** Its members other than `items`. */
  readonly envelope: JsonObject;
  /**
   * The text of each item, made when it is taken. Can be gone through once: memory is given back behind the reader, and all of it when the
   * loop is left.
   */
  readonly items: Iterable<string>;
}

const quote = 0x22;
const comma = 0x2c;
const openBracket = 0x5b;
const backslash = 0x5c;
const closeBracket = 0x5d;
const openBrace = 0x7b;
const closeBrace = 0x7d;

/**
 * Takes the JSON of a list apart without parsing its items, so that of a page one at a time is in memory as an object, and the others as
 * bytes. Whether an item is JSON shows when it is parsed. Bytes below 0x80 are characters of their own wherever they stand in UTF-8.
 *
 * @throws SyntaxError when it is no JSON object, as far as it was looked at; the memory is given back then.
 */
export function readListBytes(bytes: PageBytes): ListBytes {
  try {
    const parts = new ListParts(bytes);
    findParts(bytes, parts);
    return { envelope: parts.envelope(), items: textsOf(bytes, parts.items) };
  } catch (error) {
    bytes.release();
    throw error;
  }
}

function* textsOf(bytes: PageBytes, items: readonly number[]): Generator<string, void, undefined> {
  try {
    for (let index = 0; index < items.length; index += 2) {
      const [start = 0, end = 0] = [items[index], items[index + 1]];
      const text = bytes.text(start, end);
      bytes.release(end);
      yield text;
    }
  } finally {
    bytes.release();
  }
}

function findParts(bytes: PageBytes, parts: ListParts): void {
  let from = 0;
  let isInString = false;
  let isEscaped = false;
  for (const piece of bytes.pieces(0, bytes.sizeBytes)) {
    for (let index = 0; index < piece.length; index += 1) {
      const byte = piece[index];
      if (isInString) {
        if (isEscaped) {
          isEscaped = false;
        } else if (byte === backslash) {
          isEscaped = true;
        } else if (byte === quote) {
          isInString = false;
        }
      } else if (byte === quote) {
        isInString = true;
      } else if (byte === openBrace || byte === openBracket) {
        parts.open(byte === openBrace ? '{' : '[', from + index);
      } else if (byte === closeBrace || byte === closeBracket) {
        parts.close(from + index);
      } else if (byte === comma) {
        parts.divide(from + index);
      }
    }
    from += piece.length;
  }
}

/** Finds where the members of the list and its items begin and end. */
class ListParts {
  readonly #bytes: PageBytes;
  readonly #members: string[] = [];
  readonly #items: number[] = [];
  #depth = 0;
  #listStart = 0;
  #memberStart = 0;
  #itemStart: number | undefined;
  #isItems = false;

  constructor(bytes: PageBytes) {
    this.#bytes = bytes;
  }

  /** Where each item begins and ends, one after the other: pairs would be objects that live as long as the page. */
  get items(): readonly number[] {
    return this.#items;
  }

  open(bracket: '{' | '[', position: number): void {
    this.#depth += 1;
    if (this.#depth === 1 && bracket === '{') {
      if (this.#memberStart > 0) {
        throw new SyntaxError('there is more than one JSON object');
      }
      this.#listStart = position;
      this.#memberStart = position + 1;
    } else if (this.#depth === 2 && bracket === '[') {
      this.#isItems = /^\s*"items"\s*:\s*$/.test(this.#bytes.text(this.#memberStart, position));
      this.#itemStart = this.#isItems ? position + 1 : undefined;
    }
  }

  divide(position: number): void {
    if (this.#depth === 1) {
      this.#endMember(position);
    } else if (this.#depth === 2) {
      this.#endItem(position);
    }
  }

  close(position: number): void {
    this.#depth -= 1;
    if (this.#depth === 0) {
      this.#endMember(position);
    } else if (this.#depth === 1) {
      const rest = this.#bytes.text(this.#itemStart ?? position, position);
      if (this.#items.length > 0 || rest.trim() !== '') {
        this.#endItem(position);
      }
      this.#itemStart = undefined;
    }
  }

  /** The members of the list but for its items; throws SyntaxError when the list is no JSON object. */
  envelope(): JsonObject {
    // As the Encoding Standard has it: a byte order mark is no part of a text.
    const before = this.#bytes.text(0, this.#listStart).replace(/^\ufeff/, '');
    const behind = this.#bytes.text(this.#memberStart, this.#bytes.sizeBytes);
    const envelope = parseJson(`${before}{${this.#members.join(',')}}${behind}`);
    if (this.#depth !== 0 || this.#memberStart === 0 || !isJsonObject(envelope)) {
      throw new SyntaxError('the text is not a JSON object');
    }
    return envelope;
  }

  #endMember(end: number): void {
    if (!this.#isItems) {
      this.#members.push(this.#bytes.text(this.#memberStart, end));
    }
    this.#isItems = false;
    this.#memberStart = end + 1;
  }

  #endItem(end: number): void {
    if (this.#itemStart !== undefined) {
      this.#items.push(this.#itemStart, end);
      this.#itemStart = end + 1;
    }
  }
}
