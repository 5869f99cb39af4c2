import { clusterContract } from '@lifeboat/core/testing';
import { describe, it } from 'vitest';
import { testCluster } from '../cluster/test-cluster.ts';
import { ClusterHost } from './cluster-host.ts';

describe.concurrent.each([1, 2] as const)(
  'cluster contract on the real API server %i',
  (number) => {
    for (const contractCase of clusterContract) {
      it(contractCase.name, async (context) => {
        await new ClusterHost(testCluster(context).describe(number)).run(contractCase);
      });
    }
  },
);
