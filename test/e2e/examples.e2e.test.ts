import { execFile } from 'node:child_process';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { createEngine, FileSystemObjectStore } from '@lifeboat/core';
import { expect, it, onTestFinished } from 'vitest';
import { testCluster } from '../cluster/test-cluster.ts';
import { waitFor } from '../cluster/wait-for.ts';
import { connectTestCluster } from './connect-test-cluster.ts';
import { VolumeWithData } from './volume-with-data.ts';

const run = promisify(execFile);
const examples = join(import.meta.dirname, '../../examples');

/** Runs an example as a user does, and returns its output; rejects unless it exits with 0. */
async function runExample(
  name: string,
  args: readonly string[],
  kubeconfigPath: string,
): Promise<string> {
  const { stdout } = await run(
    process.execPath,
    ['--conditions=lifeboat-source', join(examples, name), ...args],
    { env: { ...process.env, KUBECONFIG: kubeconfigPath } },
  );
  return stdout;
}

async function createFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'lifeboat-examples-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

it('the examples back up a namespace and restore it under another name, in this cluster and in another', async (context) => {
  const kit = testCluster(context);
  const volume = await VolumeWithData.create(kit, { data: 'precious' });
  const { namespace } = volume;
  const copy = kit.uniqueName('examples-copy');
  kit.deleteNamespaceAtEnd(copy);
  kit.deleteNamespaceAtEnd(copy, { cluster: 2 });
  const folder = await createFolder();

  const saved = await runExample(
    'backup-namespace.ts',
    [namespace, folder, 'example'],
    kit.describe(1).kubeconfigPath,
  );
  expect(saved).toContain('snapshot of data: ReadyToUse');
  expect(saved).toContain('backup example: Completed');

  for (const cluster of [1, 2] as const) {
    const restored = await runExample(
      'restore-elsewhere.ts',
      ['example', folder, namespace, copy],
      kit.describe(cluster).kubeconfigPath,
    );
    expect(restored).toContain('claim data: Bound');
    expect(restored).toMatch(/restore example-\d{14}: Completed/);
    expect(await volume.readCopy(copy, cluster)).toBe('precious');
  }
  const sync = (): Promise<string> =>
    runExample('sync-snapshots.ts', [folder], kit.describe(2).kubeconfigPath);
  expect(await sync()).toContain('example: created lifeboat-synced-');
  await using connection = connectTestCluster(kit);
  await using store = new FileSystemObjectStore({ directory: folder });
  await createEngine({ ...connection, store }).deleteBackup('example');
  expect(await sync()).toContain('example: removed lifeboat-synced-');
});

it('the example for a CronJob deletes what has expired, and in a dry run only says so', async (context) => {
  const kit = testCluster(context);
  const { kubeconfigPath } = kit.describe(1);
  const { namespace } = await VolumeWithData.create(kit, { data: 'precious' });
  const folder = await createFolder();
  await using connection = connectTestCluster(kit);
  await using store = new FileSystemObjectStore({ directory: folder });
  const engine = createEngine({ ...connection, store });
  const spec = { includedNamespaces: [namespace], ttl: '1s' };
  const { backup } = await engine.backup({ name: 'due', spec });
  const expiration = Date.parse(backup.status.expiration ?? '');
  await waitFor(() => Promise.resolve(Date.now() > expiration), { what: 'the backup to expire' });

  const foreseen = await runExample('expire-backups.ts', [folder, '--dry-run'], kubeconfigPath);
  expect(foreseen).toMatch(/^due: wouldBeDeleted \S+ wouldBeReleased$/m);
  expect(await engine.catalog.get('due')).toBeDefined();
  const expired = await runExample('expire-backups.ts', [folder], kubeconfigPath);
  expect(expired).toMatch(/^due: deleted \S+ released$/m);
  expect(expired).toContain('1 backup(s) have expired');
  expect(await engine.catalog.get('due')).toBeUndefined();
});

