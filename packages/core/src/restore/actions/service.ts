import { isLifeboatError } from '../../errors.ts';
import type { JsonObject } from '../../model/json.ts';
import type { KubernetesManifest, KubernetesObject } from '../../model/kubernetes.ts';
import {
  numberAt,
  type ObjectPath,
  objectsAt,
  stringAt,
  withoutValueAt,
  withValueAt,
} from '../../model/object-path.ts';
import type {
  RestoreItemAction,
  RestoreItemInput,
  RestoreItemOutput,
} from '../../ports/item-action.ts';
import { explicitPortsOf } from './explicit-ports.ts';

const healthCheck: ObjectPath = ['spec', 'healthCheckNodePort'];
const services = { group: '', version: 'v1', resource: 'services' };

/**
 * Has the cluster choose a service's addresses and node ports anew, except for what its author chose (velero:
 * `velero.io/service`). Beside the original, which holds the node ports that were chosen, it chooses those anew too, with a warning. The
 * Service of the API server itself is left out: each cluster makes its own.
 */
export const serviceAction: RestoreItemAction = {
  name: 'velero.io/service',
  appliesTo: { resources: ['services'] },
  async execute(input) {
    const { item, itemFromBackup, restore } = input;
    const { name, namespace } = itemFromBackup.metadata;
    if (namespace === 'default' && name === 'kubernetes') {
      return { skip: 'the API server makes this Service itself' };
    }
    const readdressed = withoutClusterAddresses(item);
    if (restore.spec.preserveNodePorts === true) {
      return { item: readdressed };
    }
    const freed = withoutAllocatedPorts(readdressed, itemFromBackup);
    const taken = await portsOfOriginal(freed, input);
    return taken.length === 0 ? { item: freed } : withoutTakenPorts(freed, taken, input);
  },
};

/**
 * The node ports that a Service asks for although the one that it was a backup of, in another namespace, has them. None are known to who may
 * not read that one: the API server then says which is taken.
 */
async function portsOfOriginal(
  service: KubernetesManifest,
  { itemFromBackup, targetNamespace, cluster, signal }: RestoreItemInput,
): Promise<readonly number[]> {
  const { name, namespace } = itemFromBackup.metadata;
  const wanted = nodePortsOf(service);
  if (wanted.length === 0 || namespace === targetNamespace) {
    return [];
  }
  const original = await cluster
    .get({ ...services, namespace, name }, { signal })
    .catch((error: unknown) => {
      if (isLifeboatError(error, 'Forbidden')) {
        return undefined;
      }
      throw error;
    });
  const held = original === undefined ? [] : nodePortsOf(original);
  return wanted.filter((port) => held.includes(port));
}

function nodePortsOf(service: JsonObject): readonly number[] {
  const ports = objectsAt(service, ['spec', 'ports']).map((port) => numberAt(port, ['nodePort']));
  return [...ports, numberAt(service, healthCheck)].flatMap((port) => port ?? []);
}

function withoutTakenPorts(
  service: KubernetesManifest,
  taken: readonly number[],
  { itemFromBackup, targetNamespace }: RestoreItemInput,
): RestoreItemOutput {
  const { name, namespace = '' } = itemFromBackup.metadata;
  const isTaken = (object: JsonObject, path: ObjectPath): boolean =>
    taken.includes(numberAt(object, path) ?? 0);
  const ports = objectsAt(service, ['spec', 'ports']).map((port) =>
    isTaken(port, ['nodePort']) ? withoutValueAt(port, ['nodePort']) : port,
  );
  const withPorts = withValueAt(service, ['spec', 'ports'], ports);
  return {
    item: isTaken(withPorts, healthCheck) ? withoutValueAt(withPorts, healthCheck) : withPorts,
    issues: [
      {
        severity: 'warning',
        reason: 'NodePortTaken',
        message: `node port ${taken.join(', ')} belongs to Service ${namespace}/${name} of the target cluster, so another one is chosen`,
        object: { groupResource: 'services', namespace: targetNamespace, name },
      },
    ],
  };
}

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
