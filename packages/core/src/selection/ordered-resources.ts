import type { Violation } from '../errors.ts';
import { isJsonObject, type JsonValue } from '../model/json.ts';
import { isDnsLabel } from '../model/kubernetes-name.ts';

/** An object as an entry of `spec.orderedResources` names it. */
export interface NamedObject {
  readonly namespace?: string | undefined;
  readonly name: string;
}

const path = 'spec.orderedResources';
// A segment of a path, which is what the API server asks of any name.
const nameGrammar: RegExp = /^(?!\.{1,2}$)[^/%\s]+$/;

/** Finds what is wrong with `spec.orderedResources`: resource → names, separated by commas. */
export function orderedResourcesViolations(value: JsonValue | undefined): readonly Violation[] {
  if (value === undefined || value === null) {
    return [];
  }
  if (!isJsonObject(value)) {
    return [{ path, rule: 'must be a map of resource to names', received: value }];
  }
  return Object.entries(value).flatMap(([resource, names]): readonly Violation[] => {
    const at = `${path}.${resource}`;
    if (resource.trim() === '') {
      return [{ path, rule: 'must have the names of resources as keys', received: resource }];
    }
    if (names === undefined || names === null) {
      return [];
    }
    return typeof names === 'string'
      ? entryViolations(at, entriesOf(names))
      : [{ path: at, rule: 'must be text: names separated by commas', received: names }];
  });
}

/** The objects of each resource, under the name that the spec has for it, in order. Of a valid value. */
export function orderedResourcesOf(
  value: JsonValue | undefined,
): ReadonlyMap<string, readonly NamedObject[]> {
  const entries = isJsonObject(value) ? Object.entries(value) : [];
  return new Map(
    entries.map(([resource, names]) => [
      resource,
      typeof names === 'string' ? entriesOf(names).map(namedObject) : [],
    ]),
  );
}

function entryViolations(at: string, entries: readonly string[]): readonly Violation[] {
  return entries.flatMap((entry, index): readonly Violation[] => {
    const { namespace, name } = namedObject(entry);
    const isName = nameGrammar.test(name) && (namespace === undefined || isDnsLabel(namespace));
    if (!isName) {
      const rule = `must be "<namespace>/<name>", or "<name>" of a cluster-scoped object, in entry ${index + 1}`;
      return [{ path: at, rule, received: entry }];
    }
    return entries.indexOf(entry) < index
      ? [
          {
            path: at,
            rule: `must not name an object twice, as entry ${index + 1} does`,
            received: entry,
          },
        ]
      : [];
  });
}

function entriesOf(names: string): readonly string[] {
  return names.trim() === '' ? [] : names.split(',').map((entry) => entry.trim());
}

function namedObject(entry: string): NamedObject {
  const slash = entry.indexOf('/');
  return slash < 0
    ? { name: entry }
    : { namespace: entry.slice(0, slash), name: entry.slice(slash + 1) };
}
