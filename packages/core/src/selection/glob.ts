import picomatch from 'picomatch';

/** Whether a name in a filter list is a pattern rather than the name itself. */
export function isGlob(name: string): boolean {
  return /[*?[\]{}]/.test(name);
}

/** Options of {@link createGlob}. */
export interface GlobOptions {
  /** Whether `{a,b}` stands for `a` or `b`, as it does in lists of resources but not of namespaces. */
  readonly braces: boolean;
}

/** Compiles a name or pattern: `*` and `?` stand for any characters, dots included, `[...]` and `[!...]` for one of a set. */
export function createGlob(pattern: string, { braces }: GlobOptions): (name: string) => boolean {
  if (!isGlob(pattern)) {
    return (name) => name === pattern;
  }
  if (pattern === '*') {
    return () => true;
  }
  // The options leave what the matcher of Velero knows, and nothing else.
  return picomatch(pattern.replaceAll('[!', '[^'), {
    dot: true,
    nobrace: !braces,
    noextglob: true,
    noglobstar: true,
    nonegate: true,
  });
}
