import { RE2JS } from 're2js';
import { messageOf } from '../../errors.ts';

// Compiling takes a time by the length of the pattern; matching one, by the length of the name besides, whatever the pattern.
const longestPattern = 1_000;

/** A compiled pattern, or why there is none. */
export type NamePattern =
  | { readonly matches: (name: string) => boolean; readonly problem?: undefined }
  | { readonly problem: string };

/**
 * Compiles a regular expression of Go's syntax (RE2), in which Velero's rules are written: unanchored, without look-around and
 * backreferences, and matched in linear time, so that no pattern can block the process.
 */
export function compileNamePattern(pattern: string): NamePattern {
  if (pattern.length > longestPattern) {
    return { problem: `must not be longer than ${longestPattern} characters` };
  }
  try {
    const expression = RE2JS.compile(pattern);
    return { matches: (name) => expression.test(name) };
  } catch (error) {
    return { problem: `must be a regular expression of Go's syntax: ${messageOf(error)}` };
  }
}
