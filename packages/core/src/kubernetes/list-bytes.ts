import type { BlockBytes } from '../internal/block-memory.ts';
import { isJsonObject, type JsonObject, parseJson } from '../model/json.ts';

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

// From this length on, to have the end of a string looked for takes less than to look at each of its bytes.
const shortStringBytes = 32;
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
export function readListBytes(bytes: BlockBytes): ListBytes {
  try {
    const parts = new ListParts(bytes);
    findParts(bytes, parts);
    return { envelope: parts.envelope(), items: textsOf(bytes, parts) };
  } catch (error) {
    bytes.release();
    throw error;
  }
}

function* textsOf(
  bytes: BlockBytes,
  { itemsStart, itemEnds }: ListParts,
): Generator<string, void, undefined> {
  try {
    let start = itemsStart;
    for (const end of itemEnds) {
      const text = bytes.text(start, end);
      bytes.release(end);
      yield text;
      start = end + 1;
    }
  } finally {
    bytes.release();
  }
}

function findParts(bytes: BlockBytes, parts: ListParts): void {
  let from = 0;
  let index = 0;
  let isInString = false;
  for (const piece of bytes.pieces(0, bytes.sizeBytes)) {
    while (index < piece.length) {
      if (isInString) {
        index = endOfString(piece, index);
        isInString = index >= piece.length;
        index += isInString ? 0 : 1;
        continue;
      }
      const byte = piece[index];
      if (byte === quote) {
        isInString = true;
      } else if (byte === openBrace || byte === openBracket) {
        parts.open(byte === openBrace ? '{' : '[', from + index);
      } else if (byte === closeBrace || byte === closeBracket) {
        parts.close(from + index);
      } else if (byte === comma) {
        parts.divide(from + index);
      }
      index += 1;
    }
    from += piece.length;
    // A byte that the last one of this piece escapes is passed over.
    index -= piece.length;
  }
}

/**
 * Where the quote is that ends a string which goes on at a position. When it does not end in the piece: where it goes on in the next one,
 * as a position behind the piece.
 */
function endOfString(piece: Buffer, start: number): number {
  let at = start;
  for (const near = Math.min(start + shortStringBytes, piece.length); at < near; at += 1) {
    const byte = piece[at];
    if (byte === quote) {
      return at;
    }
    if (byte === backslash) {
      at += 1;
    }
  }
  let end = piece.indexOf(quote, at);
  while (end >= 0 && backslashesBefore(piece, end, at) % 2 === 1) {
    end = piece.indexOf(quote, end + 1);
  }
  return end < 0
    ? Math.max(at, piece.length + (backslashesBefore(piece, piece.length, at) % 2))
    : end;
}

function backslashesBefore(piece: Buffer, end: number, start: number): number {
  let first = end;
  while (first > start && piece[first - 1] === backslash) {
    first -= 1;
  }
  return end - first;
}

/** Finds where the members of the list and its items begin and end. */
class ListParts {
  readonly #bytes: BlockBytes;
  readonly #members: string[] = [];
  #depth = 0;
  #listStart = 0;
  #memberStart = 0;
  #itemsStart = 0;
  #itemsEnd = 0;
  #itemEnds: number[] = [];
  /** Whether the member at hand is `items`, and whether its array is open. */
  #isItems = false;
  #isInItems = false;

  constructor(bytes: BlockBytes) {
    this.#bytes = bytes;
  }

  /** Where the first item begins; each other one does behind the comma that ends the one before. */
  get itemsStart(): number {
    return this.#itemsStart;
  }

  /** Where each item ends. */
  get itemEnds(): readonly number[] {
    return this.#itemEnds;
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
      this.#isInItems = this.#isItems;
      if (this.#isItems) {
        this.#itemsStart = position + 1;
        this.#itemEnds = [];
      }
    }
  }

  divide(position: number): void {
    if (this.#depth === 1) {
      this.#endMember(position);
    } else if (this.#depth === 2 && this.#isInItems) {
      this.#itemEnds.push(position);
    }
  }

  close(position: number): void {
    this.#depth -= 1;
    if (this.#depth === 0) {
      this.#endMember(position);
    } else if (this.#depth === 1 && this.#isInItems) {
      if (this.#itemEnds.length > 0 || !this.#isBlank(this.#itemsStart, position)) {
        this.#itemEnds.push(position);
      }
      this.#itemsEnd = position + 1;
      this.#isInItems = false;
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
    } else if (!this.#isBlank(this.#itemsEnd, end)) {
      throw new SyntaxError('there is more than an array in "items"');
    }
    this.#isItems = false;
    this.#memberStart = end + 1;
  }

  #isBlank(start: number, end: number): boolean {
    return this.#bytes.text(start, end).trim() === '';
  }
}
