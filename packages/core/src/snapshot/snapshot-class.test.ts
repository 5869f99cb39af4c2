import { expect, it } from 'vitest';
import type { KubernetesObject, StringMap } from '../model/kubernetes.ts';
import { chooseVolumeSnapshotClass, type SnapshotClassQuery } from './snapshot-class.ts';

const driver = 'disk.csi.example';

function snapshotClass(
  name: string,
  {
    of = driver,
    labels,
    annotations,
  }: { of?: string; labels?: StringMap; annotations?: StringMap } = {},
): KubernetesObject {
  return {
    apiVersion: 'snapshot.storage.k8s.io/v1',
    kind: 'VolumeSnapshotClass',
    metadata: { name, ...(labels && { labels }), ...(annotations && { annotations }) },
    driver: of,
    deletionPolicy: 'Delete',
  };
}

const label = { 'velero.io/csi-volumesnapshot-class': 'true' };
const isDefault = { 'snapshot.storage.kubernetes.io/is-default-class': 'true' };

function choose(
  classes: readonly KubernetesObject[] | undefined,
  query: Partial<SnapshotClassQuery> = {},
): ReturnType<typeof chooseVolumeSnapshotClass> {
  return chooseVolumeSnapshotClass({
    classes,
    driver,
    claimAnnotations: {},
    backupAnnotations: {},
    ...query,
  });
}

it.each<[string, readonly KubernetesObject[], Partial<SnapshotClassQuery>, string]>([
  [
    'the only class of the driver',
    [snapshotClass('a'), snapshotClass('b', { of: 'other' })],
    {},
    'a',
  ],
  ['the labelled class', [snapshotClass('a'), snapshotClass('b', { labels: label })], {}, 'b'],
  [
    'a labelled class whatever the value of its label',
    [
      snapshotClass('a'),
      snapshotClass('b', { labels: { 'velero.io/csi-volumesnapshot-class': 'false' } }),
    ],
    {},
    'b',
  ],
  [
    'the default class',
    [snapshotClass('a'), snapshotClass('b', { annotations: isDefault })],
    {},
    'b',
  ],
  [
    'the labelled class before the default one',
    [snapshotClass('a', { annotations: isDefault }), snapshotClass('b', { labels: label })],
    {},
    'b',
  ],
  [
    'a labelled class of the driver, not of another one',
    [snapshotClass('a', { of: 'other', labels: label }), snapshotClass('b')],
    {},
    'b',
  ],
  [
    'the class that the backup names for the driver in lower case',
    [
      snapshotClass('a', { of: 'Disk.Example', labels: label }),
      snapshotClass('b', { of: 'Disk.Example' }),
    ],
    {
      driver: 'Disk.Example',
      backupAnnotations: { 'velero.io/csi-volumesnapshot-class_disk.example': 'b' },
    },
    'b',
  ],
  [
    'the class that the claim names before that of the backup',
    [snapshotClass('a'), snapshotClass('b'), snapshotClass('c', { labels: label })],
    {
      claimAnnotations: { 'velero.io/csi-volumesnapshot-class': 'a' },
      backupAnnotations: { [`velero.io/csi-volumesnapshot-class_${driver}`]: 'b' },
    },
    'a',
  ],
  [
    'the class that the caller names before everything else',
    [snapshotClass('a'), snapshotClass('b', { labels: label })],
    { explicit: 'a', claimAnnotations: { 'velero.io/csi-volumesnapshot-class': 'b' } },
    'a',
  ],
  [
    'a named class whatever the case of its name',
    [snapshotClass('a'), snapshotClass('b')],
    { claimAnnotations: { 'velero.io/csi-volumesnapshot-class': 'A' } },
    'a',
  ],
  [
    'a class of the provisioner when no class has the driver',
    [snapshotClass('a', { of: 'provisioner' })],
    { provisioner: 'provisioner' },
    'a',
  ],
  [
    'a class of the driver when another one has the provisioner',
    [snapshotClass('a', { of: 'provisioner', labels: label }), snapshotClass('b')],
    { provisioner: 'provisioner' },
    'b',
  ],
])('takes %s', (_rule, classes, query, expected) => {
  const choice = choose(classes, query);
  expect(choice).toMatchObject({ snapshotClass: { metadata: { name: expected } }, warnings: [] });
});

it.each([
  ['labelled', { labels: label }, 'label velero.io/csi-volumesnapshot-class'],
  [
    'default',
    { annotations: isDefault },
    'annotation snapshot.storage.kubernetes.io/is-default-class',
  ],
])('of several %s classes takes the first by name and warns', (_kind, mark, described) => {
  const choice = choose([snapshotClass('b', mark), snapshotClass('a', mark)]);
  expect(choice).toMatchObject({ snapshotClass: { metadata: { name: 'a' } } });
  expect('warnings' in choice && choice.warnings).toEqual([expect.stringContaining(described)]);
});

it.each<[string, readonly KubernetesObject[] | undefined, Partial<SnapshotClassQuery>, string]>([
  [
    'the cluster does not serve classes',
    undefined,
    {},
    'the cluster does not serve VolumeSnapshotClasses (snapshot.storage.k8s.io): install',
  ],
  [
    'there is no class at all',
    [],
    {},
    `no VolumeSnapshotClass for driver ${driver}: the cluster has none`,
  ],
  [
    'every class is of another driver, naming them',
    [snapshotClass('b', { of: 'other' }), snapshotClass('a', { of: 'third' })],
    {},
    'there are a (driver third), b (driver other)',
  ],
  [
    'several classes fit equally, naming them and the others',
    [snapshotClass('b'), snapshotClass('a'), snapshotClass('c', { of: 'other' })],
    {},
    'a, b fit equally (not fit: c (driver other))',
  ],
  [
    'several classes of the provisioner fit equally',
    [snapshotClass('b', { of: 'provisioner' }), snapshotClass('a', { of: 'provisioner' })],
    { provisioner: 'provisioner' },
    `no VolumeSnapshotClass for driver ${driver} (provisioner provisioner) can be preferred: a, b`,
  ],
  [
    'the claim names nothing',
    [snapshotClass('a')],
    { claimAnnotations: { 'velero.io/csi-volumesnapshot-class': '' } },
    'VolumeSnapshotClass "", named by annotation',
  ],
  [
    'the caller names a class that is missing',
    [snapshotClass('a')],
    { explicit: 'z' },
    'VolumeSnapshotClass z, named by the caller for driver disk.csi.example, does not exist; there are a',
  ],
  [
    'the claim names a class that is missing, although another one fits',
    [snapshotClass('a', { labels: label })],
    { claimAnnotations: { 'velero.io/csi-volumesnapshot-class': 'z' } },
    'named by annotation velero.io/csi-volumesnapshot-class of the claim, does not exist',
  ],
  [
    'the backup names a class of another driver',
    [snapshotClass('a'), snapshotClass('b', { of: 'other' })],
    { backupAnnotations: { [`velero.io/csi-volumesnapshot-class_${driver}`]: 'b' } },
    'is of driver other, but the volume is of driver disk.csi.example',
  ],
])('refuses when %s', (_reason, classes, query, message) => {
  const choice = choose(classes, query);
  expect('refusal' in choice && choice.refusal).toContain(message);
});
