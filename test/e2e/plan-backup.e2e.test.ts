import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import {
  type BackupPlan,
  createEngine,
  MemoryObjectStore,
  type ResourceIdentifier,
  readonlyObjectStore,
} from '@lifeboat/core';
import { expect, it, type TestContext } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { type TestCluster, testCluster } from '../cluster/test-cluster.ts';
import { connectTestCluster } from './connect-test-cluster.ts';
import { VolumeWithData } from './volume-with-data.ts';

const root = join(import.meta.dirname, '../..');

/** A token of a service account that has the two roles of the guide, the second of them in one namespace. */
async function planner(kit: TestCluster, context: TestContext, namespace: string): Promise<string> {
  const home = await kit.createNamespace('planner');
  const prefix = kit.uniqueName('planner');
  const guide = await readFile(join(root, 'docs/guides/planning-a-backup.md'), 'utf8');
  const roles = [...guide.matchAll(/^```yaml\n(.*?)^```/gms)].flatMap(([, block = '']) =>
    parseAllDocuments(block.replaceAll('name: lifeboat-plan', `name: ${prefix}`)).map(
      (document) => document.toJS() as object,
    ),
  );
  const bind = (kind: string, name: string, metadata: object): object => ({
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind,
    metadata: { name, ...metadata },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name },
    subjects: [{ kind: 'ServiceAccount', name: 'planner', namespace: home }],
  });
  const items = [
    ...roles,
    bind('ClusterRoleBinding', prefix, {}),
    bind('RoleBinding', `${prefix}-namespace`, { namespace }),
  ];
  const input = JSON.stringify({ apiVersion: 'v1', kind: 'List', items });
  context.onTestFinished(async () => {
    await kit.kubectl(['delete', '--filename=-', '--ignore-not-found', '--wait=false'], { input });
  });
  await kit.kubectl(['create', 'serviceaccount', 'planner', `--namespace=${home}`]);
  await kit.kubectl(['apply', '--filename=-'], { input });
  return (await kit.kubectl(['create', 'token', 'planner', `--namespace=${home}`])).trim();
}

/** Events come and go, and snapshots get their names when they are made. */
function comparable(objects: readonly ResourceIdentifier[]): readonly string[] {
  return objects
    .filter(
      ({ groupResource }) =>
        !/^(events|volumesnapshots|volumesnapshotcontents)\b/.test(groupResource),
    )
    .map(({ groupResource, namespace = '', name }) => `${groupResource} ${namespace}/${name}`)
    .sort();
}

it('a plan made with rights to read tells what the backup then stores', async (context) => {
  const kit = testCluster(context);
  const { namespace } = await VolumeWithData.create(kit, { data: 'precious' });
  await kit.kubectl(['create', 'configmap', 'settings', `--namespace=${namespace}`]);
  await kit.kubectl(['create', 'secret', 'generic', 'password', `--namespace=${namespace}`]);
  const token = await planner(kit, context, namespace);
  const store = new MemoryObjectStore();
  const request = { name: namespace, spec: { includedNamespaces: [namespace] } };

  await using reading = connectTestCluster(kit, { token });
  const plan = await createEngine({ ...reading, store: readonlyObjectStore(store) }).planBackup(
    request,
  );
  expect(plan).toMatchObject({ phase: 'Completed', issues: [], refusals: [] });
  expect(plan.volumes).toMatchObject([{ namespace, claimName: 'data', action: 'snapshot' }]);
  expect(JSON.parse(JSON.stringify(plan))).toStrictEqual(plan);

  await using connection = connectTestCluster(kit);
  const stored: ResourceIdentifier[] = [];
  const engine = createEngine({ ...connection, store });
  const { backup } = await engine.backup(request, {
    onEvent: (event) => void (event.type === 'item' && stored.push(event.object)),
  });
  expect(comparable(plan.items)).toEqual(comparable(stored));
  expect(backup.status).toMatchObject({ phase: plan.phase, csiVolumeSnapshotsCompleted: 1 });
  expect(backup.spec).toEqual(plan.spec);
  expect((await engine.planBackup(request)).refusals).toMatchObject([{ code: 'AlreadyExists' }]);
  await engine.deleteBackup(namespace);
});

it('the example prints a plan as tables or as JSON and leaves the folder empty', async (context) => {
  const kit = testCluster(context);
  const { namespace } = await VolumeWithData.create(kit, { data: 'precious' });
  const folder = await mkdtemp(join(tmpdir(), 'lifeboat-plan-'));
  context.onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const run = async (...args: readonly string[]): Promise<string> => {
    const { stdout } = await promisify(execFile)(
      process.execPath,
      ['--conditions=lifeboat-source', join(root, 'examples/plan-backup.ts'), ...args],
      { env: { ...process.env, KUBECONFIG: kit.describe().kubeconfigPath } },
    );
    return stdout;
  };
  const printed = await run(namespace, folder, 'example');
  expect(printed).toMatch(/persistentvolumeclaims\W+\S+\W+data\W+selected/);
  expect(printed).toContain(`${namespace}/data`);
  expect(printed).toMatch(/backup example would be Completed: \d+ objects/);
  const plan = JSON.parse(await run(namespace, folder, 'example', '--json')) as BackupPlan;
  expect(plan.counts).toMatchObject({ namespaces: 1, persistentvolumeclaims: 1 });
  expect(await readdir(folder)).toEqual([]);
  await expect(run()).rejects.toMatchObject({ code: 2 });
});
