import { afterEach, describe, it } from 'vitest';
import { Resources } from '../../model/resources.ts';
import { clusterContract } from '../cluster-contract/cluster-contract.ts';
import { FakeCluster } from './fake-cluster.ts';

describe('FakeCluster keeps the cluster contract', () => {
  let cluster = new FakeCluster();
  afterEach(async () => {
    await cluster.close();
  });

  for (const contractCase of clusterContract) {
    it(contractCase.name, async ({ signal }) => {
      cluster = new FakeCluster();
      const namespace = 'contract';
      await cluster.create(Resources.namespaces, {
        apiVersion: 'v1',
        kind: 'Namespace',
        metadata: { name: namespace },
      });
      await contractCase.run({
        cluster,
        namespace,
        signal,
        csi: {
          driver: cluster.csi.name,
          storageClassName: 'fake-csi',
          deletingSnapshotClassName: 'fake-csi',
          retainingSnapshotClassName: 'fake-csi-retain',
        },
        open: () => cluster.connect(),
        forgetHistory: async () => {
          cluster.compact();
        },
        breakConnections: async () => {
          cluster.breakConnections();
        },
        restrictedCluster: failing('Forbidden'),
        unauthenticatedCluster: failing('Unauthorized'),
        unreachableCluster: failing('Unavailable'),
      });
    });
  }

  function failing(error: 'Forbidden' | 'Unauthorized' | 'Unavailable') {
    const connection = cluster.connect();
    connection.faults.inject({ error });
    return connection;
  }
});
