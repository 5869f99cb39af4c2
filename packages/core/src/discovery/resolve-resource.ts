import type { ApiResource, Discovery } from '../model/kubernetes.ts';
import { preferredResources } from './preferred-resources.ts';

/**
 * Finds the resource that a user means by a name, as `kubectl get` does: plural, singular, short name or kind, alone or as
 * `name.group` or `name.version.group`, in any case. `undefined` when the server has none.
 *
 * - Without a version it is the one that the group prefers.
 * - Where several resources have the name, plural and singular win over kind, kind over short name; then the server's order of
 *   groups counts.
 * - A group may be shortened to its beginning (`volumesnapshots.snapshot`), unless another group has just that name.
 */
export function resolveResource(discovery: Discovery, name: string): ApiResource | undefined {
  const [first = '', ...rest] = name.toLowerCase().split('.');
  if (first === '') {
    return undefined;
  }
  const preferred = preferredResources(discovery);
  if (rest.length === 0) {
    return bestMatch(preferred, first);
  }
  const [version = '', ...group] = rest;
  const versioned = discovery.resources.filter((resource) => resource.version === version);
  return inGroup(versioned, group.join('.'), first) ?? inGroup(preferred, rest.join('.'), first);
}

function inGroup(
  resources: readonly ApiResource[],
  group: string,
  name: string,
): ApiResource | undefined {
  const exact = resources.filter((resource) => resource.group === group);
  const match = bestMatch(exact, name);
  return (
    match ??
    (group === ''
      ? undefined
      : bestMatch(
          resources.filter((resource) => resource.group.startsWith(group)),
          name,
        ))
  );
}

function bestMatch(resources: readonly ApiResource[], name: string): ApiResource | undefined {
  return (
    resources.find((resource) => resource.resource === name || resource.singularName === name) ??
    resources.find((resource) => resource.kind.toLowerCase() === name) ??
    resources.find((resource) => resource.shortNames.includes(name))
  );
}
