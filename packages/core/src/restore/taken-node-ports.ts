import { isLifeboatError } from '../errors.ts';
import type { JsonObject } from '../model/json.ts';
import type { KubernetesManifest } from '../model/kubernetes.ts';
import {
  numberAt,
  type ObjectPath,
  objectsAt,
  withoutValueAt,
  withValueAt,
} from '../model/object-path.ts';
import type { PreparationContext, PreparationOutput, PreparationStep } from './prepare-item.ts';

const healthCheck: ObjectPath = ['spec', 'healthCheckNodePort'];
const services = { group: '', version: 'v1', resource: 'services' };

/**
 * Has a Service that is restored beside its original leave the node ports to that: the cluster chooses others, with a warning. It comes
 * behind modifiers and transforms, which may have given the Service other ports, and find those of the backup.
 */
export const takenNodePortsStep: PreparationStep = {
  name: 'lifeboat.dev/taken-node-ports',
  resources: ['services'],
  async run(item, context) {
    if (context.restore.spec.preserveNodePorts === true) {
      return {};
    }
    const taken = await portsOfOriginal(item, context);
    return taken.length === 0 ? {} : withoutTakenPorts(item, taken, context);
  },
};

/**
 * The node ports that a Service asks for although the one that it was a backup of, in another namespace, has them. None are known to who may
 * not read that one: the API server then says which is taken.
 */
async function portsOfOriginal(
  service: KubernetesManifest,
  { itemFromBackup, target, cluster, signal }: PreparationContext,
): Promise<readonly number[]> {
  const { name, namespace } = itemFromBackup.metadata;
  const wanted = nodePortsOf(service);
  if (wanted.length === 0 || namespace === target.namespace) {
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
  { itemFromBackup, target }: PreparationContext,
): PreparationOutput {
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
        object: { groupResource: 'services', namespace: target.namespace, name },
      },
    ],
  };
}
