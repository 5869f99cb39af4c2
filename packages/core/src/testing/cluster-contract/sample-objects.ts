import type { JsonObject } from '../../model/json.ts';
import type {
  GroupVersionResource,
  KubernetesManifest,
  ManifestMeta,
  ObjectReference,
} from '../../model/kubernetes.ts';

/** ConfigMaps: what most cases use, because no controller touches them. */
export const configMaps: GroupVersionResource = {
  group: '',
  version: 'v1',
  resource: 'configmaps',
};

/** A resource that no server serves. */
export const unservedResource: GroupVersionResource = {
  group: 'unserved.contract.lifeboat.dev',
  version: 'v1',
  resource: 'nothings',
};

/** The manifest of a ConfigMap. */
export function configMap(
  namespace: string,
  name: string,
  data: JsonObject = {},
  metadata: ManifestMeta = {},
): KubernetesManifest {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { ...metadata, namespace, name }, data };
}

/** Points at a ConfigMap. */
export function configMapReference(namespace: string, name: string): ObjectReference {
  return { ...configMaps, namespace, name };
}

/** The manifest of a namespace. */
export function namespaceManifest(name: string): KubernetesManifest {
  return { apiVersion: 'v1', kind: 'Namespace', metadata: { name } };
}
