import type { InvalidField } from '../../../errors.ts';
import { isJsonArray, type JsonObject, type JsonValue } from '../../../model/json.ts';
import { arrayAt, numberAt, objectsAt, stringAt, withValueAt } from '../../../model/object-path.ts';
import { invalid } from './invalid-fields.ts';

const firstNodePort = 30_000;
const lastNodePort = 32_767;

/** A Service with its addresses, or the fields that ask for what is taken. */
export interface AllocatedService {
  readonly service: JsonObject;
  readonly violations: readonly InvalidField[];
}

/** Gives a Service the cluster IP and node ports that it lacks; refuses those that another Service has. */
export function allocateServiceAddresses(
  service: JsonObject,
  others: readonly JsonObject[],
): AllocatedService {
  const type = stringAt(service, ['spec', 'type']) ?? 'ClusterIP';
  if (type === 'ExternalName') {
    return { service, violations: [] };
  }
  const takenAddresses = new Set(others.map((other) => stringAt(other, ['spec', 'clusterIP'])));
  const [firstAsked] = arrayAt(service, ['spec', 'clusterIPs']);
  const asked =
    stringAt(service, ['spec', 'clusterIP']) ?? (typeof firstAsked === 'string' ? firstAsked : '');
  const address = asked === '' ? freeAddress(takenAddresses) : asked;
  const isTaken = asked !== '' && asked !== 'None' && takenAddresses.has(asked);
  const ports = allocateNodePorts(service, others, type === 'NodePort' || type === 'LoadBalancer');
  const withAddress = withValueAt(
    withValueAt(service, ['spec', 'clusterIP'], address),
    ['spec', 'clusterIPs'],
    [address],
  );
  return {
    service: isJsonArray(ports.value)
      ? withValueAt(withAddress, ['spec', 'ports'], ports.value)
      : withAddress,
    violations: [
      ...(isTaken
        ? [
            invalid(
              'spec.clusterIPs',
              [asked],
              `failed to allocate IP ${asked}: provided IP is already allocated`,
            ),
          ]
        : []),
      ...ports.violations,
    ],
  };
}

function allocateNodePorts(
  service: JsonObject,
  others: readonly JsonObject[],
  needed: boolean,
): { readonly value: JsonValue | undefined; readonly violations: readonly InvalidField[] } {
  const ports = objectsAt(service, ['spec', 'ports']);
  if (!needed || ports.length === 0) {
    return { value: undefined, violations: [] };
  }
  const taken = new Set(
    others.flatMap((other) =>
      objectsAt(other, ['spec', 'ports']).map((port) => numberAt(port, ['nodePort'])),
    ),
  );
  const violations: InvalidField[] = [];
  const value = ports.map((port, index) => {
    const asked = numberAt(port, ['nodePort']) ?? 0;
    if (asked !== 0 && taken.has(asked)) {
      violations.push(
        invalid(`spec.ports[${index}].nodePort`, asked, 'provided port is already allocated'),
      );
    }
    const nodePort = asked === 0 ? freePort(taken) : asked;
    taken.add(nodePort);
    return withValueAt(port, ['nodePort'], nodePort);
  });
  return { value, violations };
}

function freeAddress(taken: ReadonlySet<string | undefined>): string {
  for (let number = 10; number < 65_535; number += 1) {
    const address = `10.96.${number >> 8}.${number & 255}`;
    if (!taken.has(address)) {
      return address;
    }
  }
  return '10.97.0.1';
}

function freePort(taken: ReadonlySet<number | undefined>): number {
  for (let port = firstNodePort; port <= lastNodePort; port += 1) {
    if (!taken.has(port)) {
      return port;
    }
  }
  return firstNodePort;
}
