import { createEngine, type KubernetesManifest, MemoryObjectStore } from '@lifeboat/core';
import { expect, it } from 'vitest';
import { type TestCluster, testCluster } from '../cluster/test-cluster.ts';
import { connectTestCluster } from './connect-test-cluster.ts';
import { grantUntilTheEnd, LeastPrivilegeUser, rolesOfGuides } from './least-privilege-user.ts';
import { VolumeWithData } from './volume-with-data.ts';

/** One object of every resource that the guide's role names and that people make. None makes a pod, and none has the labels that another selects. */
function objectsNamed(name: string): readonly KubernetesManifest[] {
  const labels = { app: name };
  const template = {
    metadata: { labels },
    spec: { restartPolicy: 'Never', containers: [{ name: 'web', image: 'busybox:1.36' }] },
  };
  const always = { ...template, spec: { ...template.spec, restartPolicy: 'Always' } };
  const selector = { matchLabels: labels };
  const apps = { apiVersion: 'apps/v1', metadata: { name } };
  const batch = { apiVersion: 'batch/v1', metadata: { name } };
  const core = { apiVersion: 'v1', metadata: { name } };
  const nowhere = { ...always, spec: { ...always.spec, nodeSelector: { nowhere: 'at-all' } } };
  return [
    { ...core, kind: 'ConfigMap', data: { a: 'b' } },
    { ...core, kind: 'Secret', stringData: { a: 'b' } },
    { ...core, kind: 'ServiceAccount' },
    { ...core, kind: 'Service', spec: { selector: labels, ports: [{ port: 80 }] } },
    { ...core, kind: 'Pod', spec: { ...nowhere.spec, automountServiceAccountToken: false } },
    { ...apps, kind: 'DaemonSet', spec: { selector, template: nowhere } },
    { ...apps, kind: 'Deployment', spec: { replicas: 0, selector, template: always } },
    { ...apps, kind: 'ReplicaSet', spec: { replicas: 0, selector, template: always } },
    {
      ...apps,
      kind: 'StatefulSet',
      spec: { replicas: 0, serviceName: name, selector, template: always },
    },
    { ...batch, kind: 'Job', spec: { suspend: true, template } },
    {
      ...batch,
      kind: 'CronJob',
      spec: { suspend: true, schedule: '0 0 1 1 *', jobTemplate: { spec: { template } } },
    },
  ];
}

async function apply(
  kit: TestCluster,
  namespace: string,
  items: readonly KubernetesManifest[],
): Promise<void> {
  const input = JSON.stringify({ apiVersion: 'v1', kind: 'List', items });
  await kit.kubectl(['apply', '--filename=-', `--namespace=${namespace}`], { input });
}

it('a service account with the roles of the guides rolls a namespace back, and deletes nothing without the last of them', async (context) => {
  const kit = testCluster(context);
  const prefix = kit.uniqueName('rollback');
  const volume = await VolumeWithData.create(kit, { data: 'precious' });
  const { namespace } = volume;
  await apply(kit, namespace, objectsNamed('kept'));
  const administrator = connectTestCluster(kit);
  context.onTestFinished(() => administrator.close());
  const store = new MemoryObjectStore();
  const { issues } = await createEngine({ ...administrator, store }).backup({
    name: prefix,
    spec: { includedNamespaces: [namespace] },
  });
  expect(issues).toEqual([]);

  const claim = 'persistentvolumeclaim/data';
  await kit.kubectl(['delete', claim, 'service/kept', '--timeout=60s', `--namespace=${namespace}`]);
  const change = { labels: { changed: 'yes' } };
  const changed = objectsNamed('kept').filter(({ kind }) => kind !== 'Service');
  await apply(kit, namespace, [
    ...changed.map((object) => ({ ...object, metadata: { ...object.metadata, ...change } })),
    ...objectsNamed('later'),
  ]);
  const roles = await rolesOfGuides(prefix, [
    'csi-snapshots.md',
    'planning-a-restore.md',
    'rolling-back.md',
  ]);
  const user = await LeastPrivilegeUser.create(kit, context);
  const engine = user.engine(store);
  await grantUntilTheEnd(kit, context, roles, [
    user.grant(`${prefix}-plan-restore`),
    user.grant(`${prefix}-restore`),
    user.grant(`${prefix}-restore-namespace`, namespace),
  ]);
  const request = { spec: { backupName: prefix, includedNamespaces: [namespace] } };

  const plan = await engine.planRestore(request, { existingObjects: 'rollback' });
  expect(plan.issues).toEqual([]);
  const kinds = objectsNamed('').map(({ kind }) => kind);
  const kindsTo = (action: string): readonly string[] =>
    plan.items.filter((item) => item.action === action).map(({ kind }) => kind);
  expect(kindsTo('delete').toSorted()).toEqual(kinds.toSorted());
  expect(kindsTo('update').toSorted()).toEqual(changed.map(({ kind }) => kind).toSorted());
  expect(kindsTo('create')).toEqual(['PersistentVolumeClaim', 'Service']);

  await grantUntilTheEnd(kit, context, roles, [user.grant(`${prefix}-rollback`, namespace)]);
  const restored = await engine.restore(plan);
  expect(restored.issues).toEqual([]);
  expect(restored.restore.status.phase).toBe('Completed');
  expect(await volume.readCopy(namespace)).toBe('precious');
  const left = await kit.kubectl([
    'get',
    objectsNamed('')
      .map(({ kind }) => kind.toLowerCase())
      .join(),
    `--namespace=${namespace}`,
    '--output=name',
  ]);
  expect(left).not.toContain('/later');
  const again = await engine.planRestore(request, { existingObjects: 'rollback' });
  expect(again.counts).toMatchObject({ create: 0, update: 0, conflict: 0, blocked: 0, delete: 0 });
});
