import type { JsonObject } from '../../../model/json.ts';
import type { KubernetesManifest } from '../../../model/kubernetes.ts';
import { fakeCsiDriverName } from './fake-csi-driver.ts';

const snapshotApiVersion = 'snapshot.storage.k8s.io/v1';

/** The CustomResourceDefinitions of the snapshot API, the driver, and classes to use it with. */
export const csiObjects: readonly KubernetesManifest[] = [
  definition('VolumeSnapshot', 'Namespaced', ['vs'], ['spec', 'status']),
  definition('VolumeSnapshotContent', 'Cluster', ['vsc', 'vscs'], ['spec', 'status']),
  definition(
    'VolumeSnapshotClass',
    'Cluster',
    ['vsclass', 'vsclasses'],
    ['deletionPolicy', 'driver', 'parameters'],
  ),
  {
    apiVersion: 'storage.k8s.io/v1',
    kind: 'CSIDriver',
    metadata: { name: fakeCsiDriverName },
    spec: { attachRequired: false, podInfoOnMount: false, volumeLifecycleModes: ['Persistent'] },
  },
  storageClass('fake-csi', 'Immediate', {
    'storageclass.kubernetes.io/is-default-class': 'true',
  }),
  storageClass('fake-csi-wffc', 'WaitForFirstConsumer', {}),
  snapshotClass('fake-csi', 'Delete', { 'velero.io/csi-volumesnapshot-class': 'true' }),
  snapshotClass('fake-csi-retain', 'Retain', {}),
  groupDefinition('VolumeGroupSnapshot', 'Namespaced', ['vgs'], ['spec', 'status']),
  groupDefinition('VolumeGroupSnapshotContent', 'Cluster', ['vgsc', 'vgscs'], ['spec', 'status']),
  groupDefinition(
    'VolumeGroupSnapshotClass',
    'Cluster',
    ['vgsclass', 'vgsclasses'],
    ['deletionPolicy', 'driver', 'parameters'],
  ),
  {
    apiVersion: 'groupsnapshot.storage.k8s.io/v1',
    kind: 'VolumeGroupSnapshotClass',
    metadata: { name: 'fake-csi' },
    driver: fakeCsiDriverName,
    deletionPolicy: 'Delete',
  },
];

function groupDefinition(
  kind: string,
  scope: string,
  shortNames: readonly string[],
  fields: readonly string[],
): KubernetesManifest {
  return definition(kind, scope, shortNames, fields, 'groupsnapshot.storage.k8s.io');
}

function storageClass(
  name: string,
  volumeBindingMode: string,
  annotations: Readonly<Record<string, string>>,
): KubernetesManifest {
  return {
    apiVersion: 'storage.k8s.io/v1',
    kind: 'StorageClass',
    metadata: { name, ...(Object.keys(annotations).length > 0 && { annotations }) },
    provisioner: fakeCsiDriverName,
    reclaimPolicy: 'Delete',
    volumeBindingMode,
  };
}

function snapshotClass(
  name: string,
  deletionPolicy: string,
  labels: Readonly<Record<string, string>>,
): KubernetesManifest {
  return {
    apiVersion: snapshotApiVersion,
    kind: 'VolumeSnapshotClass',
    metadata: { name, ...(Object.keys(labels).length > 0 && { labels }) },
    driver: fakeCsiDriverName,
    deletionPolicy,
  };
}

function definition(
  kind: string,
  scope: string,
  shortNames: readonly string[],
  fields: readonly string[],
  group = 'snapshot.storage.k8s.io',
): KubernetesManifest {
  const plural = `${kind.toLowerCase()}${kind.endsWith('s') ? 'es' : 's'}`;
  const freeForm = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true };
  const properties: JsonObject = Object.fromEntries(
    fields.map((field) => [
      field,
      field === 'spec' || field === 'status' || field === 'parameters'
        ? freeForm
        : { type: 'string' },
    ]),
  );
  const names = { kind, listKind: `${kind}List`, plural, singular: kind.toLowerCase(), shortNames };
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: {
      name: `${plural}.${group}`,
      annotations: {
        'api-approved.kubernetes.io':
          'https://github.com/kubernetes-csi/external-snapshotter/pull/814',
      },
    },
    spec: {
      conversion: { strategy: 'None' },
      group,
      names,
      scope,
      versions: [
        {
          name: 'v1',
          served: true,
          storage: true,
          ...(fields.includes('status') && { subresources: { status: {} } }),
          schema: { openAPIV3Schema: { type: 'object', properties } },
        },
      ],
    },
  };
}
