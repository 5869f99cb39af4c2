import type { JsonObject } from '../../model/json.ts';

/**
 * The resource list of a backup or restore: `<apiVersion>/<Kind>` → names (`<namespace>/<name>`, or `<name>` of a
 * cluster-scoped object), both sorted. In a restore's list each name is followed by its outcome: `shop/web(created)`.
 */
export function resourceListOf(
  names: Iterable<readonly [kind: string, names: Iterable<string>]>,
): JsonObject {
  const lists = [...names].map(([kind, list]): [string, readonly string[]] => [
    kind,
    [...list].sort(),
  ]);
  return Object.fromEntries(lists.sort(([left], [right]) => (left < right ? -1 : 1)));
}
