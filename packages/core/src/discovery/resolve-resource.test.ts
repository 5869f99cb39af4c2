import { describe, expect, it } from 'vitest';

import { type ApiResource, apiVersionOf, type Discovery } from '../model/kubernetes.ts';
import { resolveResource } from './resolve-resource.ts';

function resource(
  group: string,
  version: string,
  plural: string,
  kind: string,
  ...shortNames: readonly string[]
): ApiResource {
  return {
    group,
    version,
    resource: plural,
    kind,
    singularName: kind.toLowerCase(),
    shortNames,
    categories: ['all'],
    namespaced: true,
    verbs: ['get'],
    subresources: [],
  };
}

const discovery: Discovery = {
  groups: [
    { name: '', versions: ['v1'], preferredVersion: 'v1' },
    { name: 'extensions', versions: ['v1beta1'], preferredVersion: 'v1beta1' },
    { name: 'apps', versions: ['v1', 'v1beta2'], preferredVersion: 'v1' },
    { name: 'metrics.k8s.io', versions: ['v1beta1'], preferredVersion: 'v1beta1' },
    { name: 'snapshot.storage.k8s.io', versions: ['v1'], preferredVersion: 'v1' },
    { name: 'example.com', versions: ['v1'], preferredVersion: 'v1' },
    { name: 'example', versions: ['v1'], preferredVersion: 'v1' },
  ],
  resources: [
    resource('', 'v1', 'pods', 'Pod', 'po'),
    resource('', 'v1', 'endpoints', 'Endpoints', 'ep'),
    resource('extensions', 'v1beta1', 'deployments', 'Deployment', 'deploy'),
    resource('apps', 'v1', 'deployments', 'Deployment', 'deploy'),
    resource('apps', 'v1beta2', 'deployments', 'Deployment', 'deploy'),
    resource('metrics.k8s.io', 'v1beta1', 'pods', 'PodMetrics'),
    resource('snapshot.storage.k8s.io', 'v1', 'volumesnapshots', 'VolumeSnapshot', 'vs'),
    resource('example.com', 'v1', 'po', 'Po'),
    resource('example.com', 'v1', 'gizmos', 'Gizmo', 'pod'),
    resource('example', 'v1', 'gadgets', 'Gadget'),
  ],
  failures: [],
};

describe('resolveResource', () => {
  it.each<[string, string | undefined]>([
    ['pods', 'v1 pods'],
    ['pod', 'v1 pods'],
    ['Pod', 'v1 pods'],
    ['PODS', 'v1 pods'],
    ['ep', 'v1 endpoints'],
    ['po', 'example.com/v1 po'],
    ['vs', 'snapshot.storage.k8s.io/v1 volumesnapshots'],
    ['deploy', 'apps/v1 deployments'],
    ['deployments', 'apps/v1 deployments'],
    ['deployments.apps', 'apps/v1 deployments'],
    ['deployment.extensions', 'extensions/v1beta1 deployments'],
    ['Deployment.v1beta2.apps', 'apps/v1beta2 deployments'],
    ['deployments.v1.apps', 'apps/v1 deployments'],
    ['deployments.v9.apps', undefined],
    ['pods.v1', 'v1 pods'],
    ['pods.v1.', 'v1 pods'],
    ['pods.metrics.k8s.io', 'metrics.k8s.io/v1beta1 pods'],
    ['podmetrics', 'metrics.k8s.io/v1beta1 pods'],
    ['volumesnapshots.snapshot', 'snapshot.storage.k8s.io/v1 volumesnapshots'],
    ['gizmos.example', 'example.com/v1 gizmos'],
    ['gadgets.example', 'example/v1 gadgets'],
    ['gadgets.example.com', undefined],
    ['', undefined],
    ['.apps', undefined],
    ['*', undefined],
    ['all', undefined],
    ['nothing', undefined],
    ['pods.nothing', undefined],
    ['constructor', undefined],
  ])('%j is %j', (name, expected) => {
    const found = resolveResource(discovery, name);
    expect(found && `${apiVersionOf(found)} ${found.resource}`).toBe(expected);
  });
});
