import { isJsonArray } from '../model/json.ts';
import type { ApiResource, KubernetesManifest } from '../model/kubernetes.ts';
import { arrayAt, booleanAt, objectAt, objectsAt, stringAt } from '../model/object-path.ts';

/** The resources that a CustomResourceDefinition will serve once it is there, one for each served version. */
export function definedResources(definition: KubernetesManifest): readonly ApiResource[] {
  const group = stringAt(definition, ['spec', 'group']) ?? '';
  const names = objectAt(definition, ['spec', 'names']) ?? {};
  const resource = stringAt(names, ['plural']) ?? '';
  const kind = stringAt(names, ['kind']) ?? '';
  return objectsAt(definition, ['spec', 'versions'])
    .filter((version) => booleanAt(version, ['served']) === true)
    .map((version) => ({
      group,
      version: stringAt(version, ['name']) ?? '',
      resource,
      kind,
      singularName: stringAt(names, ['singular']) ?? kind.toLowerCase(),
      shortNames: stringsOf(arrayAt(names, ['shortNames'])),
      categories: stringsOf(arrayAt(names, ['categories'])),
      namespaced: stringAt(definition, ['spec', 'scope']) === 'Namespaced',
      verbs: ['create', 'delete', 'get', 'list', 'patch', 'update', 'watch'],
      subresources: Object.keys(objectAt(version, ['subresources']) ?? {}),
    }));
}

function stringsOf(values: readonly unknown[]): readonly string[] {
  return isJsonArray(values) ? values.filter((value) => typeof value === 'string') : [];
}
