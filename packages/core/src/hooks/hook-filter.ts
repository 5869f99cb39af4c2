import type { LabelSelector } from '../model/backup.ts';
import type { JsonObject } from '../model/json.ts';
import { type ApiResource, groupResourceOf, type KubernetesObject } from '../model/kubernetes.ts';
import { matchesLabelSelector } from '../model/label-selector.ts';
import { objectAt } from '../model/object-path.ts';
import { Resources } from '../model/resources.ts';
import { readLabelSelector } from '../selection/label-selectors-of.ts';
import { createNamespaceFilter } from '../selection/namespace-filter.ts';
import { createResourceList } from '../selection/resource-list.ts';

/** For which pods an entry of `spec.hooks.resources` is, of a backup or a restore; absent filters let every pod in. */
export interface HookEntry extends JsonObject {
  readonly includedNamespaces?: readonly string[];
  readonly excludedNamespaces?: readonly string[];
  readonly includedResources?: readonly string[];
  readonly excludedResources?: readonly string[];
  readonly labelSelector?: LabelSelector;
}

/** Creates the filter of a valid entry: whether its hooks are for a pod, by the namespace that the pod says it is in. */
export function createHookFilter(
  entry: HookEntry,
): (pod: {
  readonly metadata: Pick<KubernetesObject['metadata'], 'namespace' | 'labels'>;
}) => boolean {
  const namespaces = createNamespaceFilter(
    { included: entry.includedNamespaces ?? [], excluded: entry.excludedNamespaces ?? [] },
    [],
  );
  const selector = readLabelSelector(objectAt(entry, ['labelSelector']) ?? {});
  const letsPods = includesPods(entry.includedResources ?? [], entry.excludedResources ?? []);
  return ({ metadata: { namespace = '', labels } }) =>
    letsPods &&
    namespaces.includes(namespace) &&
    (selector === undefined || matchesLabelSelector(labels, selector));
}

const pods: ApiResource = {
  ...Resources.pods,
  kind: 'Pod',
  singularName: 'pod',
  shortNames: ['po'],
  categories: [],
  namespaced: true,
  verbs: [],
  subresources: [],
};

// Hooks run in pods alone, so no other name has to be resolved.
function includesPods(included: readonly string[], excluded: readonly string[]): boolean {
  const resolveResource = (name: string): ApiResource | undefined =>
    ['pods', 'pod', 'po', 'pods.v1'].includes(name.toLowerCase()) ? pods : undefined;
  const matches = (names: readonly string[]): boolean =>
    createResourceList(names, { resolveResource, purpose: 'exclude' }).matchesName(
      groupResourceOf(pods),
    );
  return (included.length === 0 || matches(included)) && !matches(excluded);
}
