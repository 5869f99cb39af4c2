import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type JsonValue, parseJson, Resources } from '@lifeboat/core';
import { expect, it, type TestContext } from 'vitest';
import { testCluster } from '../cluster/test-cluster.ts';
import {
  type BackupDirectory,
  firstObject,
  readBackupDirectory,
  readEntries,
} from './backup-directory.ts';
import { BackupLab } from './backup-lab.ts';
import { type JsonDifference, jsonDifferences } from './json-differences.ts';
import { SeedApplication } from './seed-application.ts';

// The backup `default` of the seed application, made by Velero 1.18 on another cluster of the same Kubernetes.
const referenceFolder = join(import.meta.dirname, '../vectors/seed-csi');

/** A place in which our backup is known to differ from the reference, and why it does. */
interface ExplainedDifference {
  readonly file: string;
  readonly at: string | RegExp;
  readonly why: string;
  /** Whether it depends on who is faster, so that a backup without this difference is right too. */
  readonly isSometimes?: true;
}

const claims = 'persistentvolumeclaims';
const contents = 'volumesnapshotcontents.snapshot.storage.k8s.io';
const snapshots = 'volumesnapshots.snapshot.storage.k8s.io';
const notKept = 'The Backup is no object of an API server, which is what sets this.';
const byCsi = 'The driver of the reference repeats its parameters as attributes of the volume.';
const ofDefault = 'The API server keeps its own Service in namespace default.';

