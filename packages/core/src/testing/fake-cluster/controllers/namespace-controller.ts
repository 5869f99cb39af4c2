import type { KubernetesObject } from '../../../model/kubernetes.ts';
import { withValueAt } from '../../../model/object-path.ts';
import type { TableChange } from '../object-table.ts';
import { type Controller, ownKeys, type Requeue } from './controller.ts';
import type { ControllerClient } from './controller-client.ts';

const rootCertificate =
  '-----BEGIN CERTIFICATE-----\nZmFrZSBjbHVzdGVy\n-----END CERTIFICATE-----\n';
const rootCertificateNote =
  'Contains a CA bundle that can be used to verify the kube-apiserver when using internal endpoints such as the internal service IP or kubernetes.default.svc. No other usage is guaranteed across distributions of Kubernetes clusters.';

/** Gives every namespace its ServiceAccount and root certificate, and empties one that is being deleted. */
export const namespaceController: Controller = {
  name: 'kube-controller-manager',
  triggers: [
    ownKeys('namespaces'),
    {
      table: '*',
      keys: ({ object, removed }: TableChange): readonly string[] => {
        const { namespace } = object.metadata;
        return removed && namespace !== undefined ? [namespace] : [];
      },
    },
  ],
  async reconcile(name: string, client: ControllerClient): Promise<Requeue | undefined> {
    const namespace = client.get('namespaces', name);
    if (namespace === undefined) {
      return undefined;
    }
    if (namespace.metadata.deletionTimestamp === undefined) {
      furnish(name, client);
    } else if (isEmptied(name, client)) {
      client.write('namespaces', namespace, withValueAt(namespace, ['spec', 'finalizers'], []));
    }
    return undefined;
  },
};

function furnish(namespace: string, client: ControllerClient): void {
  if (client.get('serviceaccounts', `${namespace}/default`) === undefined) {
    client.create('serviceaccounts', {
      apiVersion: 'v1',
      kind: 'ServiceAccount',
      metadata: { name: 'default', namespace },
    });
  }
  if (client.get('configmaps', `${namespace}/kube-root-ca.crt`) === undefined) {
    client.create('configmaps', {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: {
        name: 'kube-root-ca.crt',
        namespace,
        annotations: { 'kubernetes.io/description': rootCertificateNote },
      },
      data: { 'ca.crt': rootCertificate },
    });
  }
}

/** Deletes what a namespace holds; true once nothing is left. */
function isEmptied(namespace: string, client: ControllerClient): boolean {
  const tables = new Set(
    client.registry
      .definitions()
      .filter(({ namespaced }) => namespaced)
      .map(({ table }) => table),
  );
  const contents = (): readonly (readonly [string, KubernetesObject])[] =>
    [...tables].flatMap((table) =>
      client.list(table, namespace).map((object) => [table, object] as const),
    );
  for (const [table, object] of contents()) {
    if (object.metadata.deletionTimestamp === undefined) {
      client.delete(table, object);
    }
  }
  return contents().length === 0;
}
