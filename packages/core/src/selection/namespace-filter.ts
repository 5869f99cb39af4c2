import { createGlob, isGlob } from './glob.ts';

/** Lists of namespaces, names and patterns, as a Backup or Restore has them. */
export interface NamespaceLists {
  /** Empty: every namespace. */
  readonly included: readonly string[];
  /** Wins over `included`. */
  readonly excluded: readonly string[];
}

/** Which namespaces are selected. */
export interface NamespaceFilter {
  /** Whether objects of a namespace are selected. */
  includes(name: string): boolean;
  /** The entry of the included list that a namespace is selected by, `*` for an empty list; `undefined` when it is not. */
  entryFor(name: string): string | undefined;
  /** The selected namespaces that exist, in the order they were given. */
  readonly names: readonly string[];
  /** Included names that do not exist. Patterns that match nothing are not among them. */
  readonly missing: readonly string[];
  /** Whether every namespace is selected, so that a backup of all there is takes the cluster-scoped objects too. */
  readonly includesEverything: boolean;
}

/**
 * Creates the filter of two lists, given the namespaces that exist; those that a list of plain names does not name may be
 * left out.
 *
 * Every namespace counts as selected when nothing is excluded and the included list is empty, is `*`, or has patterns and
 * comes down to exactly the namespaces that exist. An exclusion counts even if it excludes nothing. A list of plain names
 * is never everything, though Velero takes it for that when no other namespace exists: naming one's own namespaces is no
 * wish for cluster-scoped objects.
 */
export function createNamespaceFilter(
  { included, excluded }: NamespaceLists,
  liveNamespaces: readonly string[],
): NamespaceFilter {
  const entryIncluding = entryFinderOf(included.length === 0 ? ['*'] : included);
  const entryExcluding = entryFinderOf(excluded);
  const isExcluded = (name: string): boolean => entryExcluding(name) !== undefined;
  const entryFor = (name: string): string | undefined =>
    isExcluded(name) ? undefined : entryIncluding(name);
  const includes = (name: string): boolean => entryFor(name) !== undefined;
  const live = new Set(liveNamespaces);
  const missing = included.filter((name) => !isGlob(name) && !live.has(name) && !isExcluded(name));
  const names = liveNamespaces.filter(includes);
  const isComplete =
    included.some(isGlob) && names.length > 0 && names.length === live.size && missing.length === 0;
  return {
    includes,
    entryFor,
    names,
    missing: [...new Set(missing)],
    includesEverything:
      excluded.length === 0 && (included.length === 0 || included.includes('*') || isComplete),
  };
}

function entryFinderOf(patterns: readonly string[]): (name: string) => string | undefined {
  const names = new Set(patterns.filter((pattern) => !isGlob(pattern)));
  const globs = patterns
    .filter(isGlob)
    .map((pattern) => ({ pattern, matches: createGlob(pattern, { braces: false }) }));
  return (name) => (names.has(name) ? name : globs.find(({ matches }) => matches(name))?.pattern);
}
