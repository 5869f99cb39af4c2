import type { JsonObject } from '../model/json.ts';
import { objectsAt, stringAt, withValueAt } from '../model/object-path.ts';
import { Resources } from '../model/resources.ts';
import type { FakeCluster } from '../testing/fake-cluster/fake-cluster.ts';

/** Makes a cluster serve the snapshot API as Kubernetes before 1.20 did, in v1beta1 only. */
export async function serveOnlyV1beta1(cluster: FakeCluster): Promise<FakeCluster> {
  for await (const definition of cluster.list(Resources.customResourceDefinitions)) {
    if (stringAt(definition, ['spec', 'group']) === Resources.volumeSnapshots.group) {
      const versions = objectsAt(definition, ['spec', 'versions']).map(
        (version): JsonObject => ({ ...version, name: 'v1beta1' }),
      );
      cluster.seed([withValueAt(definition, ['spec', 'versions'], versions)]);
    }
  }
  return cluster;
}
