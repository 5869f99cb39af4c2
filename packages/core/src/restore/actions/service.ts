import type { KubernetesManifest, KubernetesObject } from '../../model/kubernetes.ts';
import {
  type ObjectPath,
  objectsAt,
  stringAt,
  withoutValueAt,
  withValueAt,
} from '../../model/object-path.ts';
import type { RestoreItemAction } from '../../ports/item-action.ts';
import { explicitPortsOf } from './explicit-ports.ts';

const healthCheck: ObjectPath = ['spec', 'healthCheckNodePort'];

/**
 * Has the cluster choose a service's addresses and node ports anew, except for what its author chose (velero:
 * `velero.io/service`). The Service of the API server itself is left out: each cluster makes its own.
 */
export const serviceAction: RestoreItemAction = {
  name: 'velero.io/service',
  appliesTo: { resources: ['services'] },
  async execute({ item, itemFromBackup, restore }) {
    const { name, namespace } = itemFromBackup.metadata;
    if (namespace === 'default' && name === 'kubernetes') {
      return { skip: 'the API server makes this Service itself' };
    }
    const readdressed = withoutClusterAddresses(item);
    if (restore.spec.preserveNodePorts === true) {
      return { item: readdressed };
    }
    return { item: withoutAllocatedPorts(readdressed, itemFromBackup) };
  },
};

function withoutClusterAddresses(service: KubernetesManifest): KubernetesManifest {
  return stringAt(service, ['spec', 'clusterIP']) === 'None'
    ? service
    : withoutValueAt(withoutValueAt(service, ['spec', 'clusterIP']), ['spec', 'clusterIPs']);
}

function withoutAllocatedPorts(
  service: KubernetesManifest,
  fromBackup: KubernetesObject,
): KubernetesManifest {
  if (stringAt(service, ['spec', 'type']) === 'ExternalName') {
    return service;
  }
  const explicit = explicitPortsOf(fromBackup);
  const ports = objectsAt(service, ['spec', 'ports']);
  const result =
    ports.length === 0
      ? service
      : withValueAt(
          service,
          ['spec', 'ports'],
          ports.map((port) =>
            explicit.isExplicit(port) ? port : withoutValueAt(port, ['nodePort']),
          ),
        );
  return explicit.healthCheckNodePort ? result : withoutValueAt(result, healthCheck);
}
