import {
  type Cluster,
  type JsonObject,
  type KubernetesManifest,
  type KubernetesObject,
  Resources,
} from '@lifeboat/core';
import { expect, it } from 'vitest';
import { stringAt } from '../../packages/core/src/model/object-path.ts';
import { storeVersionedBackup } from '../../packages/core/src/restore/versioned-archive-fixture.ts';
import { type ClusterTestContext, testCluster } from '../cluster/test-cluster.ts';
import { waitFor } from '../cluster/wait-for.ts';
import { BackupLab } from './backup-lab.ts';
import { VolumeScene } from './volume-scene.ts';

const configMaps = { group: '', version: 'v1', resource: 'configmaps' };

it.concurrent('an object that the backup holds in two versions comes back in the one that the other cluster serves, with its status', async (context) => {
  const kit = testCluster(context);
  const lab = await BackupLab.open(kit, context);
  const first = lab.connect().cluster;
  const second = lab.connect({ cluster: 2 }).cluster;
  const group = `${kit.uniqueName('versions')}.lifeboat.test`;
  await defineWidgets(first, group, ['v2', 'v1'], context);
  await defineWidgets(second, group, ['v1'], context);
  const namespace = await kit.createNamespace('versions');
  kit.deleteNamespaceAtEnd(namespace, { cluster: 2 });

  const widget = (version: string) => ({
    ...{ group, version, resource: 'widgets', namespace, name: 'w' },
  });
  await first.create(widget('v2'), {
    apiVersion: `${group}/v2`,
    kind: 'Widget',
    metadata: { name: 'w', namespace },
    spec: { size: 3 },
  });
  const status = { phase: 'Ready' };
  await first.patch(widget('v2'), { type: 'merge', patch: { status } }, { subresource: 'status' });
  const folder = `widgets.${group}`;
  await storeVersionedBackup(lab.store, 'versions', [
    [`${folder}/v1`, await present(first, widget('v1'))],
    [`${folder}/v2-preferredversion`, await present(first, widget('v2'))],
    [folder, await present(first, widget('v2'))],
  ]);

  const { restore, issues } = await lab.engine({ cluster: 2 }).restore({
    spec: { backupName: 'versions', restoreStatus: {} },
  });
  expect(issues).toEqual([]);
  expect(restore.status.phase).toBe('Completed');
  expect(await second.get(widget('v1'))).toMatchObject({ spec: { size: 3 }, status });
});

it.concurrent('an object is deleted with the restored owner that it was linked to', async (context) => {
  const kit = testCluster(context);
  const lab = await BackupLab.open(kit, context);
  const { cluster } = lab.connect();
  const namespace = await kit.createNamespace('owners');
  const copy = kit.uniqueName('owners');
  kit.deleteNamespaceAtEnd(copy);
  const create = (name: string, metadata: JsonObject = {}): Promise<KubernetesObject> =>
    cluster.create(configMaps, {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { ...metadata, name, namespace },
    });
  const owner = await create('owner');
  const { uid = '' } = owner.metadata;
  await create('child', {
    ownerReferences: [
      { apiVersion: 'v1', kind: 'ConfigMap', name: 'owner', uid, blockOwnerDeletion: true },
    ],
  });
  const engine = lab.engine();
  await engine.backup({ name: 'owners', spec: { includedNamespaces: [namespace] } });
  const spec = { backupName: 'owners', namespaceMapping: { [namespace]: copy } };
  const { issues } = await engine.restore({ spec }, { relinkOwners: true });
  expect(issues).toEqual([]);

  const child = { ...configMaps, namespace: copy, name: 'child' };
  expect((await present(cluster, child)).metadata.ownerReferences).toMatchObject([
    { name: 'owner', blockOwnerDeletion: true },
  ]);
  await cluster.delete({ ...configMaps, namespace: copy, name: 'owner' });
  await waitFor(async () => (await cluster.get(child)) === undefined, {
    what: 'the garbage collector to delete the child',
  });
});

