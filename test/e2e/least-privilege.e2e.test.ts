import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createEngine, type Engine, isLifeboatError, MemoryObjectStore } from '@lifeboat/core';
import { expect, it, type TestContext } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { type TestCluster, testCluster } from '../cluster/test-cluster.ts';
import { waitFor } from '../cluster/wait-for.ts';
import { connectTestCluster } from './connect-test-cluster.ts';
import { VolumeWithData } from './volume-with-data.ts';

const guide = join(import.meta.dirname, '../../docs/guides/csi-snapshots.md');

/** The ClusterRoles of the guide, under names of this test's own. */
async function rolesOfGuide(prefix: string): Promise<readonly object[]> {
  const text = await readFile(guide, 'utf8');
  return [...text.matchAll(/^```yaml\n(.*?)^```/gms)].flatMap(([, block = '']) =>
    parseAllDocuments(block.replaceAll('name: lifeboat', `name: ${prefix}`)).map(
      (document) => document.toJS() as object,
    ),
  );
}

/** A service account of its own namespace, without any rights, until the end of the test. */
async function createUser(kit: TestCluster): Promise<User> {
  const namespace = await kit.createNamespace('user');
  await kit.kubectl(['create', 'serviceaccount', 'lifeboat', `--namespace=${namespace}`]);
  const token = await kit.kubectl(['create', 'token', 'lifeboat', `--namespace=${namespace}`]);
  return { namespace, token: token.trim() };
}

interface User {
  readonly namespace: string;
  readonly token: string;
}

function binding(
  { namespace }: User,
  role: string,
  inNamespace?: string,
): Readonly<Record<string, unknown>> {
  return {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: inNamespace === undefined ? 'ClusterRoleBinding' : 'RoleBinding',
    metadata: { name: role, ...(inNamespace !== undefined && { namespace: inNamespace }) },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: role },
    subjects: [{ kind: 'ServiceAccount', name: 'lifeboat', namespace }],
  };
}

async function apply(
  kit: TestCluster,
  context: TestContext,
  objects: readonly object[],
): Promise<void> {
  const input = JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects });
  context.onTestFinished(async () => {
    await kit.kubectl(['delete', '--filename=-', '--ignore-not-found', '--wait=false'], { input });
  });
  await kit.kubectl(['apply', '--filename=-'], { input });
}

function engineOf(
  kit: TestCluster,
  context: TestContext,
  store: MemoryObjectStore,
  { token }: User,
): Engine {
  const connection = connectTestCluster(kit, { token });
  context.onTestFinished(() => connection.close());
  return createEngine({ ...connection, store });
}

it('three service accounts with the roles of the guide back up, restore and delete, and none can do the work of another', async (context) => {
  const kit = testCluster(context);
  const prefix = kit.uniqueName('least');
  const volume = await VolumeWithData.create(kit, { data: 'precious' });
  const { namespace } = volume;
  const copy = await kit.createNamespace('least-copy');
  await kit.kubectl(['create', 'configmap', 'settings', `--namespace=${namespace}`]);
  await kit.kubectl(['create', 'secret', 'generic', 'password', `--namespace=${namespace}`]);

  const saver = await createUser(kit);
  const restorer = await createUser(kit);
  const remover = await createUser(kit);
  await apply(kit, context, [
    ...(await rolesOfGuide(prefix)),
    binding(saver, `${prefix}-backup`),
    binding(saver, `${prefix}-backup-namespace`, namespace),
    binding(restorer, `${prefix}-restore`),
    binding(restorer, `${prefix}-restore-namespace`, copy),
    binding(remover, `${prefix}-delete`),
  ]);
  const store = new MemoryObjectStore();
  const [saving, restoring, removing] = [saver, restorer, remover].map((user) =>
    engineOf(kit, context, store, user),
  ) as [Engine, Engine, Engine];
  const backupRequest = { name: prefix, spec: { includedNamespaces: [namespace] } };
  const restoreRequest = {
    spec: {
      backupName: prefix,
      includedNamespaces: [namespace],
      // The administrator's bindings grant more than the restoring user has.
      excludedResources: ['rolebindings'],
      namespaceMapping: { [namespace]: copy },
    },
  };

  await expect(removing.backup(backupRequest)).rejects.toSatisfy((error) =>
    isLifeboatError(error, 'Forbidden'),
  );
  const { backup, issues } = await saving.backup(backupRequest);
  expect(issues).toEqual([]);
  expect(backup.status).toMatchObject({ phase: 'Completed', csiVolumeSnapshotsCompleted: 1 });
  expect(await leftSnapshotObjects(kit, prefix)).toEqual([]);

  const restored = await restoring.restore(restoreRequest);
  expect(restored.issues).toEqual([]);
  expect(restored.restore.status.phase).toBe('Completed');
  expect(await volume.readCopy(copy)).toBe('precious');
  expect(await leftSnapshotObjects(kit, prefix)).toEqual([]);

  await expect(saving.deleteBackup(prefix)).rejects.toSatisfy((error) =>
    isLifeboatError(error, 'SnapshotFailed'),
  );
  await removing.deleteBackup(prefix);
  const kept = `${prefix}-kept`;
  await saving.backup({ ...backupRequest, name: kept }, { snapshotObjects: 'keep' });
  expect(await leftSnapshotObjects(kit, kept)).toHaveLength(2);
  await removing.deleteBackup(kept);
  await waitFor(async () => (await leftSnapshotObjects(kit, kept)).length === 0, {
    what: 'the kept snapshot objects to go',
  });
  expect(await Array.fromAsync(removing.catalog.list())).toEqual([]);
});

async function leftSnapshotObjects(
  kit: TestCluster,
  backupName: string,
): Promise<readonly string[]> {
  const output = await kit.kubectl([
    'get',
    'volumesnapshots,volumesnapshotcontents',
    '--all-namespaces',
    `--selector=velero.io/backup-name=${backupName}`,
    '--output=name',
  ]);
  return output.split('\n').filter((line) => line !== '');
}
