import { type ApiResource, groupResourceOf } from '../model/kubernetes.ts';
import { createGlob, isGlob } from './glob.ts';
import { isSnapshotResource } from './snapshot-resources.ts';

/** A list of resource names from a spec, ready to match. */
export interface ResourceList {
  /** Whether a resource is in the list. */
  matches(resource: ApiResource): boolean;
  /** The entry of the list that a resource is in it by; `undefined` when it is not. */
  entryFor(resource: ApiResource): string | undefined;
  /** Whether a name, `<resource>` or `<resource>.<group>`, is in the list, whatever its scope. */
  matchesName(groupResource: string): boolean;
  /** Whether the list names nothing at all. */
  readonly isEmpty: boolean;
  /** Names in it that do not do what they seem to, and why. */
  readonly problems: readonly string[];
}

/** What {@link createResourceList} needs to know. */
export interface ResourceListOptions {
  readonly resolveResource: (name: string) => ApiResource | undefined;
  /** Whether the list includes or excludes: excluding what is not there is no problem. */
  readonly purpose: 'include' | 'exclude';
  /** The scope of the resources that the list is about; names of the other scope match nothing. @default both */
  readonly namespaced?: boolean | undefined;
}

/**
 * Compiles a list of resources. A name is whatever the server's resources are known by (`pods`, `po`, `Deployment`,
 * `deployments.apps`); a pattern is matched with `<resource>` or `<resource>.<group>`.
 */
export function createResourceList(
  names: readonly string[],
  { resolveResource, purpose, namespaced }: ResourceListOptions,
): ResourceList {
  const problemOf = (name: string, resource: ApiResource | undefined): string | undefined => {
    const quoted = JSON.stringify(name);
    if (resource !== undefined && namespaced !== undefined && resource.namespaced !== namespaced) {
      return `${quoted} is ${scopeOf(resource.namespaced)}, but the list is about ${scopeOf(namespaced)} resources`;
    }
    if (purpose === 'exclude') {
      return undefined;
    }
    if (isSnapshotResource(resource === undefined ? name : groupResourceOf(resource))) {
      return `${quoted} cannot be selected: a snapshot is stored with its claim`;
    }
    return resource === undefined ? `the cluster serves no resource ${quoted}` : undefined;
  };
  const exact = new Map<string, string>();
  const globs: { readonly name: string; readonly matches: (groupResource: string) => boolean }[] =
    [];
  const problems: string[] = [];
  for (const name of names) {
    if (isGlob(name)) {
      globs.push({ name, matches: createGlob(name, { braces: true }) });
      continue;
    }
    const resource = resolveResource(name);
    exact.set(resource === undefined ? name : groupResourceOf(resource), name);
    const problem = problemOf(name, resource);
    if (problem !== undefined) {
      problems.push(problem);
    }
  }
  const entryForName = (groupResource: string): string | undefined =>
    exact.get(groupResource) ?? globs.find(({ matches }) => matches(groupResource))?.name;
  const entryFor = (resource: ApiResource): string | undefined =>
    namespaced === undefined || resource.namespaced === namespaced
      ? entryForName(groupResourceOf(resource))
      : undefined;
  return {
    isEmpty: names.length === 0,
    problems,
    entryFor,
    matchesName: (groupResource) => entryForName(groupResource) !== undefined,
    matches: (resource) => entryFor(resource) !== undefined,
  };
}

function scopeOf(namespaced: boolean): string {
  return namespaced ? 'namespaced' : 'cluster-scoped';
}
