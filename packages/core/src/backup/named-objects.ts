import { isServerUnreachable, messageOf } from '../errors.ts';
import {
  type ApiResource,
  groupResourceOf,
  identifierOf,
  type KubernetesObject,
  type ObjectReference,
} from '../model/kubernetes.ts';
import type { Cluster } from '../ports/cluster.ts';
import type { NamedObject } from '../selection/ordered-resources.ts';
import type { BackupRecord } from './backup-record.ts';
import type { BackupScope } from './backup-scope.ts';

/** What {@link namedObjects} works with. */
export interface NamedObjectsOptions {
  readonly cluster: Cluster;
  readonly scope: BackupScope;
  readonly record: BackupRecord;
  /** Whether listing will meet an object. */
  readonly selects: (reference: ObjectReference, object: KubernetesObject) => boolean;
  readonly signal: AbortSignal;
}

/**
 * Reads the objects of a resource that `spec.orderedResources` names, in its order. One that is missing, or that the backup does not
 * select, is a warning; one that cannot be read is too, and its turn is when it is listed.
 */
export async function* namedObjects(
  options: NamedObjectsOptions,
  resource: ApiResource,
): AsyncGenerator<KubernetesObject, void, undefined> {
  const { scope, record, selects } = options;
  for (const named of scope.order.get(groupResourceOf(resource)) ?? []) {
    const { group, version, resource: plural } = resource;
    const reference = { group, version, resource: plural, ...named };
    const found = await readNamed(options, resource, reference);
    const obstacle = 'object' in found ? undefined : found.obstacle;
    if ('object' in found && selects(reference, found.object)) {
      yield found.object;
    } else {
      const why = obstacle ?? 'which the backup does not select';
      record.addWarning({
        reason: 'OrderWithoutEffect',
        message: `spec.orderedResources names ${describeNamed(named)} of ${groupResourceOf(resource)}, ${why}`,
        object: identifierOf(reference),
      });
    }
  }
}

async function readNamed(
  { cluster, signal }: NamedObjectsOptions,
  { namespaced }: ApiResource,
  reference: ObjectReference,
): Promise<{ readonly object: KubernetesObject } | { readonly obstacle: string }> {
  if (namespaced !== (reference.namespace !== undefined)) {
    return { obstacle: namespaced ? 'without its namespace' : 'which is of no namespace' };
  }
  try {
    const object = await cluster.get(reference, { signal });
    return object === undefined ? { obstacle: 'which does not exist' } : { object };
  } catch (error) {
    signal.throwIfAborted();
    if (isServerUnreachable(error)) {
      throw error;
    }
    return {
      obstacle: `which could not be read, so that its turn is among the others: ${messageOf(error)}`,
    };
  }
}

function describeNamed({ namespace, name }: NamedObject): string {
  return namespace === undefined ? name : `${namespace}/${name}`;
}
