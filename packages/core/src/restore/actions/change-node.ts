import type { JsonObject } from '../../model/json.ts';
import type { KubernetesManifest, StringMap } from '../../model/kubernetes.ts';
import {
  arrayAt,
  type ObjectPath,
  objectAt,
  objectsAt,
  stringAt,
  withValueAt,
} from '../../model/object-path.ts';
import type { RestoreItemAction } from '../../ports/item-action.ts';
import { podRunners, podSpecPathOf } from './pod-spec-path.ts';

const hostname = 'kubernetes.io/hostname';
const affinity: ObjectPath = ['affinity', 'nodeAffinity'];
const requiredTerms = 'requiredDuringSchedulingIgnoredDuringExecution';
const preferredTerms = 'preferredDuringSchedulingIgnoredDuringExecution';

/**
 * Lets what names a node name another: `nodeName`, `nodeSelector` and the node affinity of pods and what runs them, and the node
 * affinity of volumes. Nodes are taken to have their name as their label `kubernetes.io/hostname`. A node without a mapping stays.
 */
export function createChangeNodeAction(mapping: StringMap): RestoreItemAction {
  return {
    name: 'lifeboat.dev/change-node',
    appliesTo: { resources: [...podRunners, 'persistentvolumes'] },
    execute: async ({ item }) => ({
      item:
        item.kind === 'PersistentVolume'
          ? withTerms(item, ['spec', 'nodeAffinity', 'required', 'nodeSelectorTerms'], mapping)
          : withPodSpec(item, mapping),
    }),
  };
}

function withPodSpec(item: KubernetesManifest, mapping: StringMap): KubernetesManifest {
  const path = podSpecPathOf(item);
  const spec = objectAt(item, path);
  if (spec === undefined) {
    return item;
  }
  const named = withNode(
    withNode(spec, ['nodeName'], mapping),
    ['nodeSelector', hostname],
    mapping,
  );
  const required = withTerms(named, [...affinity, requiredTerms, 'nodeSelectorTerms'], mapping);
  const preferredPath: ObjectPath = [...affinity, preferredTerms];
  const preferred = objectsAt(required, preferredPath);
  const changed =
    preferred.length === 0
      ? required
      : withValueAt(
          required,
          preferredPath,
          preferred.map((term) => withTerm(term, ['preference'], mapping)),
        );
  return withValueAt(item, path, changed);
}

function withTerms<T extends JsonObject>(object: T, path: ObjectPath, mapping: StringMap): T {
  const terms = objectsAt(object, path);
  return terms.length === 0
    ? object
    : withValueAt(
        object,
        path,
        terms.map((term) => withRequirements(term, mapping)),
      );
}

function withTerm(object: JsonObject, path: ObjectPath, mapping: StringMap): JsonObject {
  const term = objectAt(object, path);
  return term === undefined ? object : withValueAt(object, path, withRequirements(term, mapping));
}

function withRequirements(term: JsonObject, mapping: StringMap): JsonObject {
  const fields = [
    ['matchExpressions', hostname],
    ['matchFields', 'metadata.name'],
  ] as const;
  return fields.reduce((result, [field, key]) => {
    const requirements = objectsAt(result, [field]);
    return requirements.length === 0
      ? result
      : withValueAt(
          result,
          [field],
          requirements.map((requirement) =>
            stringAt(requirement, ['key']) === key
              ? withValueAt(
                  requirement,
                  ['values'],
                  arrayAt(requirement, ['values']).map((node) =>
                    typeof node === 'string' ? mappedNode(node, mapping) : node,
                  ),
                )
              : requirement,
          ),
        );
  }, term);
}

function withNode<T extends JsonObject>(object: T, path: ObjectPath, mapping: StringMap): T {
  const node = stringAt(object, path);
  const mapped = node === undefined ? node : mappedNode(node, mapping);
  return mapped === node || mapped === undefined ? object : withValueAt(object, path, mapped);
}

function mappedNode(node: string, mapping: StringMap): string {
  return Object.hasOwn(mapping, node) ? (mapping[node] ?? node) : node;
}
