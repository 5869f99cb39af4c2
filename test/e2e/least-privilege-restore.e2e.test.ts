import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  createEngine,
  type Engine,
  type KubernetesManifest,
  MemoryObjectStore,
} from '@lifeboat/core';
import { expect, it, type TestContext } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { type TestCluster, testCluster } from '../cluster/test-cluster.ts';
import { connectTestCluster } from './connect-test-cluster.ts';
import { VolumeWithData } from './volume-with-data.ts';

const guides = join(import.meta.dirname, '../../docs/guides');
const rolesOfRestore = [
  'csi-snapshots.md',
  'planning-a-restore.md',
  'changing-objects-on-restore.md',
];

/** The ClusterRoles of the guides to restores, under names of this test's own. */
async function rolesOfGuides(prefix: string): Promise<readonly object[]> {
  const texts = await Promise.all(
    rolesOfRestore.map((guide) => readFile(join(guides, guide), 'utf8')),
  );
  return texts
    .flatMap((text) => [...text.matchAll(/^```yaml\n(.*?)^```/gms)])
    .flatMap(([, block = '']) =>
      parseAllDocuments(block.replaceAll('name: lifeboat', `name: ${prefix}`)),
    )
    .map((document) => document.toJS() as object)
    .filter((object) => 'kind' in object && object.kind === 'ClusterRole');
}

/** Lets the service account of a namespace do what a role of the guides allows: everywhere, or in one namespace. */
function binding(user: string, role: string, namespace?: string): KubernetesManifest {
  return {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: namespace === undefined ? 'ClusterRoleBinding' : 'RoleBinding',
    metadata: { name: role, ...(namespace !== undefined && { namespace }) },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: role },
    subjects: [{ kind: 'ServiceAccount', name: 'lifeboat', namespace: user }],
  };
}

async function apply(
  kit: TestCluster,
  context: TestContext,
  items: readonly object[],
): Promise<void> {
  const input = JSON.stringify({ apiVersion: 'v1', kind: 'List', items });
  context.onTestFinished(async () => {
    await kit.kubectl(['delete', '--filename=-', '--ignore-not-found', '--wait=false'], { input });
  });
  await kit.kubectl(['apply', '--filename=-'], { input });
}

/** A namespace with a service account `lifeboat` that has no rights yet, and an engine that acts as that. */
async function createUser(
  kit: TestCluster,
  context: TestContext,
  store: MemoryObjectStore,
): Promise<{ readonly user: string; readonly engine: Engine }> {
  const user = await kit.createNamespace('user');
  await kit.kubectl(['create', 'serviceaccount', 'lifeboat', `--namespace=${user}`]);
  const token = await kit.kubectl(['create', 'token', 'lifeboat', `--namespace=${user}`]);
  const connection = connectTestCluster(kit, { token: token.trim() });
  context.onTestFinished(() => connection.close());
  return { user, engine: createEngine({ ...connection, store }) };
}

it('service accounts with the roles of the guides plan a restore with mappings and carry it out, the planning one without a right to write', async (context) => {
  const kit = testCluster(context);
  const prefix = kit.uniqueName('least');
  const volume = await VolumeWithData.create(kit, { data: 'precious' });
  const { namespace } = volume;
  const copy = await kit.createNamespace('least-copy');
  const velero = await kit.createNamespace('velero');
  const store = new MemoryObjectStore();
  const administrator = connectTestCluster(kit);
  context.onTestFinished(() => administrator.close());
  const planning = await createUser(kit, context, store);
  const restoring = await createUser(kit, context, store);
  await apply(kit, context, [
    deployment(namespace),
    mapping(velero, 'velero.io/change-storage-class', { slow: 'dirvol' }),
    modifiers(velero),
  ]);
  const backingUp = createEngine({ ...administrator, store });
  const { issues } = await backingUp.backup({
    name: prefix,
    spec: { includedNamespaces: [namespace], excludedResources: ['events'] },
  });
  expect(issues).toEqual([]);

  await apply(kit, context, [
    ...(await rolesOfGuides(prefix)),
    binding(planning.user, `${prefix}-plan-restore`),
    {
      ...binding(planning.user, `${prefix}-restore-changes`, velero),
      metadata: { name: 'plan', namespace: velero },
    },
    binding(restoring.user, `${prefix}-restore`),
    binding(restoring.user, `${prefix}-restore-namespace`, copy),
    binding(restoring.user, `${prefix}-restore-changes`, velero),
  ]);
  const request = {
    metadata: { namespace: velero },
    spec: {
      backupName: prefix,
      includedNamespaces: [namespace],
      excludedResources: ['rolebindings', 'replicasets', 'pods', 'endpoints', 'endpointslices'],
      namespaceMapping: { [namespace]: copy },
      resourceModifier: { kind: 'ConfigMap', name: 'modifiers' },
    },
  };
  const options = {
    imageMapping: { 'busybox:1.36': 'busybox:1.37' },
    veleroPluginConfig: true,
  };

  const plan = await planning.engine.planRestore(request, options);
  expect(plan.issues).toEqual([]);
  expect(plan.missing).toEqual([]);
  expect(plan.volumes).toMatchObject([{ namespace: copy, claimName: 'data', from: 'snapshot' }]);
  const planned = plan.items.find(({ kind }) => kind === 'Deployment');
  expect(planned).toMatchObject({ action: 'create', target: { namespace: copy, name: 'web' } });
  expect(JSON.stringify(planned?.transforms)).toContain('busybox:1.37');
  await expect(planning.engine.restore(request, options)).resolves.toMatchObject({
    restore: { status: { phase: 'PartiallyFailed' } },
  });

  const restored = await restoring.engine.restore(request, options);
  expect(restored.issues).toEqual([]);
  expect(restored.restore.status.phase).toBe('Completed');
  const output =
    '--output=jsonpath={.spec.template.spec.containers[0].image} {.metadata.annotations.restored}';
  const web = await kit.kubectl(['get', 'deployment/web', `--namespace=${copy}`, output]);
  expect(web).toBe('busybox:1.37 modified');
  expect(await volume.readCopy(copy)).toBe('precious');
});

/** A workload whose pods are not wanted. */
function deployment(namespace: string): KubernetesManifest {
  const container = { name: 'web', image: 'busybox:1.36' };
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'web', namespace },
    spec: {
      replicas: 0,
      selector: { matchLabels: { app: 'web' } },
      template: { metadata: { labels: { app: 'web' } }, spec: { containers: [container] } },
    },
  };
}

/** A mapping as Velero's users write it. */
function mapping(
  namespace: string,
  plugin: string,
  data: Readonly<Record<string, string>>,
): KubernetesManifest {
  const labels = { 'velero.io/plugin-config': '', [plugin]: 'RestoreItemAction' };
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'mapping', namespace, labels },
    data,
  };
}

/** Resource modifiers as Velero's users write them. */
function modifiers(namespace: string): KubernetesManifest {
  const rules = [
    {
      conditions: { groupResource: 'deployments.apps' },
      mergePatches: [{ patchData: '{"metadata":{"annotations":{"restored":"modified"}}}' }],
    },
  ];
  const data = { 'rules.yaml': JSON.stringify({ version: 'v1', resourceModifierRules: rules }) };
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'modifiers', namespace }, data };
}
