import type { Violation } from '../errors.ts';
import { isJsonArray, type JsonObject, type JsonValue } from '../model/json.ts';
import { isDnsLabel } from '../model/kubernetes-name.ts';

/** The names of the two fields that make a filter, `includedNamespaces` and `excludedNamespaces`. */
export interface FilterFields {
  readonly included: string;
  readonly excluded: string;
}

/** What may stand in a pair of lists besides plain names. */
export type FilterKind =
  /** Namespaces: `*` alone, patterns, names that are DNS-1123 labels. */
  | 'namespaces'
  /** Resources of both scopes: `*` alone in the included list. */
  | 'resources'
  /** Resources of one scope: `*` alone in either list. */
  | 'scopedResources';

/**
 * Finds what is wrong with a pair of lists of a spec: entries that are not names, `*` beside other entries or where it
 * excludes everything, entries that are in both lists. Missing and `null` lists are empty.
 */
export function filterListViolations(
  spec: JsonObject,
  { included, excluded }: FilterFields,
  kind: FilterKind,
): readonly Violation[] {
  const typeViolations = [included, excluded].flatMap((field) => notAList(field, spec[field]));
  if (typeViolations.length > 0) {
    return typeViolations;
  }
  const includes = stringsOf(spec[included]);
  const excludes = stringsOf(spec[excluded]);
  return [
    ...entryViolations(included, includes, kind),
    ...entryViolations(excluded, excludes, kind),
    ...starViolations({ included, excluded }, includes, excludes, kind),
    ...excludes.flatMap((name, index): readonly Violation[] =>
      name !== '*' && includes.includes(name)
        ? [violation(`${excluded}[${index}]`, `must not be in ${included} too`, name)]
        : [],
    ),
  ];
}

function starViolations(
  { included, excluded }: FilterFields,
  includes: readonly string[],
  excludes: readonly string[],
  kind: FilterKind,
): readonly Violation[] {
  const violations: Violation[] = [];
  if (includes.length > 1 && includes.includes('*')) {
    violations.push(violation(included, 'must hold "*" alone or not at all', includes));
  }
  if (!excludes.includes('*')) {
    return violations;
  }
  if (kind !== 'scopedResources') {
    violations.push(violation(excluded, 'must not hold "*": nothing would be left', excludes));
  } else if (excludes.length > 1) {
    violations.push(violation(excluded, 'must hold "*" alone or not at all', excludes));
  } else if (includes.length > 0) {
    violations.push(violation(excluded, `must not hold "*" beside ${included}`, excludes));
  }
  return violations;
}

function entryViolations(
  field: string,
  names: readonly string[],
  kind: FilterKind,
): readonly Violation[] {
  return names.flatMap((name, index): readonly Violation[] => {
    const rule = kind === 'namespaces' ? namespaceRule(name) : resourceRule(name);
    return rule === undefined ? [] : [violation(`${field}[${index}]`, rule, name)];
  });
}

function namespaceRule(name: string): string | undefined {
  if (/[|(){}!,]/.test(name) || name.includes('**')) {
    return 'must be the name of a namespace or a pattern of "*", "?" and "[...]"; "**" and | ( ) { } ! , have no meaning in it';
  }
  if (!/^(?:[^[\]]|\[[^[\]]+\])*$/.test(name)) {
    return 'must have its brackets in pairs, with something in them';
  }
  return isDnsLabel(name.replace(/[*?[\]]/g, 'x'))
    ? undefined
    : 'must be the name of a namespace, a DNS-1123 label, or a pattern of one';
}

function resourceRule(name: string): string | undefined {
  return name === '' || /[\s/,]/.test(name.replace(/\{[^{}]*\}/g, ''))
    ? 'must be the name of a resource, such as "pods" or "deployments.apps", or a pattern of one'
    : undefined;
}

function notAList(field: string, value: JsonValue | undefined): readonly Violation[] {
  const isList = isJsonArray(value) && value.every((name) => typeof name === 'string');
  return value === undefined || value === null || isList
    ? []
    : [violation(field, 'must be a list of strings', value)];
}

function stringsOf(value: JsonValue | undefined): readonly string[] {
  return isJsonArray(value) ? value.filter((name) => typeof name === 'string') : [];
}

function violation(field: string, rule: string, received: unknown): Violation {
  return { path: `spec.${field}`, rule, received };
}
