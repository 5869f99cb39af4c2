import { describe, expect, it } from 'vitest';
import type { KubernetesObject, StringMap } from '../model/kubernetes.ts';
import {
  chooseVolumeGroupSnapshotClass,
  type GroupSnapshotClassQuery,
} from './group-snapshot-class.ts';

const driver = 'disk.csi.example';
const label = { 'velero.io/csi-volumegroupsnapshot-class': 'true' };

function groupClass(name: string, of = driver, labels?: StringMap): KubernetesObject {
  return {
    apiVersion: 'groupsnapshot.storage.k8s.io/v1',
    kind: 'VolumeGroupSnapshotClass',
    metadata: { name, ...(labels && { labels }) },
    driver: of,
    deletionPolicy: 'Delete',
  };
}

function claim(name: string, className?: string): KubernetesObject {
  const annotations = { 'velero.io/csi-volume-group-snapshot-class': className ?? '' };
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: { name, namespace: 'shop', ...(className !== undefined && { annotations }) },
  };
}

function choose(
  classes: readonly KubernetesObject[],
  query: Partial<GroupSnapshotClassQuery> = {},
): string {
  const choice = chooseVolumeGroupSnapshotClass({
    classes,
    driver,
    claims: [claim('a'), claim('b')],
    backupAnnotations: {},
    ...query,
  });
  return 'refusal' in choice ? choice.refusal : `class ${choice.groupSnapshotClass.metadata.name}`;
}

const byBackup = { [`velero.io/csi-volumegroupsnapshot-class_${driver}`]: 'b' };

describe('chooses', () => {
  it.each<[string, readonly KubernetesObject[], Partial<GroupSnapshotClassQuery>, string]>([
    ['the only class of the driver', [groupClass('a'), groupClass('b', 'other')], {}, 'a'],
    ['the labelled class', [groupClass('a'), groupClass('b', driver, label)], {}, 'b'],
    [
      'the class that the backup names, whatever the labels',
      [groupClass('a', driver, label), groupClass('b')],
      { backupAnnotations: byBackup },
      'b',
    ],
    [
      'the class that a claim names, whatever the backup names',
      [groupClass('a'), groupClass('b')],
      { claims: [claim('a'), claim('b', 'a')], backupAnnotations: byBackup },
      'a',
    ],
  ])('%s', (_title, classes, query, expected) => {
    expect(choose(classes, query)).toBe(`class ${expected}`);
  });
});

describe('refuses', () => {
  it.each<[string, readonly KubernetesObject[], Partial<GroupSnapshotClassQuery>, string]>([
    ['a cluster without classes', [], {}, 'the cluster has none'],
    [
      'classes of other drivers, which it lists',
      [groupClass('z', 'y')],
      {},
      'there are z (driver y)',
    ],
    ['several without label', [groupClass('b'), groupClass('a')], {}, 'a, b fit equally'],
    [
      'several with the label',
      [groupClass('b', driver, label), groupClass('c'), groupClass('a', driver, label)],
      {},
      'a, b fit equally',
    ],
    [
      'a label of another value than true as a preference',
      [
        groupClass('a'),
        groupClass('b', driver, { ...label, 'velero.io/csi-volumegroupsnapshot-class': 'false' }),
      ],
      {},
      'a, b fit equally',
    ],
    [
      'a named class that is missing',
      [groupClass('a')],
      { backupAnnotations: byBackup },
      'VolumeGroupSnapshotClass b, named by annotation velero.io/csi-volumegroupsnapshot-class_disk.csi.example of the backup, does not exist',
    ],
    [
      'a named class of another driver',
      [groupClass('a'), groupClass('b', 'other')],
      { backupAnnotations: byBackup },
      'is of driver other, but the volumes are of driver disk.csi.example',
    ],
    [
      'claims that name different classes',
      [groupClass('a'), groupClass('b')],
      { claims: [claim('a', 'b'), claim('b', 'a')] },
      'the claims of the group name different classes in annotation velero.io/csi-volume-group-snapshot-class: a, b',
    ],
  ])('%s', (_title, classes, query, reason) => {
    expect(choose(classes, query)).toContain(reason);
  });
});
