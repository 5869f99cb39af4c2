import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { BackupResult, BackupSpec } from '@lifeboat/core';
import { expect, it, type TestContext } from 'vitest';
import { testCluster } from '../cluster/test-cluster.ts';
import { applyReference } from './apply-reference.ts';
import { BackupLab } from './backup-lab.ts';
import { compareDirectories } from './compare-directories.ts';
import { type ExplainedDifference, outdated, unexplained } from './explained-differences.ts';
import { type NeutralDirectory, readNeutralDirectory } from './neutral-directory.ts';
import { ReferenceNames } from './reference-names.ts';
import { untilAsReference } from './until-as-reference.ts';
import { claimDifferences, possibleDifferences, usualDifferences } from './usual-differences.ts';
import { boundVolumeHandle } from './volume-scene.ts';

const explained: readonly ExplainedDifference[] = [...usualDifferences, ...possibleDifferences];

const explainedOfAnnotations: readonly ExplainedDifference[] = [...explained, ...claimDifferences];

const disabled = 'A claim of which the spec wants no snapshot is a warning; Velero says nothing.';

const explainedOfSpec: readonly ExplainedDifference[] = [
  ...explained,
  { file: 'velero-backup.json', at: 'status warnings', only: 'ours', why: disabled },
  { file: 'hooks-spec-results.gz', at: 'warnings namespaces', only: 'ours', why: disabled },
  {
    file: 'hooks-spec-volumeinfo.json.gz',
    at: 'data skippedReason',
    why: 'Text for people, in words of our own.',
  },
  {
    file: 'velero-backup.json',
    at: 'metadata annotations kubectl.kubernetes.io/last-applied-configuration',
    only: 'reference',
    why: 'The backup of the reference was requested by kubectl.',
  },
  {
    file: 'velero-backup.json',
    at: /^spec hooks resources \d+ (pre|post) \d+ exec timeout$/,
    only: 'reference',
    why: 'The spec is stored as it was given; the server of the reference writes the zero of the field.',
  },
];

/** The hooks of `backup-spec.yaml` of the reference, for a namespace of its application. */
function specWithHooks(namespace: string): BackupSpec {
  const shell = (script: string): readonly string[] => ['sh', '-c', script];
  return {
    includedNamespaces: [namespace],
    snapshotVolumes: false,
    storageLocation: 'default',
    ttl: '1h0m0s',
    hooks: {
      resources: [
        {
          name: 'other-hook',
          includedNamespaces: [namespace],
          labelSelector: { matchLabels: { app: 'other' } },
          pre: [
            {
              exec: {
                container: 'c',
                command: shell('echo pre'),
                onError: 'Continue',
                timeout: '10s',
              },
            },
          ],
          post: [{ exec: { command: shell('echo post') } }],
        },
        {
          name: 'failing',
          labelSelector: { matchLabels: { app: 'app' } },
          pre: [{ exec: { command: shell('echo bad >&2; exit 3'), onError: 'Fail' } }],
        },
      ],
    },
  };
}

interface HookedBackup {
  readonly ours: NeutralDirectory;
  readonly reference: NeutralDirectory;
  readonly result: BackupResult;
  readonly lab: BackupLab;
  readonly volumeHandle: string;
}

/** Deploys the application of the reference, and backs it up as the reference was made. */
async function backUp(
  context: TestContext,
  vector: string,
  specOf: (namespace: string) => BackupSpec,
): Promise<HookedBackup> {
  const kit = testCluster(context, { node: true });
  const lab = await BackupLab.open(kit, context);
  const names = new ReferenceNames(kit);
  await applyReference(kit, context, { names, files: ['hooked.yaml'] });
  const folder = join(import.meta.dirname, '../vectors', vector);
  const name = vector.replace('annotations', 'ann');
  const reference = await readNeutralDirectory({ folder, backup: name });
  const { cluster } = lab.connect();
  const namespace = names.ours('hooked');
  await untilAsReference({
    cluster,
    reference,
    names,
    namespace: 'hooked',
  });
  const volumeHandle = await boundVolumeHandle(cluster, namespace);
  const result = await lab.engine().backup({ name, spec: specOf(namespace) });
  const ours = await readNeutralDirectory({
    folder: join(lab.directory, 'backups', name),
    backup: name,
    rename: (text) => names.theirs(text),
  });
  return { ours, reference, result, lab, volumeHandle };
}

it('hooks of annotations run as in Velero, around the snapshot', {
  timeout: 300_000,
}, async (context) => {
  const scene = await backUp(context, 'hooks-annotations', (namespace) => ({
    includedNamespaces: [namespace],
  }));
  const { lab, ours, reference, volumeHandle } = scene;
  const found = compareDirectories(ours, reference);
  expect(unexplained(explainedOfAnnotations, found)).toEqual([]);
  expect(outdated(explainedOfAnnotations, found)).toEqual([]);
  expect(hooksOf(scene)).toEqual(hooksInLog(reference));
  const [handle = '', ...others] = await lab.storageSnapshotsOf([volumeHandle]);
  expect(others).toEqual([]);
  const state = (folder: string): Promise<string> => readFile(join(folder, 'state'), 'utf8');
  expect(await state(lab.kit.snapshotDataPath(handle))).toBe('frozen\n');
  expect(await state(lab.kit.volumeDataPath(volumeHandle))).toBe('thawed\n');
});

it('hooks of the spec run as in Velero, and those of annotations instead where a pod has them', {
  timeout: 300_000,
}, async (context) => {
  const scene = await backUp(context, 'hooks-spec', specWithHooks);
  const { lab, ours, reference, volumeHandle } = scene;
  const found = compareDirectories(ours, reference);
  expect(unexplained(explainedOfSpec, found)).toEqual([]);
  expect(outdated(explainedOfSpec, found)).toEqual([]);
  // Pods are independent of each other, and so is the order of their hooks.
  expect(new Set(hooksOf(scene))).toEqual(new Set(hooksInLog(reference)));
  expect(await lab.storageSnapshotsOf([volumeHandle])).toEqual([]);
});

/** The hooks of our backup, in order, each as `<stage> <name> <container> [<command>]`. */
function hooksOf({ result }: HookedBackup): readonly string[] {
  return result.hooks.map(
    ({ stage, hookName = '<from-annotation>', containerName, command }) =>
      `${stage} ${hookName} ${containerName} [${command.join(' ')}]`,
  );
}

/** The same from a log of Velero. */
function hooksInLog({ logs }: NeutralDirectory): readonly string[] {
  return logs
    .filter((line) => line.includes('msg="running exec hook"'))
    .map((line) => {
      const field = (key: string): string =>
        new RegExp(`${key}=(?:"([^"]*)"|(\\S+))`).exec(line)?.slice(1).join('') ?? 'missing';
      return `${field('hookPhase')} ${field('hookName')} ${field('hookContainer')} ${field('hookCommand')}`;
    });
}
