import type { JsonObject } from '../../model/json.ts';
import {
  booleanAt,
  objectAt,
  objectsAt,
  withoutValueAt,
  withValueAt,
} from '../../model/object-path.ts';
import type { RestoreItemAction } from '../../ports/item-action.ts';

const preserveInSchema = 'x-kubernetes-preserve-unknown-fields';

/**
 * Writes "keep unknown fields" in the only form in which an API server takes it with a new definition: in the schema of each
 * version (velero: `velero.io/crd-preserve-fields`).
 */
export const customResourceDefinitionAction: RestoreItemAction = {
  name: 'velero.io/crd-preserve-fields',
  appliesTo: { resources: ['customresourcedefinitions.apiextensions.k8s.io'] },
  async execute({ item }) {
    if (booleanAt(item, ['spec', 'preserveUnknownFields']) !== true) {
      return {};
    }
    return {
      item: withValueAt(
        withoutValueAt(item, ['spec', 'preserveUnknownFields']),
        ['spec', 'versions'],
        objectsAt(item, ['spec', 'versions']).map(withPreservingSchema),
      ),
    };
  },
};

function withPreservingSchema(version: JsonObject): JsonObject {
  return objectAt(version, ['schema', 'openAPIV3Schema']) === undefined
    ? version
    : withValueAt(version, ['schema', 'openAPIV3Schema', preserveInSchema], true);
}
