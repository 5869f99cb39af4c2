import type { KubernetesObject } from '../model/kubernetes.ts';
import { archivedObject, type StoredBackup } from './stored-backup-fixture.ts';

export const settings: KubernetesObject = archivedObject(
  'v1',
  'ConfigMap',
  { name: 'settings' },
  { data: { a: 'b' } },
);
/** A backup of a namespace with a ConfigMap and a Secret. */
export const shop: StoredBackup = {
  name: 'shop',
  objects: [
    [
      'namespaces',
      archivedObject('v1', 'Namespace', {
        name: 'shop',
        namespace: undefined,
        labels: { team: 'a', 'kubernetes.io/metadata.name': 'shop' },
        annotations: { note: 'x' },
      }),
    ],
    ['configmaps', settings],
    [
      'secrets',
      archivedObject('v1', 'Secret', { name: 'key' }, { data: { k: 'dg==' }, type: 'Opaque' }),
    ],
  ],
};
