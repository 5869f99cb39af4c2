import { join } from 'node:path';
import type { JsonValue } from '@lifeboat/core';
import { expect, it } from 'vitest';
import { isJsonObject } from '../../packages/core/src/model/json.ts';
import { stringAt, valueAt } from '../../packages/core/src/model/object-path.ts';
import { testCluster } from '../cluster/test-cluster.ts';
import { applyReference } from './apply-reference.ts';
import { BackupLab } from './backup-lab.ts';
import { compareDirectories } from './compare-directories.ts';
import { type ExplainedDifference, outdated, unexplained } from './explained-differences.ts';
import { readNeutralDirectory } from './neutral-directory.ts';
import { ReferenceNames } from './reference-names.ts';
import { untilAsReference } from './until-as-reference.ts';
import { claimDifferences, possibleDifferences, usualDifferences } from './usual-differences.ts';
import { zooDifferences } from './zoo-differences.ts';

const vectors = join(import.meta.dirname, '../vectors');

// Those of the reference, but that of Velero itself. Other tests may have left more in the cluster.
const namespaces = ['default', 'kube-node-lease', 'kube-public', 'kube-system', 'zoo', 'zoo2'];

const foreign = new RegExp(`^\\S+ (?!(?:${namespaces.join('|')})/)\\S+/`);

const defaultDifferences: readonly ExplainedDifference[] = [
  {
    file: /\/pods\/.*\/pod-local-im\.json$/,
    at: 'metadata labels',
    only: 'reference',
    why: 'The application of the reference had been restored.',
  },
  {
    file: /\/services\/.*\/kubernetes\.json$/,
    at: 'spec ports 0 targetPort',
    why: 'The port of the API server.',
  },
];

const free =
  'A full backup takes all cluster-scoped objects, as documented; Velero only what others pull along.';
const velero = 'Velero is installed in the cluster of the reference.';
const node = 'The name of the node.';
const notCsi = 'A claim whose volume cannot be snapshotted is a warning; Velero says nothing.';
const restored = 'The namespace of the reference had been restored, which has left its marks.';
// What the backup says of the objects of this test alone is looked at below.
const left = 'What other tests left in the cluster.';
const oneDriver = 'One driver and its class stand for the two of the reference.';

