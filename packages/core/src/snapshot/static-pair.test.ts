import { expect, it } from 'vitest';
import type { JsonObject } from '../model/json.ts';
import type { KubernetesObject, StringMap } from '../model/kubernetes.ts';
import {
  isSameStaticContent,
  type StaticContentRequest,
  staticContentManifest,
  staticSnapshotManifest,
} from './static-pair.ts';

const apiVersion = 'snapshot.storage.k8s.io/v1';
const deletionSecret = {
  'snapshot.storage.kubernetes.io/deletion-secret-name': 'creds',
  'snapshot.storage.kubernetes.io/deletion-secret-namespace': 'storage',
};
const origin: KubernetesObject = {
  apiVersion,
  kind: 'VolumeSnapshotContent',
  metadata: {
    name: 'snapcontent-1',
    uid: 'old',
    resourceVersion: '7',
    labels: { 'velero.io/backup-name': 'b', 'snapshot.storage.kubernetes.io/managed-by': 'node-1' },
    annotations: {
      ...deletionSecret,
      'snapshot.storage.kubernetes.io/volumesnapshot-being-created': 'yes',
    },
    finalizers: ['snapshot.storage.kubernetes.io/volumesnapshotcontent-bound-protection'],
  },
  spec: { sourceVolumeMode: 'Block', driver: 'disk.csi.example', deletionPolicy: 'Delete' },
};

function snapshotClass(name: string, driver: string, parameters?: JsonObject): KubernetesObject {
  return {
    apiVersion,
    kind: 'VolumeSnapshotClass',
    metadata: { name },
    driver,
    ...(parameters && { parameters }),
  };
}

function manifest(
  overrides: Partial<StaticContentRequest> = {},
): ReturnType<typeof staticContentManifest> {
  return staticContentManifest({
    name: 'n',
    driver: 'disk.csi.example',
    snapshotHandle: 'h-1',
    deletionPolicy: 'Retain',
    volumeSnapshotRef: { namespace: 'shop', name: 'n' },
    labels: { 'velero.io/restore-name': 'r' },
    classes: [],
    ...overrides,
  });
}

it('stands for a handle, with nothing of the old object but what the storage needs', () => {
  expect(manifest({ origin })).toEqual({
    apiVersion,
    kind: 'VolumeSnapshotContent',
    metadata: {
      name: 'n',
      labels: {
        'velero.io/restore-name': 'r',
        'snapshot.storage.kubernetes.io/managed-by': 'node-1',
      },
      annotations: deletionSecret,
    },
    spec: {
      deletionPolicy: 'Retain',
      driver: 'disk.csi.example',
      source: { snapshotHandle: 'h-1' },
      sourceVolumeMode: 'Block',
      volumeSnapshotRef: { apiVersion, kind: 'VolumeSnapshot', namespace: 'shop', name: 'n' },
    },
  });
});

it('names the first class of its driver by name', () => {
  const classes = [
    snapshotClass('a', 'other'),
    snapshotClass('c', 'disk.csi.example'),
    snapshotClass('b', 'disk.csi.example'),
  ];
  expect(manifest({ classes })).toMatchObject({ spec: { volumeSnapshotClassName: 'b' } });
});

it.each([
  ['the class that it was taken with', 'c', 'c'],
  ['none of another driver, although of that name', 'a', 'b'],
])('names %s', (_rule, former, expected) => {
  const classes = [
    snapshotClass('a', 'other'),
    snapshotClass('b', 'disk.csi.example'),
    snapshotClass('c', 'disk.csi.example'),
  ];
  const taken = { ...origin, spec: { volumeSnapshotClassName: former } };
  expect(manifest({ classes, origin: taken })).toMatchObject({
    spec: { volumeSnapshotClassName: expected },
  });
});

it.each([
  [undefined, undefined, undefined],
  [undefined, true, 'true'],
  ['true', undefined, 'true'],
  ['true', false, 'false'],
])(
  'with a volumeMode change of %s in the backup and %s asked for, it says %s',
  (stored, allowVolumeModeChange, expected) => {
    const key = 'snapshot.storage.kubernetes.io/allow-volume-mode-change';
    const annotations: StringMap = stored === undefined ? {} : { [key]: stored };
    const taken = { ...origin, metadata: { ...origin.metadata, annotations } };
    expect(manifest({ origin: taken, allowVolumeModeChange }).metadata.annotations?.[key]).toBe(
      expected,
    );
  },
);

it.each<[string, JsonObject, JsonObject]>([
  [
    'names the Secret of the class',
    {
      'csi.storage.k8s.io/snapshotter-secret-name': 'new',
      'csi.storage.k8s.io/snapshotter-secret-namespace': 'kube-system',
    },
    {
      'snapshot.storage.kubernetes.io/deletion-secret-name': 'new',
      'snapshot.storage.kubernetes.io/deletion-secret-namespace': 'kube-system',
    },
  ],
  ['keeps the Secret of the backup when the class has none', {}, deletionSecret],
  [
    'keeps the Secret of the backup when the class has a template',
    {
      'csi.storage.k8s.io/snapshotter-secret-name': '${volumesnapshot.name}',
      'csi.storage.k8s.io/snapshotter-secret-namespace': 'kube-system',
    },
    deletionSecret,
  ],
])('%s', (_rule, parameters, annotations) => {
  const classes = [snapshotClass('a', 'disk.csi.example', parameters)];
  expect(manifest({ classes, origin }).metadata.annotations).toEqual(annotations);
});

it('refers from the VolumeSnapshot to the content and keeps the facts about the snapshot', () => {
  const volumeSnapshot: KubernetesObject = {
    apiVersion,
    kind: 'VolumeSnapshot',
    metadata: {
      name: 'velero-data-x7k2m',
      namespace: 'shop',
      labels: { 'argocd.argoproj.io/instance': 'x' },
      annotations: {
        note: 'x',
        'velero.io/csi-driver-name': 'disk.csi.example',
        'velero.io/csi-vsc-deletion-policy': 'Delete',
      },
    },
  };
  const labels = { 'velero.io/restore-name': 'r' };
  expect(
    staticSnapshotManifest({ name: 'n', namespace: 'copy', labels, origin: volumeSnapshot }),
  ).toEqual({
    apiVersion,
    kind: 'VolumeSnapshot',
    metadata: {
      name: 'n',
      namespace: 'copy',
      labels,
      annotations: {
        'velero.io/csi-driver-name': 'disk.csi.example',
        'velero.io/csi-vsc-deletion-policy': 'Retain',
      },
    },
    spec: { source: { volumeSnapshotContentName: 'n' } },
  });
});

it.each<[string, Partial<StaticContentRequest>, JsonObject, boolean]>([
  ['the same content', {}, {}, true],
  ['the same content with other labels', { labels: {} }, {}, true],
  ['another handle', { snapshotHandle: 'h-2' }, {}, false],
  ['another driver', { driver: 'x' }, {}, false],
  ['another namespace', { volumeSnapshotRef: { namespace: 'x', name: 'n' } }, {}, false],
  ['one that is being deleted', {}, { deletionTimestamp: '2026-01-01T00:00:00Z' }, false],
])('tells whether an existing content is ours: %s', (_case, overrides, metadata, expected) => {
  const { spec } = manifest(overrides);
  const existing: KubernetesObject = {
    apiVersion,
    kind: 'VolumeSnapshotContent',
    metadata: { name: 'n', ...metadata },
    ...(spec && { spec }),
  };
  expect(isSameStaticContent(existing, manifest())).toBe(expected);
});
