const longestExcerpt = 200;

/** A text of somebody else's for use inside a message: quoted, and cut when it is long. */
export function excerptOf(text: string): string {
  return text.length <= longestExcerpt
    ? JSON.stringify(text)
    : `${JSON.stringify(text.slice(0, longestExcerpt))}… (${text.length} characters)`;
}