const explained: readonly ExplainedDifference[] = [
  ...usualDifferences,
  ...possibleDifferences,
  ...claimDifferences,
  ...[...zooDifferences, ...defaultDifferences].map(
    (one) => ({ ...one, isSometimes: true }) as const,
  ),
  {
    file: 'archive',
    at: /^resources\/[^/]+\/(v\w+-preferredversion\/)?cluster\//,
    only: 'ours',
    why: free,
  },
  { file: 'all-resource-list.json.gz', at: /^\S+( [^/]+)?$/, only: 'ours', why: free },
  {
    file: 'archive',
    at: /^resources\/(customresourcedefinitions|clusterrole(binding)?s)\..*\b(velero(\.io)?|cluster-admin)\.json$/,
    only: 'reference',
    why: velero,
  },
  { file: 'all-resource-list.json.gz', at: /\bvelero\b/, only: 'reference', why: velero },
  { file: 'archive', at: /^resources\/leases\..*\/kube-node-lease\//, why: node },
  { file: 'all-resource-list.json.gz', at: /Lease kube-node-lease\//, why: node },
  {
    file: 'archive',
    at: /^resources\/volumesnapshotclasses\..*\/hostpath\.json$/,
    only: 'reference',
    why: oneDriver,
  },
  {
    file: 'all-resource-list.json.gz',
    at: 'snapshot.storage.k8s.io/v1/VolumeSnapshotClass hostpath',
    only: 'reference',
    why: oneDriver,
  },
  { file: 'velero-backup.json', at: 'status warnings', only: 'ours', why: notCsi },
  { file: 'all-results.gz', at: 'warnings namespaces', only: 'ours', why: notCsi },
  {
    file: 'all-volumeinfo.json.gz',
    at: 'static-claim skippedReason',
    why: 'Text for people, in words of our own.',
  },
  {
    file: 'all-volumeinfo.json.gz',
    at: /^static-claim pvInfo labels velero\.io\//,
    only: 'reference',
    why: restored,
  },
  {
    file: 'resources/widgets.lab.example.com/namespaces/zoo/w1.json',
    at: 'status',
    only: 'reference',
    why: 'Somebody had set it in the cluster of the reference.',
  },
  {
    file: 'resources/persistentvolumeclaims/namespaces/zoo/static-claim.json',
    at: 'metadata annotations backup.velero.io/skipped-no-csi-pv',
    only: 'reference',
    why: 'A note of one part of Velero to another.',
  },
  {
    file: /\/persistentvolumes\//,
    at: /^spec csi volumeAttributes csi\.storage/,
    only: 'reference',
    why: 'The driver of the reference repeats its parameters as attributes of the volume.',
  },
  {
    file: /\/pods\/.*\/once-<suffix>\.json$/,
    at: 'metadata finalizers',
    why: 'The Job of the reference had not counted its pod yet.',
    isSometimes: true,
  },
  { file: 'all-resource-list.json.gz', at: foreign, only: 'ours', why: left, isSometimes: true },
  {
    file: /-(volumeinfo|itemoperations)\.json\.gz$/,
    at: /^\S+$/,
    only: 'ours',
    why: left,
    isSometimes: true,
  },
  {
    file: 'velero-backup.json',
    at: /^status (phase|errors|backupItemOperations\w+|csiVolumeSnapshots\w+)$/,
    why: left,
    isSometimes: true,
  },
  { file: 'all-results.gz', at: /^errors /, only: 'ours', why: left, isSometimes: true },
];

/** Whether an object is in one of the namespaces, or about what is there, or in none. */
function isKnown(path: string, content: JsonValue): boolean {
  const [, namespace] = /\/namespaces\/([^/]+)\//.exec(path) ?? [];
  const object = isJsonObject(content) ? content : {};
  const about =
    stringAt(object, ['spec', 'claimRef', 'namespace']) ??
    stringAt(object, ['spec', 'volumeSnapshotRef', 'namespace']);
  return [namespace, about].every((one) => one === undefined || namespaces.includes(one));
}

// It runs the hooks of every pod and takes a snapshot of every volume, so no other test may run.
it('everything there is is stored as Velero stored it, and all cluster-scoped objects', async (context) => {
  const kit = testCluster(context, { node: true });
  const lab = await BackupLab.open(kit, context);
  const names = new ReferenceNames(kit);
  const rename = (text: string): string => names.theirs(text);
  const files = ['crds.yaml', 'seed.yaml', 'zoo2.yaml', 'zoo.yaml'];
  await applyReference(kit, context, { names, files, without: ['unbound'] });
  const zoo = await readNeutralDirectory({ folder: join(vectors, 'zoo-namespace'), backup: 'zoo' });
  const folder = join(vectors, 'all-namespaces');
  const reference = await readNeutralDirectory({ folder, backup: 'all', includes: isKnown });
  const { cluster } = lab.connect();
  for (const [there, namespace, differences] of [
    [zoo, 'zoo', zooDifferences],
    [reference, 'zoo2', []],
    [reference, 'default', defaultDifferences],
  ] as const) {
    await untilAsReference({
      cluster,
      reference: there,
      names,
      namespace,
      explained: differences,
    });
  }
  const { issues } = await lab.engine().backup({ name: 'all' });
  const ours = await readNeutralDirectory({
    folder: join(lab.directory, 'backups', 'all'),
    backup: 'all',
    rename,
    includes: isKnown,
  });
  const found = compareDirectories(ours, reference)
    // What a restore has left its marks on, and what is about the cluster itself.
    .filter(({ file }) => !isRestored(reference.entries.get(file)?.content ?? null))
    .filter(({ file }) => !/\/namespaces\/kube-/.test(file));
  expect(unexplained(explained, found)).toEqual([]);
  expect(outdated(explained, found)).toEqual([]);
  for (const path of [
    'gizmos.lab.example.com/cluster/g1',
    'customresourcedefinitions.apiextensions.k8s.io/cluster/gizmos.lab.example.com',
    'ingressclasses.networking.k8s.io/cluster/zoo-ic',
    'storageclasses.storage.k8s.io/cluster/dirvol',
  ]) {
    expect(ours.entries.has(`resources/${path}.json`), path).toBe(true);
  }
  const known = issues.filter(({ object }) =>
    namespaces.includes(rename(object?.namespace ?? 'default')),
  );
  expect(known.map(({ reason, object }) => `${reason} ${object?.name}`)).toEqual([
    'NotACsiVolume static-claim',
  ]);
});

function isRestored(content: JsonValue): boolean {
  return (
    isJsonObject(content) &&
    valueAt(content, ['metadata', 'labels', 'velero.io/restore-name']) !== undefined
  );
}