it.concurrent('an object comes back with the fields that each tool has set, and the tool that set them can apply them again', async (context) => {
  const kit = testCluster(context);
  const lab = await BackupLab.open(kit, context);
  const { cluster } = lab.connect();
  const namespace = await kit.createNamespace('managed');
  const copy = kit.uniqueName('managed');
  kit.deleteNamespaceAtEnd(copy);
  const apply = (target: string, key: string, manager: string): Promise<KubernetesObject> =>
    cluster.patch(
      { ...configMaps, namespace: target, name: 'shared' },
      {
        type: 'apply',
        manifest: {
          apiVersion: 'v1',
          kind: 'ConfigMap',
          metadata: { name: 'shared', namespace: target },
          data: { [key]: manager },
        },
      },
      { fieldManager: manager },
    );
  await apply(namespace, 'a', 'one');
  const { managedFields } = (await apply(namespace, 'b', 'two')).metadata;
  expect(managedFields).toMatchObject([{ manager: 'one' }, { manager: 'two' }]);

  const engine = lab.engine();
  await engine.backup({ name: 'managed', spec: { includedNamespaces: [namespace] } });
  const spec = { backupName: 'managed', namespaceMapping: { [namespace]: copy } };
  const { issues } = await engine.restore({ spec }, { restoreManagedFields: true });
  expect(issues).toEqual([]);
  const reference = { ...configMaps, namespace: copy, name: 'shared' };
  expect((await present(cluster, reference)).metadata['managedFields']).toEqual(managedFields);
  expect((await apply(copy, 'c', 'one'))['data']).toEqual({ b: 'two', c: 'one' });
});

it.concurrent('a claim comes back beside the original, on a volume with the labels and the policy of its volume', async (context) => {
  const scene = await VolumeScene.open(context);
  const { cluster, namespace, lab } = scene;
  const original = await volumeOf(cluster, namespace, 'data');
  const labels = { 'example.com/tier': 'gold' };
  await changeVolume(cluster, original, { labels, policy: 'Retain' });
  const engine = lab.engine();
  try {
    await engine.backup(scene.request);
  } finally {
    await changeVolume(cluster, original, { policy: 'Delete' });
  }
  const { issues } = await engine.restore(
    { spec: { backupName: scene.request.name, includedResources: ['pvc'] } },
    { claimNameMapping: { [`${namespace}/data`]: 'data-copy' } },
  );
  expect(issues).toEqual([]);
  const restored = await volumeOf(cluster, namespace, 'data-copy');
  // Else it would outlive the test.
  await changeVolume(cluster, restored, { policy: 'Delete' });
  expect(restored.metadata.name).not.toBe(original.metadata.name);
  expect(restored).toMatchObject({
    metadata: { labels },
    spec: { persistentVolumeReclaimPolicy: 'Retain' },
  });
});

async function present(
  cluster: Cluster,
  reference: Parameters<Cluster['get']>[0],
): Promise<KubernetesObject> {
  const object = await cluster.get(reference);
  if (object === undefined) {
    throw new Error(`${reference.resource} ${reference.name} does not exist`);
  }
  return object;
}

async function volumeOf(
  cluster: Cluster,
  namespace: string,
  name: string,
): Promise<KubernetesObject> {
  const claim = await present(cluster, { ...Resources.persistentVolumeClaims, namespace, name });
  const volumeName = stringAt(claim, ['spec', 'volumeName']) ?? '';
  return present(cluster, { ...Resources.persistentVolumes, name: volumeName });
}

async function changeVolume(
  cluster: Cluster,
  volume: KubernetesObject,
  { labels = {}, policy }: { readonly labels?: JsonObject; readonly policy: string },
): Promise<void> {
  await cluster.patch(
    { ...Resources.persistentVolumes, name: volume.metadata.name },
    {
      type: 'merge',
      patch: { metadata: { labels }, spec: { persistentVolumeReclaimPolicy: policy } },
    },
  );
}

/** Has a cluster serve widgets in these versions, the first of which it stores, until the end of the test. */
async function defineWidgets(
  cluster: Cluster,
  group: string,
  versions: readonly string[],
  context: ClusterTestContext,
): Promise<void> {
  const reference = { ...Resources.customResourceDefinitions, name: `widgets.${group}` };
  const schema = {
    openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
  };
  const manifest: KubernetesManifest = {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: reference.name },
    spec: {
      group,
      scope: 'Namespaced',
      names: { plural: 'widgets', singular: 'widget', kind: 'Widget', listKind: 'WidgetList' },
      versions: versions.map((name, index) => ({
        ...{ name, schema, served: true, storage: index === 0, subresources: { status: {} } },
      })),
    },
  };
  context.onTestFinished(() => cluster.delete(reference));
  await cluster.create(Resources.customResourceDefinitions, manifest);
  await waitFor(
    async () => {
      const { resources } = await cluster.discover();
      return resources.filter((resource) => resource.group === group).length === versions.length;
    },
    { what: `widgets of ${group} to be served` },
  );
}
