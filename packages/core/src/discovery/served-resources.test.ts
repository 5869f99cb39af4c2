import { describe, expect, it } from 'vitest';

import {
  type ApiGroup,
  type ApiResource,
  apiVersionOf,
  type Discovery,
  groupResourceOf,
} from '../model/kubernetes.ts';
import { servedResources } from './served-resources.ts';

const everyVerb = ['create', 'delete', 'get', 'list', 'patch', 'update', 'watch'];

function group(name: string, ...versions: readonly [string, ...string[]]): ApiGroup {
  return { name, versions, preferredVersion: versions[0] };
}

function resource(
  groupName: string,
  version: string,
  plural: string,
  verbs: readonly string[] = everyVerb,
): ApiResource {
  return {
    group: groupName,
    version,
    resource: plural,
    kind: plural,
    singularName: '',
    shortNames: [],
    categories: [],
    namespaced: true,
    verbs,
    subresources: [],
  };
}

function names(
  discovery: Partial<Discovery>,
  includes?: (resource: ApiResource) => boolean,
): readonly string[] {
  const { resources } = servedResources(
    { groups: [], resources: [], failures: [], ...discovery },
    includes,
  );
  return resources.map((one) => `${apiVersionOf(one)} ${one.resource}`);
}

describe('servedResources', () => {
  it('lists groups in the order of the server, extensions last, whatever the order of the resources', () => {
    expect(
      names({
        groups: [
          group('', 'v1'),
          group('extensions', 'v1beta1'),
          group('apps', 'v1'),
          group('z', 'v1'),
        ],
        resources: [
          resource('z', 'v1', 'zs'),
          resource('apps', 'v1', 'statefulsets'),
          resource('extensions', 'v1beta1', 'ingresses'),
          resource('', 'v1', 'configmaps'),
        ],
      }),
    ).toEqual(['v1 configmaps', 'apps/v1 statefulsets', 'z/v1 zs', 'extensions/v1beta1 ingresses']);
  });

  it('lists pods, claims and volumes first of the core group and leaves the rest in place', () => {
    expect(
      names({
        groups: [group('apps', 'v1'), group('', 'v1')],
        resources: [
          ...[
            'bindings',
            'configmaps',
            'persistentvolumes',
            'persistentvolumeclaims',
            'pods',
            'services',
          ].map((plural) => resource('', 'v1', plural)),
          resource('apps', 'v1', 'deployments'),
        ],
      }),
    ).toEqual([
      'apps/v1 deployments',
      'v1 pods',
      'v1 persistentvolumeclaims',
      'v1 persistentvolumes',
      'v1 bindings',
      'v1 configmaps',
      'v1 services',
    ]);
  });

  it('takes each resource once, in the preferred version or the first that serves it', () => {
    expect(
      names({
        groups: [{ name: 'batch', versions: ['v1beta1', 'v1', 'v2'], preferredVersion: 'v1' }],
        resources: [
          resource('batch', 'v1beta1', 'cronjobs'),
          resource('batch', 'v1beta1', 'scheduledjobs'),
          resource('batch', 'v2', 'scheduledjobs'),
          resource('batch', 'v1', 'cronjobs'),
          resource('batch', 'v1', 'jobs'),
        ],
      }),
    ).toEqual(['batch/v1 cronjobs', 'batch/v1 jobs', 'batch/v1beta1 scheduledjobs']);
  });

  it.each(['list', 'create', 'get', 'delete'])('leaves out what cannot be asked to %s', (verb) => {
    const verbs = everyVerb.filter((one) => one !== verb);
    expect(
      names({ groups: [group('', 'v1')], resources: [resource('', 'v1', 'bindings', verbs)] }),
    ).toEqual([]);
  });

  it('leaves out subresources', () => {
    expect(
      names({ groups: [group('', 'v1')], resources: [resource('', 'v1', 'pods/status')] }),
    ).toEqual([]);
  });

  it.each<[string, string, string]>([
    ['deployments', 'apps', 'extensions'],
    ['daemonsets', 'apps', 'extensions'],
    ['replicasets', 'apps', 'extensions'],
    ['networkpolicies', 'networking.k8s.io', 'extensions'],
    ['events', '', 'events.k8s.io'],
  ])('takes %s from one of the two groups that serve them', (plural, first, second) => {
    const discovery = {
      groups: [group(second, 'v1'), group(first, 'v1')],
      resources: [resource(first, 'v1', plural), resource(second, 'v1', plural)],
    };
    const inServerOrder = second === 'extensions' ? first : second;
    expect(names(discovery)).toEqual([
      `${apiVersionOf({ group: inServerOrder, version: 'v1' })} ${plural}`,
    ]);
    expect(names(discovery, (one) => one.group === first)).toHaveLength(1);
    expect(names(discovery, (one) => one.group === second)).toHaveLength(1);
  });

  it('does not take other resources of the same name for the same objects', () => {
    expect(
      names({
        groups: [group('apps', 'v1'), group('example.com', 'v1')],
        resources: [
          resource('apps', 'v1', 'deployments'),
          resource('example.com', 'v1', 'deployments'),
        ],
      }),
    ).toHaveLength(2);
  });

  it('leaves out what the backup does not select', () => {
    expect(
      names(
        {
          groups: [group('', 'v1')],
          resources: [resource('', 'v1', 'pods'), resource('', 'v1', 'secrets')],
        },
        (one) => groupResourceOf(one) !== 'secrets',
      ),
    ).toEqual(['v1 pods']);
  });

  it('hands on what the server could not say', () => {
    const failures = [{ group: 'metrics.k8s.io', version: 'v1beta1', message: 'unavailable' }];
    expect(servedResources({ groups: [], resources: [], failures }).failures).toEqual(failures);
  });
});
