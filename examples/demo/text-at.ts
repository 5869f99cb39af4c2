/** Reads a text deep inside an object; `undefined` where there is none. Objects of the cluster are raw JSON, as it sent them. */
export function textAt(object: unknown, ...path: readonly string[]): string | undefined {
  let value: unknown = object;
  for (const key of path) {
    value =
      typeof value === 'object' && value !== null
        ? Object.getOwnPropertyDescriptor(value, key)?.value
        : undefined;
  }
  return typeof value === 'string' ? value : undefined;
}
