import {
  createEngine,
  type KubernetesManifest,
  MemoryObjectStore,
  type RestoreRequest,
} from '@lifeboat/core';
import { expect, it, type TestContext } from 'vitest';
import { type TestCluster, testCluster } from '../cluster/test-cluster.ts';
import { connectTestCluster } from './connect-test-cluster.ts';
import {
  applyUntilTheEnd,
  grantUntilTheEnd,
  LeastPrivilegeUser,
  rolesOfGuides,
} from './least-privilege-user.ts';
import { VolumeWithData } from './volume-with-data.ts';

const guides = ['csi-snapshots.md', 'planning-a-restore.md', 'changing-objects-on-restore.md'];

it('service accounts with the roles of the guides plan a restore with mappings and carry it out, the planning one without a right to write', async (context) => {
  const kit = testCluster(context);
  const { prefix, volume, namespace, copy, store, planner, restorer } = await backedUpShop(
    kit,
    context,
  );
  const velero = await kit.createNamespace('velero');
  await applyUntilTheEnd(kit, context, [
    mapping(velero, 'velero.io/change-storage-class', { dirvol: 'hostpath' }),
    modifiers(velero),
  ]);
  const roles = await rolesOfGuides(prefix, guides);
  await grantUntilTheEnd(kit, context, roles, [
    planner.grant(`${prefix}-plan-restore`),
    planner.grant(`${prefix}-restore-changes`, velero),
    restorer.grant(`${prefix}-restore`),
    restorer.grant(`${prefix}-restore-namespace`, copy),
    restorer.grant(`${prefix}-restore-changes`, velero),
  ]);
  const request = {
    metadata: { namespace: velero },
    spec: {
      backupName: prefix,
      includedNamespaces: [namespace],
      namespaceMapping: { [namespace]: copy },
      resourceModifier: { kind: 'ConfigMap', name: 'modifiers' },
    },
  };
  const options = {
    imageMapping: { 'busybox:1.36': 'busybox:1.37' },
    veleroPluginConfig: true,
  };

  const plan = await planner.engine(store).planRestore(request, options);
  expect(plan.issues).toEqual([]);
  expect(plan.missing).toEqual([]);
  expect(plan.volumes).toMatchObject([
    { namespace: copy, claimName: 'data', from: 'snapshot', storageClassName: 'hostpath' },
  ]);
  const planned = plan.items.find(({ kind }) => kind === 'Deployment');
  expect(planned).toMatchObject({ action: 'create', target: { namespace: copy, name: 'web' } });
  expect(JSON.stringify(planned?.transforms)).toContain('busybox:1.37');
  await expect(planner.engine(store).restore(request, options)).resolves.toMatchObject({
    restore: { status: { phase: 'PartiallyFailed' } },
  });

  const restored = await restorer.engine(store).restore(request, options);
  expect(restored.issues).toEqual([]);
  expect(restored.restore.status.phase).toBe('Completed');
  const output =
    '--output=jsonpath={.spec.template.spec.containers[0].image} {.metadata.annotations.restored}';
  const web = await kit.kubectl(['get', 'deployment/web', `--namespace=${copy}`, output]);
  expect(web).toBe('busybox:1.37 modified');
  const ofClaim = ['persistentvolumeclaim/data', `--namespace=${copy}`];
  const storageClass = await kit.kubectl([
    'get',
    ...ofClaim,
    '--output=jsonpath={.spec.storageClassName}',
  ]);
  expect(storageClass).toBe('hostpath');
  expect(await volume.readCopy(copy)).toBe('precious');
});

it('a service account with the roles of the guides plans with dry runs, and is told what it may not do', async (context) => {
  const kit = testCluster(context);
  const { prefix, namespace, copy, store, planner, restorer } = await backedUpShop(kit, context);
  const roles = await rolesOfGuides(prefix, guides);
  await grantUntilTheEnd(kit, context, roles, [
    planner.grant(`${prefix}-plan-restore`),
    restorer.grant(`${prefix}-plan-restore`),
    restorer.grant(`${prefix}-restore-namespace`, copy),
    restorer.grant(`${prefix}-restore-existing`, copy),
  ]);
  const request: RestoreRequest = {
    spec: {
      backupName: prefix,
      includedNamespaces: [namespace],
      namespaceMapping: { [namespace]: copy },
      existingResourcePolicy: 'update',
    },
  };
  await kit.kubectl(['create', 'configmap', 'settings', `--namespace=${copy}`]);
  await applyUntilTheEnd(kit, context, [smallClaims(copy)]);

  const planned = await restorer.engine(store).planRestore(request, { dryRun: 'server' });
  const blocked = planned.items.filter(({ action }) => action === 'blocked');
  expect(blocked).toMatchObject([{ kind: 'PersistentVolumeClaim', code: 'Forbidden' }]);
  expect(blocked[0]?.reason).toContain('maximum storage usage per PersistentVolumeClaim');
  const written = planned.items.filter(({ action }) => action === 'create' || action === 'update');
  expect(written.filter(({ isCheckedByServer = false }) => !isCheckedByServer)).toEqual([]);
  expect(written).toContainEqual(expect.objectContaining({ action: 'update', kind: 'ConfigMap' }));
  expect(written).toContainEqual(expect.objectContaining({ action: 'create', kind: 'Deployment' }));
  expect(await kit.kubectl(['get', 'deployments', `--namespace=${copy}`])).toBe('');

  const refused = await planner.engine(store).planRestore(request, { dryRun: 'server' });
  const writes = refused.items.filter(({ action }) => action !== 'skip');
  expect(writes.length).toBe(written.length + blocked.length);
  expect(writes.filter(({ code }) => code !== 'Forbidden')).toEqual([]);
});

/** A backup of a namespace with a workload, its configuration and a volume, a namespace for its copy, and two users. */
async function backedUpShop(kit: TestCluster, context: TestContext) {
  const prefix = kit.uniqueName('least');
  const volume = await VolumeWithData.create(kit, { data: 'precious' });
  const { namespace } = volume;
  const copy = await kit.createNamespace('least-copy');
  const store = new MemoryObjectStore();
  await kit.kubectl([
    'create',
    'configmap',
    'settings',
    '--from-literal=a=b',
    `--namespace=${namespace}`,
  ]);
  await applyUntilTheEnd(kit, context, [deployment(namespace)]);
  const administrator = connectTestCluster(kit);
  context.onTestFinished(() => administrator.close());
  const { issues } = await createEngine({ ...administrator, store }).backup({
    name: prefix,
    spec: { includedNamespaces: [namespace] },
  });
  expect(issues).toEqual([]);
  const planner = await LeastPrivilegeUser.create(kit, context);
  const restorer = await LeastPrivilegeUser.create(kit, context);
  return { prefix, volume, namespace, copy, store, planner, restorer };
}

/** Lets no claim be as large as the one that is restored. */
function smallClaims(namespace: string): KubernetesManifest {
  return {
    apiVersion: 'v1',
    kind: 'LimitRange',
    metadata: { name: 'small', namespace },
    spec: { limits: [{ type: 'PersistentVolumeClaim', max: { storage: '1Ki' } }] },
  };
}

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
