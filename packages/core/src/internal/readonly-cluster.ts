import { ClusterError } from '../errors.ts';
import { describeObject, groupResourceOf, type ObjectReference } from '../model/kubernetes.ts';
import type { Cluster } from '../ports/cluster.ts';

/** A view of a cluster that reads and refuses to write, dry runs included: `create`, `patch` and `delete` reject with Forbidden. */
export function readonlyCluster(cluster: Cluster): Cluster {
  const refuse = async (operation: string, target: string): Promise<never> => {
    throw new ClusterError(
      `${operation}: ${target} in ${cluster.location}: a plan only reads the cluster`,
      { code: 'Forbidden', operation, target },
    );
  };
  const refuseFor =
    (operation: string) =>
    (reference: ObjectReference): Promise<never> =>
      refuse(operation, describeObject(reference));
  return {
    location: cluster.location,
    version: (options) => cluster.version(options),
    discover: (options) => cluster.discover(options),
    get: (reference, options) => cluster.get(reference, options),
    list: (resource, options) => cluster.list(resource, options),
    watch: (resource, options) => cluster.watch(resource, options),
    create: (resource) => refuse('Cluster.create', groupResourceOf(resource)),
    patch: refuseFor('Cluster.patch'),
    delete: refuseFor('Cluster.delete'),
    close: () => cluster.close(),
    [Symbol.asyncDispose]: () => cluster.close(),
  };
}
