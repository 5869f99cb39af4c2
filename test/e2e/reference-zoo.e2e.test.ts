import { join } from 'node:path';
import { expect, it } from 'vitest';
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

const discovered =
  'Velero looks at what is served every five minutes only, so it did not know the kind yet.';
const pending = 'A claim without a volume is stored with a warning; Velero fails it.';
const notCsi = 'A claim whose volume cannot be snapshotted is a warning; Velero says nothing.';
const oneDriver = 'One driver and its class stand for the two of the reference.';

const explained: readonly ExplainedDifference[] = [
  ...usualDifferences,
  ...possibleDifferences,
  ...claimDifferences,
  ...zooDifferences,
  {
    file: 'archive',
    at: /^resources\/widgets\.lab\.example\.com\//,
    only: 'ours',
    why: discovered,
  },
  {
    file: 'archive',
    at: /^resources\/customresourcedefinitions\..*\/widgets\.lab\.example\.com\.json$/,
    only: 'ours',
    why: discovered,
  },
  {
    file: 'zoo-resource-list.json.gz',
    at: 'apiextensions.k8s.io/v1/CustomResourceDefinition',
    only: 'ours',
    why: discovered,
  },
  {
    file: 'zoo-resource-list.json.gz',
    at: 'lab.example.com/v1/Widget',
    only: 'ours',
    why: discovered,
  },
  {
    file: 'archive',
    at: /^resources\/persistentvolumeclaims\/.*\/unbound\.json$/,
    only: 'ours',
    why: pending,
  },
  { file: 'velero-backup.json', at: 'status phase', why: pending },
  { file: 'velero-backup.json', at: 'status errors', only: 'reference', why: pending },
  { file: 'zoo-results.gz', at: 'errors velero', only: 'reference', why: pending },
  { file: 'velero-backup.json', at: 'status warnings', only: 'ours', why: notCsi },
  { file: 'zoo-results.gz', at: 'warnings namespaces', only: 'ours', why: notCsi },
  {
    file: 'zoo-volumeinfo.json.gz',
    at: 'static-claim skippedReason',
    why: 'Text for people, in words of our own.',
  },
  {
    file: 'resources/persistentvolumeclaims/namespaces/zoo/static-claim.json',
    at: 'metadata annotations backup.velero.io/skipped-no-csi-pv',
    only: 'reference',
    why: 'A note of one part of Velero to another.',
  },
  {
    file: 'archive',
    at: /^resources\/volumesnapshotclasses\..*\/hostpath\.json$/,
    only: 'reference',
    why: oneDriver,
  },
  {
    file: 'zoo-resource-list.json.gz',
    at: 'snapshot.storage.k8s.io/v1/VolumeSnapshotClass hostpath',
    only: 'reference',
    why: oneDriver,
  },
  {
    file: /\/persistentvolumes\//,
    at: /^spec csi volumeAttributes csi\.storage/,
    only: 'reference',
    why: 'The driver of the reference repeats its parameters as attributes of the volume.',
  },
];

it('a namespace with objects of many kinds is stored as Velero stored it', {
  timeout: 300_000,
}, async (context) => {
  const kit = testCluster(context, { node: true });
  const lab = await BackupLab.open(kit, context);
  const names = new ReferenceNames(kit);
  await applyReference(kit, context, { names, files: ['crds.yaml', 'zoo.yaml'] });
  const folder = join(import.meta.dirname, '../vectors/zoo-namespace');
  const reference = await readNeutralDirectory({ folder, backup: 'zoo' });
  const { cluster } = lab.connect();
  await untilAsReference({
    cluster,
    reference,
    names,
    namespace: 'zoo',
    explained: zooDifferences,
  });
  const backup = names.ours('zoo');
  const { issues } = await lab.engine().backup({
    name: backup,
    spec: { includedNamespaces: [backup] },
    metadata: { labels: { purpose: 'ref' }, annotations: { note: 'ref' } },
  });
  const ours = await readNeutralDirectory({
    folder: join(lab.directory, 'backups', backup),
    backup,
    rename: (text) => names.theirs(text),
  });
  const found = compareDirectories(ours, reference);
  expect(unexplained(explained, found)).toEqual([]);
  expect(outdated(explained, found)).toEqual([]);
  expect(issues.map(({ reason, object }) => `${reason} ${object?.name}`).sort()).toEqual([
    'ClaimNotBound unbound',
    'NotACsiVolume static-claim',
  ]);
});
