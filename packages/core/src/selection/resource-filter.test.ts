import { describe, expect, it } from 'vitest';

import type { BackupSpec } from '../model/backup.ts';
import { type ApiResource, groupResourceOf } from '../model/kubernetes.ts';
import { completeBackupSpec } from './backup-request.ts';
import { createResourceFilter } from './resource-filter.ts';

function resource(group: string, plural: string, namespaced: boolean): ApiResource {
  return {
    group,
    version: 'v1',
    resource: plural,
    kind: plural,
    singularName: plural.slice(0, -1),
    shortNames: [],
    categories: [],
    namespaced,
    verbs: ['list', 'create', 'get', 'delete'],
    subresources: [],
  };
}

const snapshots = 'snapshot.storage.k8s.io';
const served: readonly ApiResource[] = [
  resource('', 'pods', true),
  resource('', 'secrets', true),
  resource('apps', 'deployments', true),
  resource(snapshots, 'volumesnapshots', true),
  resource('', 'namespaces', false),
  resource('', 'persistentvolumes', false),
  resource('storage.k8s.io', 'storageclasses', false),
  resource(snapshots, 'volumesnapshotcontents', false),
  resource('apiextensions.k8s.io', 'customresourcedefinitions', false),
];
const definitions = 'customresourcedefinitions.apiextensions.k8s.io';
const namespaced = ['pods', 'secrets', 'deployments.apps'];
const cluster = ['namespaces', 'persistentvolumes', 'storageclasses.storage.k8s.io', definitions];

function resolveResource(name: string): ApiResource | undefined {
  return served.find(
    (one) => name === groupResourceOf(one) || name === one.resource || name === one.singularName,
  );
}

interface Row {
  readonly spec: BackupSpec;
  /** Of every namespace, and of some. */
  readonly listed: readonly [readonly string[], readonly string[]];
  /** What stays out even when pulled along, snapshot resources aside, when some namespaces are selected. */
  readonly excludesRelated?: readonly string[];
}

const rows: readonly Row[] = [
  {
    spec: {},
    listed: [
      [...namespaced, ...cluster],
      [...namespaced, 'namespaces'],
    ],
    excludesRelated: [],
  },
  // The filters of both scopes.
  {
    spec: { includeClusterResources: true },
    listed: [
      [...namespaced, ...cluster],
      [...namespaced, ...cluster],
    ],
    excludesRelated: [],
  },
  {
    spec: { includeClusterResources: false },
    listed: [namespaced, namespaced],
    excludesRelated: cluster,
  },
  {
    spec: { excludedResources: ['secrets'] },
    listed: [
      ['pods', 'deployments.apps', ...cluster],
      ['pods', 'deployments.apps', 'namespaces'],
    ],
    excludesRelated: ['secrets'],
  },
  {
    spec: { includedResources: ['pod', 'deploy*', 'persistentvolumes'] },
    listed: [
      ['pods', 'deployments.apps', 'persistentvolumes'],
      ['pods', 'deployments.apps'],
    ],
    excludesRelated: ['secrets', 'namespaces', 'storageclasses.storage.k8s.io'],
  },
  {
    spec: { includedResources: ['pods'], includeClusterResources: true },
    listed: [['pods'], ['pods']],
    excludesRelated: ['secrets', 'deployments.apps'],
  },
  {
    spec: { includedResources: ['*'], excludedResources: ['storageclasses'] },
    listed: [
      [...namespaced, 'namespaces', 'persistentvolumes', definitions],
      [...namespaced, 'namespaces'],
    ],
    excludesRelated: ['storageclasses.storage.k8s.io'],
  },
  {
    spec: { includedResources: ['pods'], excludedResources: [definitions] },
    listed: [['pods'], ['pods']],
    excludesRelated: ['secrets', 'deployments.apps', ...cluster],
  },
  {
    spec: { includedResources: ['pods'], includeClusterResources: false },
    listed: [['pods'], ['pods']],
    excludesRelated: ['secrets', 'deployments.apps', ...cluster],
  },
  // The filters of one scope.
  {
    spec: { includedClusterScopedResources: ['*'] },
    listed: [
      [...namespaced, ...cluster],
      [...namespaced, ...cluster],
    ],
    excludesRelated: [],
  },
  {
    spec: { includedClusterScopedResources: ['storageclass*'] },
    listed: [
      [...namespaced, 'namespaces', 'storageclasses.storage.k8s.io'],
      [...namespaced, 'namespaces', 'storageclasses.storage.k8s.io'],
    ],
    excludesRelated: [],
  },
  {
    spec: { excludedClusterScopedResources: ['persistentvolumes'] },
    listed: [
      [...namespaced, 'namespaces'],
      [...namespaced, 'namespaces'],
    ],
    excludesRelated: ['persistentvolumes'],
  },
  {
    spec: { excludedClusterScopedResources: ['*'] },
    listed: [namespaced, namespaced],
    excludesRelated: cluster,
  },
  {
    spec: { includedNamespaceScopedResources: ['pods'] },
    listed: [
      ['pods', 'namespaces'],
      ['pods', 'namespaces'],
    ],
    excludesRelated: ['secrets', 'deployments.apps'],
  },
  {
    spec: { excludedNamespaceScopedResources: ['*.apps', 'secret'] },
    listed: [
      ['pods', 'namespaces'],
      ['pods', 'namespaces'],
    ],
    excludesRelated: ['secrets', 'deployments.apps'],
  },
  // A list that names only what it cannot select selects nothing, rather than everything.
  {
    spec: { includedNamespaceScopedResources: ['persistentvolumes'] },
    listed: [['namespaces'], ['namespaces']],
  },
  {
    spec: { includedNamespaceScopedResources: [`volumesnapshots.${snapshots}`] },
    listed: [['namespaces'], ['namespaces']],
  },
  { spec: { includedResources: ['gizmos.example.com'] }, listed: [[], []] },
];