const explained: readonly ExplainedDifference[] = [
  {
    file: 'directory',
    at: 'lifeboat-claim.json',
    why: 'By it a run takes the name of its backup; Velero ignores it.',
  },
  {
    file: 'directory',
    at: 'lifeboat-index.json.gz',
    why: 'By it one object is read without the others; Velero ignores it.',
  },
  {
    file: 'directory',
    at: 'lifeboat-manifest.json',
    why: 'By it the backup is verified; Velero ignores it.',
  },
  {
    file: 'archive order',
    at: '',
    why: 'Velero waits for a snapshot before it goes on; here claims come last, once all snapshots are ready.',
  },
  { file: 'archive', at: /^resources\/services\//, why: ofDefault },
  { file: 'default-resource-list.json.gz', at: 'json v1/Service', why: ofDefault },
  {
    file: 'default-resource-list.json.gz',
    at: /^json v1\/Event( \d+)?$/,
    why: 'Events are what has happened in a namespace.',
  },
  {
    file: 'velero-backup.json',
    at: 'json metadata annotations velero.io/resource-timeout',
    why: 'A setting of the Velero server, which there is none of.',
  },
  { file: 'velero-backup.json', at: 'json metadata resourceVersion', why: notKept },
  { file: 'velero-backup.json', at: 'json metadata generation', why: notKept },
  { file: 'velero-backup.json', at: 'json metadata managedFields', why: notKept },
  {
    file: 'velero-backup.json',
    at: /^json status progress /,
    why: 'How many Events there are.',
  },
  { file: 'persistentvolumes', at: /^spec csi volumeAttributes csi\.storage/, why: byCsi },
  {
    file: contents,
    at: 'metadata generation',
    why: 'The policy is set to Retain as soon as the content exists. A content first seen when it is ready is stored as it was before.',
    isSometimes: true,
  },
  {
    file: snapshots,
    at: /^metadata finalizers( \d+)?$/,
    why: 'The snapshot-controller adds them one by one; the reference was read five seconds after that.',
    isSometimes: true,
  },
  {
    file: 'volumesnapshotclasses.snapshot.storage.k8s.io',
    at: /^metadata labels velero\.io\/(backup|restore)-name$/,
    why: 'The class is there for all, and carries the names of a restore that has met it.',
    isSometimes: true,
  },
  {
    file: claims,
    at: 'metadata annotations backup.velero.io/must-include-additional-items',
    why: 'A note of Velero to itself that it forgot to remove.',
  },
  {
    file: claims,
    at: 'metadata annotations kubectl.kubernetes.io/last-applied-configuration',
    why: 'The claim of the reference was made by kubectl.',
  },
];

interface Scene {
  readonly lab: BackupLab;
  readonly namespace: string;
  readonly archive: Uint8Array;
  readonly ours: BackupDirectory;
}

const configMaps = { group: '', version: 'v1', resource: 'configmaps' };

/** Backs up the application once; none of the names is a word of its own. */
async function backUp(context: TestContext): Promise<Scene> {
  const kit = testCluster(context, { node: true });
  const lab = await BackupLab.open(kit, context);
  const namespace = await kit.createNamespace('seed');
  const application = new SeedApplication({ connection: lab.connect(), namespace });
  await application.deploy();
  const backup = kit.uniqueName('backup');
  await lab.engine().backup({ name: backup, spec: { includedNamespaces: [namespace] } });
  const folder = join(lab.directory, 'backups', backup);
  const archive = await readFile(join(folder, `${backup}.tar.gz`));
  const ours = await readBackupDirectory(folder, { backup, namespace });
  return { lab, namespace, archive, ours };
}

it('what is stored differs from the reference backup where it is explained, and nowhere else', async (context) => {
  const { ours } = await backUp(context);
  const identity = { backup: 'default', namespace: 'default' };
  const reference = await readBackupDirectory(referenceFolder, identity);
  const differences = differencesOf(ours, reference);
  const unexplained = differences.filter(
    (difference) => !explained.some((explanation) => explains(explanation, difference)),
  );
  expect(unexplained).toEqual([]);
  const outdated = explained.filter(
    (explanation) =>
      explanation.isSometimes !== true &&
      !differences.some((difference) => explains(explanation, difference)),
  );
  expect(outdated).toEqual([]);
});

it('the archive is laid out as the reference is', async (context) => {
  const { ours } = await backUp(context);
  const [first, ...others] = ours.entries;
  expect(first).toEqual({
    path: 'metadata/version',
    header: { type: 'file', mode: '755', uid: 0, gid: 0 },
    text: '1.1.0\n',
  });
  // Each object twice, the second time in the folder of its version, byte for byte the same.
  expect(others.length).toBeGreaterThan(0);
  expect(others.length % 2).toBe(0);
  for (let index = 0; index < others.length; index += 2) {
    const [plain, versioned] = others.slice(index, index + 2);
    expect(versioned).toEqual({
      ...plain,
      path: plain?.path.replace(/^(resources\/[^/]+\/)/, '$1v1-preferredversion/'),
    });
  }
  const lines = (ours.texts.get('default-logs.gz') ?? '').trimEnd().split('\n');
  expect(lines.length).toBeGreaterThan(1);
  expect(
    lines.filter((line) => !/^time="<time>" level=\w+ msg=.* backup=velero\/default/.test(line)),
  ).toEqual([]);
});

it('what a backup does not change is stored as the API server sent it', async (context) => {
  const { lab, namespace, archive } = await backUp(context);
  const { cluster } = lab.connect();
  const entries = await readEntries(archive);
  for (const reference of [
    { ...Resources.pods, namespace, name: 'pod-local-im' },
    { ...configMaps, namespace, name: 'kube-root-ca.crt' },
    { ...Resources.namespaces, name: namespace },
  ]) {
    const stored = firstObject(entries, reference.resource);
    expect(stored).toEqual(await cluster.get(reference));
  }
});

interface FoundDifference extends JsonDifference {
  readonly file: string;
}

function differencesOf(
  ours: BackupDirectory,
  reference: BackupDirectory,
): readonly FoundDifference[] {
  const compare = (file: string, see: (directory: BackupDirectory) => JsonValue) =>
    jsonDifferences(see(ours), see(reference)).map((difference) => ({ file, ...difference }));
  const jsonFiles = reference.files.filter((file) => !/logs|tar\.gz$/.test(file));
  const resources = resourcesOf(reference).filter((resource) => !untouched.has(resource));
  return [
    ...compare('directory', ({ files }) => Object.fromEntries(files.map((file) => [file, true]))),
    ...compare('archive', ({ entries }) =>
      Object.fromEntries(
        entries
          .filter(({ path }) => !path.startsWith('resources/events/'))
          .map(({ path, header }) => [path, header]),
      ),
    ),
    ...compare('archive order', (directory) => resourcesOf(directory).join(' ')),
    ...jsonFiles.flatMap((file) =>
      compare(file, ({ texts }) => {
        const text = texts.get(file) ?? '';
        return { json: parseJson(text), ending: text.slice(-1) };
      }),
    ),
    ...resources.flatMap((resource) =>
      compare(resource, ({ entries }) => firstObject(entries, resource)),
    ),
  ];
}

/** What no backup changes: it is compared with the API server's own instead. */
const untouched: ReadonlySet<string> = new Set(['pods', 'configmaps', 'events', 'services']);

/** The resources of an archive, in the order in which they come. */
function resourcesOf({ entries }: BackupDirectory): readonly string[] {
  return [...new Set(entries.slice(1).map(({ path }) => path.split('/')[1] ?? ''))];
}

function explains({ file, at }: ExplainedDifference, difference: FoundDifference): boolean {
  const isPlace = typeof at === 'string' ? at === difference.at : at.test(difference.at);
  return file === difference.file && isPlace;
}
