import { expect, it } from 'vitest';
import type { JsonObject } from '../model/json.ts';
import type { KubernetesObject } from '../model/kubernetes.ts';
import { protectionOf } from './protected-object.ts';

function object(kind: string, metadata: JsonObject = {}, rest: JsonObject = {}): KubernetesObject {
  return { apiVersion: 'v1', kind, metadata: { name: 'x', ...metadata }, ...rest };
}

const sorts: readonly [groupResource: string, kind: string, rest?: JsonObject][] = [
  ['ipaddresses.networking.k8s.io', 'IPAddress'],
  ['endpoints', 'Endpoints'],
  ['endpointslices.discovery.k8s.io', 'EndpointSlice'],
  ['leases.coordination.k8s.io', 'Lease'],
  ['persistentvolumeclaims', 'PersistentVolumeClaim'],
  ['persistentvolumes', 'PersistentVolume'],
  ['namespaces', 'Namespace'],
  ['nodes', 'Node'],
  ['events', 'Event'],
  ['events.events.k8s.io', 'Event'],
  ['customresourcedefinitions.apiextensions.k8s.io', 'CustomResourceDefinition'],
  ['volumesnapshots.snapshot.storage.k8s.io', 'VolumeSnapshot'],
  ['volumegroupsnapshots.groupsnapshot.storage.k8s.io', 'VolumeGroupSnapshot'],
  ['backups.velero.io', 'Backup'],
  ['secrets', 'Secret', { type: 'kubernetes.io/service-account-token' }],
  ['secrets', 'Secret', { type: 'bootstrap.kubernetes.io/token' }],
];
it.each(sorts)('%s are never deleted: %s', (groupResource, kind, rest) => {
  const protection = `a ${kind} of this sort is never deleted by a rollback`;
  expect(protectionOf(groupResource, object(kind, {}, rest))).toBe(protection);
});

const owner = { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'web-1', uid: 'u' };
const single: readonly [what: string, groupResource: string, object: KubernetesObject, RegExp][] = [
  [
    'the certificates of every namespace',
    'configmaps',
    object('ConfigMap', { name: 'kube-root-ca.crt' }),
    /makes it by itself/,
  ],
  [
    'the account of every namespace',
    'serviceaccounts',
    object('ServiceAccount', { name: 'default' }),
    /makes it by itself/,
  ],
  [
    'the Service of the API server',
    'services',
    object('Service', { name: 'kubernetes' }),
    /makes it by itself/,
  ],
  [
    'a mirror pod',
    'pods',
    object('Pod', { annotations: { 'kubernetes.io/config.mirror': 'hash' } }),
    /makes it by itself/,
  ],
  [
    'what a controller owns',
    'pods',
    object('Pod', { ownerReferences: [{ ...owner, controller: true }] }),
    /belongs to ReplicaSet web-1/,
  ],
  [
    'what is going already',
    'configmaps',
    object('ConfigMap', { deletionTimestamp: '2026-01-01T00:00:00Z' }),
    /being deleted already/,
  ],
];
it.each(single)('%s is spared', (_what, groupResource, spared, words) => {
  expect(protectionOf(groupResource, spared)).toMatch(words);
});

const unprotected: readonly [string, KubernetesObject][] = [
  ['configmaps', object('ConfigMap')],
  ['configmaps', object('ConfigMap', { name: 'default' })],
  ['secrets', object('Secret', {}, { type: 'Opaque' })],
  ['pods', object('Pod', { ownerReferences: [owner] })],
  ['networkpolicies.networking.k8s.io', object('NetworkPolicy')],
];
it.each(unprotected)('other %s are not protected', (groupResource, other) => {
  expect(protectionOf(groupResource, other)).toBeUndefined();
});
