import type { JsonObject } from '../../model/json.ts';
import type { KubernetesManifest, StringMap } from '../../model/kubernetes.ts';
import { type ObjectPath, objectsAt, stringAt, withValueAt } from '../../model/object-path.ts';
import type { RestoreItemAction } from '../../ports/item-action.ts';
import { podRunners, podSpecPathOf } from './pod-spec-path.ts';

/**
 * Replaces parts of the names of images in pods and what runs them (velero: `velero.io/change-image-name`): in each name the longest
 * key that occurs in it, wherever it occurs, by its value.
 */
export function createChangeImageNameAction(mapping: StringMap): RestoreItemAction {
  const replacements = Object.entries(mapping).toSorted(
    ([left], [right]) => right.length - left.length,
  );
  return {
    name: 'velero.io/change-image-name',
    appliesTo: { resources: podRunners },
    execute: async ({ item }) => ({ item: withImages(item, replacements) }),
  };
}

type Replacements = readonly (readonly [part: string, replacement: string])[];

function withImages(item: KubernetesManifest, replacements: Replacements): KubernetesManifest {
  const path = podSpecPathOf(item);
  return ['containers', 'initContainers'].reduce((result, field) => {
    const containersPath: ObjectPath = [...path, field];
    const containers = objectsAt(result, containersPath);
    const changed = containers.map((container) => withImage(container, replacements));
    return changed.every((container, index) => container === containers[index])
      ? result
      : withValueAt(result, containersPath, changed);
  }, item);
}

function withImage(container: JsonObject, replacements: Replacements): JsonObject {
  const image = stringAt(container, ['image']) ?? '';
  const replacement = replacements.find(([part]) => image.includes(part));
  return replacement === undefined
    ? container
    : withValueAt(
        container,
        ['image'],
        image.replaceAll(replacement[0], () => replacement[1]),
      );
}