describe.each([
  ['as it is asked for', (spec: BackupSpec): BackupSpec => spec],
  ['completed', completeBackupSpec],
])('the filter of a spec %s', (_how, prepare) => {
  it.each(rows)('$spec', ({ spec, listed, excludesRelated }) => {
    for (const [index, everyNamespace] of [true, false].entries()) {
      const filter = createResourceFilter(prepare(spec), { resolveResource, everyNamespace });
      const names = served.filter((one) => filter.includes(one)).map(groupResourceOf);
      expect(names).toEqual(listed[index]);
    }
    if (excludesRelated !== undefined) {
      const filter = createResourceFilter(prepare(spec), {
        resolveResource,
        everyNamespace: false,
      });
      const names = served.filter((one) => filter.excludesRelated(one)).map(groupResourceOf);
      expect(names.filter((name) => !name.includes(snapshots))).toEqual(excludesRelated);
      expect(names.filter((name) => name.includes(snapshots))).toHaveLength(2);
    }
  });
});

describe('problems of a filter', () => {
  it.each<[BackupSpec, readonly RegExp[]]>([
    [{}, []],
    [{ includedResources: ['pods', 'g*'] }, []],
    [{ includedResources: ['gizmos'] }, [/serves no resource "gizmos"/]],
    [{ excludedResources: ['gizmos'] }, []],
    [{ includedClusterScopedResources: ['pods'] }, [/"pods" is namespaced, but .* cluster-scoped/]],
    [
      { excludedNamespaceScopedResources: ['persistentvolumes'] },
      [/"persistentvolumes" is cluster-scoped, but .* namespaced/],
    ],
    [{ includedResources: ['volumesnapshot'] }, [/"volumesnapshot" cannot be selected/]],
    [{ includedClusterScopedResources: ['volumesnapshotcontents'] }, [/cannot be selected/]],
  ])('%j', (spec, expected) => {
    const { problems } = createResourceFilter(completeBackupSpec(spec), {
      resolveResource,
      everyNamespace: true,
    });
    expect(problems).toHaveLength(expected.length);
    for (const [index, pattern] of expected.entries()) {
      expect(problems[index]).toMatch(pattern);
    }
  });
});
