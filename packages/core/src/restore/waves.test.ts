import { describe, expect, it } from 'vitest';
import { waveOrderOf, wavesOf } from './waves.ts';

// velero: pkg/cmd/server/config defaultRestorePriorities, without what Lifeboat never restores as an object of its own.
const veleroOrder = [
  'customresourcedefinitions.apiextensions.k8s.io',
  'namespaces',
  'storageclasses.storage.k8s.io',
  'volumesnapshotclasses.snapshot.storage.k8s.io',
  'persistentvolumes',
  'persistentvolumeclaims',
  'clusterroles.rbac.authorization.k8s.io',
  'roles.rbac.authorization.k8s.io',
  'serviceaccounts',
  'clusterrolebindings.rbac.authorization.k8s.io',
  'rolebindings.rbac.authorization.k8s.io',
  'secrets',
  'configmaps',
  'limitranges',
  'pods',
  'replicasets.apps',
  'clusterclasses.cluster.x-k8s.io',
  'endpoints',
  'services',
  'deployments.apps',
  'clusterbootstraps.run.tanzu.vmware.com',
  'clusters.cluster.x-k8s.io',
  'clusterresourcesets.addons.cluster.x-k8s.io',
  'apps.kappctrl.k14s.io',
  'packageinstalls.packaging.carvel.dev',
];

function waveIndexes(resources: readonly string[]): readonly number[] {
  const waves = wavesOf(resources);
  return resources.map((name) => waves.findIndex((wave) => wave.resources.includes(name)));
}

describe('wavesOf', () => {
  it('never restores a resource before one that Velero restores before it', () => {
    const indexes = waveIndexes(veleroOrder);
    expect(indexes).not.toContain(-1);
    expect(indexes).toEqual(indexes.toSorted((left, right) => left - right));
  });

  it('puts each resource into one wave, and leaves out what is not asked for', () => {
    const waves = wavesOf(['pods', 'jobs.batch', 'gizmos.example.com', 'services', 'jobs.batch']);
    expect(waves).toEqual([
      { name: 'pods', resources: ['pods'] },
      { name: 'services', resources: ['services'] },
      { name: 'everything else', resources: ['gizmos.example.com', 'jobs.batch'] },
    ]);
  });

  it.each([
    ['priorityclasses.scheduling.k8s.io', 'pods'],
    ['controllerrevisions.apps', 'statefulsets.apps'],
    ['pods', 'replicasets.apps'],
    ['replicasets.apps', 'deployments.apps'],
    ['endpoints', 'services'],
    ['deployments.apps', 'apiservices.apiregistration.k8s.io'],
    [
      'packageinstalls.packaging.carvel.dev',
      'validatingwebhookconfigurations.admissionregistration.k8s.io',
    ],
    ['gizmos.example.com', 'mutatingwebhookconfigurations.admissionregistration.k8s.io'],
  ])('%s are there before %s', (earlier, later) => {
    const [left = 0, right = 0] = waveIndexes([earlier, later]);
    expect(left).toBeLessThan(right);
  });

  it('follows an order of the caller alone, with one wave for each of its resources', () => {
    const order = waveOrderOf(['secrets', 'configmaps', '-', 'pods']);
    expect(wavesOf(['pods', 'namespaces', 'configmaps', 'secrets'], order)).toEqual([
      { name: 'secrets', resources: ['secrets'] },
      { name: 'configmaps', resources: ['configmaps'] },
      { name: 'everything else', resources: ['namespaces'] },
      { name: 'pods', resources: ['pods'] },
    ]);
  });

  it('takes an order without a separator for what comes first', () => {
    expect(wavesOf(['pods', 'secrets'], waveOrderOf(['pods'])).map(({ name }) => name)).toEqual([
      'pods',
      'everything else',
    ]);
  });
});
