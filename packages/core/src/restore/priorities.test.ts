import { expect, it } from 'vitest';
import { orderResources } from './priorities.ts';

it('puts what others need first, what reacts to others last, and the rest between by name', () => {
  const present = [
    'deployments.apps',
    'clusters.cluster.x-k8s.io',
    'services',
    'pods',
    'persistentvolumeclaims',
    'persistentvolumes',
    'cronjobs.batch',
    'replicasets.apps',
    'secrets',
    'namespaces',
    'pods',
    'customresourcedefinitions.apiextensions.k8s.io',
  ];
  expect(orderResources(present)).toEqual([
    'customresourcedefinitions.apiextensions.k8s.io',
    'namespaces',
    'persistentvolumes',
    'persistentvolumeclaims',
    'secrets',
    'pods',
    'replicasets.apps',
    'services',
    'cronjobs.batch',
    'deployments.apps',
    'clusters.cluster.x-k8s.io',
  ]);
});
