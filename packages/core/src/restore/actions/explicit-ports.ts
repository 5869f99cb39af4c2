import { isJsonObject, type JsonObject, parseJson } from '../../model/json.ts';
import type { KubernetesObject } from '../../model/kubernetes.ts';
import { KubernetesAnnotation } from '../../model/labels.ts';
import { numberAt, objectAt, objectsAt, stringAt } from '../../model/object-path.ts';

/** Which node ports of a Service its author chose; the cluster allocated the others. */
export interface ExplicitPorts {
  /** Whether the node port of one of the Service's ports was chosen. */
  isExplicit(port: JsonObject): boolean;
  readonly healthCheckNodePort: boolean;
}

/**
 * Finds out which node ports were chosen: from what `kubectl apply` recorded, and only where it recorded nothing, from the
 * ownership of fields. The health check port is looked for in both.
 */
export function explicitPortsOf(service: KubernetesObject): ExplicitPorts {
  const applied = lastAppliedOf(service);
  const owned = ownedSpecsOf(service);
  return {
    isExplicit: (port) =>
      applied === undefined
        ? owned.some((fields) => objectAt(fields, ['f:ports', ownershipKey(port), 'f:nodePort']))
        : objectsAt(applied, ['spec', 'ports']).some((candidate) => isSame(candidate, port)),
    healthCheckNodePort:
      (numberAt(applied ?? {}, ['spec', 'healthCheckNodePort']) ?? 0) > 0 ||
      owned.some((fields) => Object.hasOwn(fields, 'f:healthCheckNodePort')),
  };
}

function ownedSpecsOf(service: KubernetesObject): readonly JsonObject[] {
  return objectsAt(service, ['metadata', 'managedFields'])
    .map((entry) => objectAt(entry, ['fieldsV1', 'f:spec']))
    .filter((fields) => fields !== undefined);
}

function isSame(applied: JsonObject, port: JsonObject): boolean {
  const appliedNodePort = numberAt(applied, ['nodePort']) ?? 0;
  const name = stringAt(port, ['name']) ?? '';
  return (
    appliedNodePort > 0 &&
    (name === ''
      ? appliedNodePort === numberAt(port, ['nodePort'])
      : name === stringAt(applied, ['name']))
  );
}

// The API server writes the key of a list member as JSON, in this order.
function ownershipKey(port: JsonObject): string {
  const protocol = stringAt(port, ['protocol']) ?? 'TCP';
  return `k:${JSON.stringify({ port: numberAt(port, ['port']), protocol })}`;
}

function lastAppliedOf(service: KubernetesObject): JsonObject | undefined {
  const text = service.metadata.annotations?.[KubernetesAnnotation.lastApplied];
  if (text === undefined) {
    return undefined;
  }
  try {
    const value = parseJson(text);
    return isJsonObject(value) ? value : {};
  } catch {
    // Recorded, but unreadable: then nothing is known to have been chosen.
    return {};
  }
}