it('an example plans a restore, and carries the plan out unless the cluster has changed', async (context) => {
  const kit = testCluster(context);
  const { kubeconfigPath } = kit.describe(1);
  const volume = await VolumeWithData.create(kit, { data: 'precious' });
  const { namespace } = volume;
  const copy = kit.uniqueName('examples-planned');
  kit.deleteNamespaceAtEnd(copy);
  const folder = await createFolder();
  await runExample('backup-namespace.ts', [namespace, folder, 'planned'], kubeconfigPath);

  const plan = join(folder, 'plan.json');
  const planned = ['planned', folder, plan, `${copy}=${namespace}`];
  expect(await runExample('plan-restore.ts', planned, kubeconfigPath)).toMatch(
    /restore planned-\d{14} would be Completed/,
  );
  const applied = await runExample('plan-restore.ts', ['--apply', folder, plan], kubeconfigPath);
  expect(applied).toMatch(/restore planned-\d{14}: Completed/);
  expect(await volume.readCopy(copy, 1)).toBe('precious');

  await runExample('plan-restore.ts', planned, kubeconfigPath);
  await kit.kubectl([
    'delete',
    'persistentvolumeclaim',
    'data',
    `--namespace=${copy}`,
    '--wait=false',
  ]);
  await expect(
    runExample('plan-restore.ts', ['--apply', folder, plan], kubeconfigPath),
  ).rejects.toMatchObject({ code: 1, stderr: expect.stringContaining('has changed') as string });
});

it('an example snapshots the claims of a namespace by itself and keeps them', async (context) => {
  const kit = testCluster(context);
  const { namespace } = await VolumeWithData.create(kit, { data: 'precious' });
  const output = await runExample('snapshot-claims.ts', [namespace], kit.describe().kubeconfigPath);
  expect(output).toContain('1 of 1 snapshots are cut');
  const [, name = ''] = /^data: (velero-data-\w{5})$/m.exec(output) ?? [];
  const snapshot = `--namespace=${namespace}`;
  const content = await kit.kubectl([
    ...['get', 'volumesnapshot', name, snapshot],
    '--output=jsonpath={.status.boundVolumeSnapshotContentName}',
  ]);
  const policy = await kit.kubectl([
    ...['get', 'volumesnapshotcontent', content],
    '--output=jsonpath={.spec.deletionPolicy}',
  ]);
  expect(policy).toBe('Retain');
  const free = '{"spec":{"deletionPolicy":"Delete"}}';
  await kit.kubectl(['patch', 'volumesnapshotcontent', content, '--type=merge', `--patch=${free}`]);
  await kit.kubectl(['delete', 'volumesnapshot', name, snapshot]);
});

it.for([
  'backup-namespace.ts',
  'restore-elsewhere.ts',
  'plan-restore.ts',
  'snapshot-claims.ts',
  'expire-backups.ts',
  'sync-snapshots.ts',
])('%s without arguments says how it is used', async (name) => {
  await expect(runExample(name, [], '/nowhere')).rejects.toMatchObject({
    code: 2,
    stderr: expect.stringContaining(`usage: node ${name}`) as string,
  });
});

it('the demo runs on a cluster of a kubeconfig and leaves nothing behind', async (context) => {
  const kit = testCluster(context, { node: true });
  const namespace = kit.uniqueName('examples-demo');
  kit.deleteNamespaceAtEnd(namespace);
  const { kubeconfigPath } = kit.describe();
  const output = await runExample(
    'demo.ts',
    ['--kubeconfig', kubeconfigPath, '--namespace', namespace],
    kubeconfigPath,
  );
  expect(output).toContain('restored: every byte is back');
  const [, folder = ''] = /object store: file:\/\/(\S+?)\/?\n/.exec(output) ?? [];
  await expect(readdir(folder)).rejects.toMatchObject({ code: 'ENOENT' });
  const [, backupName = ''] = /backing up as (\S+)/.exec(output) ?? [];
  const left = await kit.kubectl([
    'get',
    'volumesnapshotcontents',
    '--selector',
    `velero.io/backup-name=${backupName}`,
    '--output=name',
  ]);
  expect(left).toBe('');
});

it('the demo refuses a namespace that it did not make', async (context) => {
  const kit = testCluster(context);
  const namespace = await kit.createNamespace('examples-taken');
  const { kubeconfigPath } = kit.describe();
  await expect(
    runExample(
      'demo.ts',
      ['--kubeconfig', kubeconfigPath, '--namespace', namespace],
      kubeconfigPath,
    ),
  ).rejects.toMatchObject({
    code: 1,
    stderr: expect.stringContaining(`namespace ${namespace} exists and was not made by`) as string,
  });
  expect(await kit.kubectl(['get', 'namespace', namespace, '--output=name'])).toContain(namespace);
});
