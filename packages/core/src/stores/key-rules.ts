import { ObjectStoreError } from '../errors.ts';

const longestKeyBytes = 1_024;

/**
 * Checks that a key is one that every store can hold: relative, up to 1,024 bytes of UTF-8, no empty, `.` or `..` component,
 * no control character.
 *
 * @throws {ObjectStoreError} code InvalidConfig, naming the rule.
 */
export function assertValidKey(key: string, operation: string): void {
  const rule = brokenRule(key, key.split('/'));
  if (rule !== undefined) {
    throw invalid('key', key, rule, operation);
  }
}

/**
 * Checks that a prefix is `''` or a valid key followed by `/`.
 *
 * @throws {ObjectStoreError} code InvalidConfig, naming the rule.
 */
export function assertValidPrefix(prefix: string, operation: string): void {
  if (prefix === '') {
    return;
  }
  const rule = prefix.endsWith('/')
    ? brokenRule(prefix, prefix.slice(0, -1).split('/'))
    : 'has to end with "/"';
  if (rule !== undefined) {
    throw invalid('prefix', prefix, rule, operation);
  }
}

/** Whether {@link assertValidKey} accepts a key. */
export function isValidKey(key: string): boolean {
  return brokenRule(key, key.split('/')) === undefined;
}

function brokenRule(text: string, components: readonly string[]): string | undefined {
  if (Buffer.byteLength(text) > longestKeyBytes) {
    return `is longer than ${longestKeyBytes} bytes`;
  }
  if (!text.isWellFormed() || /\p{Cc}/u.test(text)) {
    return 'has a character that no store can hold';
  }
  if (components.includes('')) {
    return 'is absolute or has an empty component';
  }
  return components.includes('.') || components.includes('..')
    ? 'has a component "." or ".."'
    : undefined;
}

function invalid(what: string, text: string, rule: string, operation: string): ObjectStoreError {
  return new ObjectStoreError(`${operation}: the ${what} ${JSON.stringify(text)} ${rule}`, {
    code: 'InvalidConfig',
    operation,
    target: text,
  });
}
