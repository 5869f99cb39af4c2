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
  const members: string[] = [];
  const items: string[] = [];
  let depth = 0;
  let start = 0;
  let itemStart: number | undefined;
  let endsItems = false;
  const endMember = (end: number): void => {
    if (!endsItems) {
      members.push(text.slice(start, end));
    }
    endsItems = false;
    start = end + 1;
  };
  const endItem = (end: number): void => {
    items.push(text.slice(itemStart, end));
    itemStart = end + 1;
  };
  for (let index = 0; index < text.length; index += 1) {
    switch (text[index]) {
      case '"':
        index = endOfString(text, index);
        break;
      case '{':
        depth += 1;
        start = depth === 1 ? index + 1 : start;
        break;
      case '[':
        depth += 1;
        if (depth === 2 && /^\s*"items"\s*:\s*$/.test(text.slice(start, index))) {
          itemStart = index + 1;
        }
        break;
      case ',':
        if (depth === 1) {
          endMember(index);
        } else if (depth === 2 && itemStart !== undefined) {
          endItem(index);
        }
        break;
      case '}':
      case ']':
        depth -= 1;
        if (depth === 1 && itemStart !== undefined) {
          if (items.length > 0 || text.slice(itemStart, index).trim() !== '') {
            endItem(index);
          }
          itemStart = undefined;
          endsItems = true;
        } else if (depth === 0) {
          endMember(index);
        }
        break;
    }
  }
  const before = text.slice(0, text.indexOf('{'));
  const envelope = parseJson(`${before}{${members.join(',')}}${text.slice(start)}`);
  if (depth !== 0 || start === 0 || !isJsonObject(envelope)) {
    throw new SyntaxError('the text is not a JSON object');
  }
  return { envelope, items };
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
