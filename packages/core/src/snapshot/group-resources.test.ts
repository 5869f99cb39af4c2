import { expect, it } from 'vitest';
import type { ApiResource, Discovery } from '../model/kubernetes.ts';
import { groupSnapshotResources } from './group-resources.ts';

const resources = [
  'volumegroupsnapshots',
  'volumegroupsnapshotcontents',
  'volumegroupsnapshotclasses',
] as const;

function served(version: string, names: readonly string[] = resources): readonly ApiResource[] {
  return names.map((resource) => ({
    group: 'groupsnapshot.storage.k8s.io',
    version,
    resource,
    kind: resource,
    singularName: resource,
    shortNames: [],
    categories: [],
    namespaced: false,
    verbs: [],
    subresources: [],
  }));
}

function choose(...found: readonly (readonly ApiResource[])[]): string | undefined {
  const discovery: Discovery = { groups: [], resources: found.flat(), failures: [] };
  return groupSnapshotResources(discovery)?.apiVersion;
}

it.each<[string, readonly (readonly ApiResource[])[], string | undefined]>([
  ['v1 before the betas', [served('v1beta1'), served('v1beta2'), served('v1')], 'v1'],
  ['v1beta2 before v1beta1', [served('v1beta1'), served('v1beta2')], 'v1beta2'],
  ['v1beta1 when there is no other', [served('v1beta1')], 'v1beta1'],
  [
    'an older version that is whole',
    [served('v1', resources.slice(1)), served('v1beta2')],
    'v1beta2',
  ],
  ['nothing of a version it does not know', [served('v1alpha1')], undefined],
  ['nothing where there is nothing', [], undefined],
])('takes %s', (_title, found, version) => {
  expect(choose(...found)).toBe(
    version === undefined ? undefined : `groupsnapshot.storage.k8s.io/${version}`,
  );
});
