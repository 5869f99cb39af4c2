import { expect, it } from 'vitest';
import type { JsonObject } from '../model/json.ts';
import type { KubernetesObject, StringMap } from '../model/kubernetes.ts';
import { stringAt } from '../model/object-path.ts';
import { type GroupContentRequest, groupContentManifest } from './group-content-manifest.ts';

const apiVersion = 'groupsnapshot.storage.k8s.io/v1';
const driver = 'disk.csi.example';

function groupClass(name: string, of: string, secret?: string): KubernetesObject {
  const parameters: JsonObject =
    secret === undefined
      ? {}
      : {
          'csi.storage.k8s.io/group-snapshotter-secret-name': secret,
          'csi.storage.k8s.io/group-snapshotter-secret-namespace': 'storage',
        };
  return {
    apiVersion,
    kind: 'VolumeGroupSnapshotClass',
    metadata: { name },
    driver: of,
    parameters,
  };
}

/** The content of a member of a group, to which the snapshot-controller has written the group's Secret. */
function memberContent(secret?: string): KubernetesObject {
  const annotations: StringMap =
    secret === undefined
      ? {}
      : {
          'snapshot.storage.kubernetes.io/deletion-secret-name': secret,
          'snapshot.storage.kubernetes.io/deletion-secret-namespace': 'storage',
        };
  return {
    apiVersion: 'snapshot.storage.k8s.io/v1',
    kind: 'VolumeSnapshotContent',
    metadata: { name: 'snapcontent-1', annotations },
  };
}

function manifest(
  overrides: Partial<GroupContentRequest> = {},
): ReturnType<typeof groupContentManifest> {
  return groupContentManifest({
    apiVersion,
    name: 'n',
    labels: { 'velero.io/backup-name': 'b' },
    driver,
    deletionPolicy: 'Retain',
    groupSnapshotHandle: 'g-1',
    snapshotHandles: ['h-1', 'h-2'],
    groupSnapshotRef: { namespace: 'shop', name: 'n' },
    classes: [],
    ...overrides,
  });
}

it('stands for the handles of a group', () => {
  expect(manifest({ finalizers: ['example.com/stay'] })).toEqual({
    apiVersion,
    kind: 'VolumeGroupSnapshotContent',
    metadata: {
      name: 'n',
      labels: { 'velero.io/backup-name': 'b' },
      annotations: {},
      finalizers: ['example.com/stay'],
    },
    spec: {
      deletionPolicy: 'Retain',
      driver,
      source: {
        groupSnapshotHandles: {
          volumeGroupSnapshotHandle: 'g-1',
          volumeSnapshotHandles: ['h-1', 'h-2'],
        },
      },
      volumeGroupSnapshotRef: {
        apiVersion,
        kind: 'VolumeGroupSnapshot',
        namespace: 'shop',
        name: 'n',
      },
    },
  });
});

it.each<[string, Partial<GroupContentRequest>, string | undefined, string | undefined]>([
  ['no class and no Secret where there is none', {}, undefined, undefined],
  [
    'the Secret that the backup tells where there is no class',
    { origin: memberContent('stored') },
    undefined,
    'stored',
  ],
  [
    'no class of another driver',
    { classes: [groupClass('a', 'other', 'x')] },
    undefined,
    undefined,
  ],
  [
    'the first class of its driver by name, with its Secret',
    { classes: [groupClass('c', driver, 'of-c'), groupClass('b', driver, 'of-b')] },
    'b',
    'of-b',
  ],
  [
    "rather than that, a class with the backup's Secret",
    {
      classes: [groupClass('b', driver, 'of-b'), groupClass('c', driver, 'of-c')],
      origin: memberContent('of-c'),
    },
    'c',
    'of-c',
  ],
  [
    "the class's Secret where it is not the backup's",
    { classes: [groupClass('b', driver, 'of-b')], origin: memberContent('stored') },
    'b',
    'of-b',
  ],
  [
    'the Secret that the backup tells where the class has none',
    { classes: [groupClass('b', driver)], origin: memberContent('stored') },
    'b',
    'stored',
  ],
  [
    'the Secret that the backup tells where the class has a template',
    {
      classes: [groupClass('b', driver, '${volumegroupsnapshot.name}')],
      origin: memberContent('stored'),
    },
    'b',
    'stored',
  ],
  [
    'a class without Secret where the snapshots were taken without one',
    {
      classes: [groupClass('b', driver, 'of-b'), groupClass('c', driver)],
      origin: memberContent(),
    },
    'c',
    undefined,
  ],
])('names %s', (_rule, overrides, className, secretName) => {
  const { metadata, spec } = manifest(overrides);
  expect(stringAt({ spec }, ['spec', 'volumeGroupSnapshotClassName'])).toBe(className);
  expect(metadata.annotations).toEqual(
    secretName === undefined
      ? {}
      : {
          'groupsnapshot.storage.kubernetes.io/deletion-secret-name': secretName,
          'groupsnapshot.storage.kubernetes.io/deletion-secret-namespace': 'storage',
        },
  );
});
