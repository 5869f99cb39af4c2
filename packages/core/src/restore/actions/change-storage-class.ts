import type { JsonObject } from '../../model/json.ts';
import type { StringMap } from '../../model/kubernetes.ts';
import { type ObjectPath, objectsAt, stringAt, withValueAt } from '../../model/object-path.ts';
import type { RestoreItemAction } from '../../ports/item-action.ts';

const templates: ObjectPath = ['spec', 'volumeClaimTemplates'];
// How claims named their class before there was a field for it; where it is set, it counts.
const betaAnnotation = 'volume.beta.kubernetes.io/storage-class';

/**
 * Gives claims, volumes and the claims that StatefulSets make other StorageClasses (velero: `velero.io/change-storage-class`). A class
 * without a mapping stays, as does an empty one.
 */
export function createChangeStorageClassAction(mapping: StringMap): RestoreItemAction {
  const change = <T extends JsonObject>(object: T): T => withClass(object, mapping);
  return {
    name: 'velero.io/change-storage-class',
    appliesTo: {
      resources: ['persistentvolumeclaims', 'persistentvolumes', 'statefulsets.apps'],
    },
    execute: async ({ item }) => {
      if (item.kind !== 'StatefulSet') {
        return { item: change(item) };
      }
      const claims = objectsAt(item, templates);
      return claims.length === 0 ? {} : { item: withValueAt(item, templates, claims.map(change)) };
    },
  };
}

function withClass<T extends JsonObject>(object: T, mapping: StringMap): T {
  const paths: readonly ObjectPath[] = [
    ['spec', 'storageClassName'],
    ['metadata', 'annotations', betaAnnotation],
  ];
  return paths.reduce((result, path) => {
    const current = stringAt(result, path);
    const mapped =
      current !== undefined && current !== '' && Object.hasOwn(mapping, current)
        ? mapping[current]
        : undefined;
    return mapped === undefined ? result : withValueAt(result, path, mapped);
  }, object);
}
