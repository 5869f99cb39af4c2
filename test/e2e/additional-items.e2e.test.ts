import { randomUUID } from 'node:crypto';
import {
  createEngine,
  type KubernetesManifest,
  Resources,
  type RestoreItemAction,
} from '@lifeboat/core';
import { expect, it } from 'vitest';
import { testCluster } from '../cluster/test-cluster.ts';
import { waitFor } from '../cluster/wait-for.ts';
import { BackupLab } from './backup-lab.ts';

const labels = { app: 'web' };
const definitions = Resources.customResourceDefinitions;

function definitionOf(group: string): KubernetesManifest {
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `shops.${group}` },
    spec: {
      group,
      scope: 'Namespaced',
      names: { plural: 'shops', singular: 'shop', kind: 'Shop', listKind: 'ShopList' },
      versions: [
        {
          name: 'v1',
          served: true,
          storage: true,
          schema: {
            openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
          },
        },
      ],
    },
  };
}

it('what item actions ask for is restored before, waited for until it is ready, and a definition is served before its object', async (context) => {
  const lab = await BackupLab.open(testCluster(context), context);
  const connection = lab.connect();
  const { cluster } = connection;
  const namespace = await lab.kit.createNamespace('additional');
  const group = `t${randomUUID().slice(0, 8)}.lifeboat.test`;
  const shops = { group, version: 'v1', resource: 'shops' };
  const definition = { ...definitions, name: `shops.${group}` };
  context.onTestFinished(() => cluster.delete(definition));
  const shop = {
    apiVersion: `${group}/v1`,
    kind: 'Shop',
    metadata: { name: 'corner', namespace, labels },
    spec: { open: true },
  };
  const configMap = (name: string, metadata = {}): KubernetesManifest => ({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name, namespace, ...metadata },
    data: { name },
  });
  await cluster.create(Resources.configMaps, configMap('web', { labels }));
  await cluster.create(Resources.configMaps, configMap('template'));
  await cluster.create(definitions, definitionOf(group));
  await waitFor(() => cluster.create(shops, shop).catch(() => undefined), {
    what: 'the custom resource to be created',
  });
  const { backup } = await lab.engine().backup({
    name: 'backup',
    spec: { includedNamespaces: [namespace] },
  });
  expect(backup.status.phase).toBe('Completed');
  await cluster.delete(definition);
  await waitFor(async () => (await cluster.get(definition)) === undefined, {
    what: 'the definition to be gone',
  });

  const target = await lab.kit.createNamespace('additional');
  const template = { ...Resources.configMaps, namespace: target, name: 'template' };
  const web = { ...Resources.configMaps, namespace: target, name: 'web' };
  const answers: boolean[] = [];
  const action: RestoreItemAction = {
    name: 'lifeboat.test/ask',
    appliesTo: { resources: ['configmaps', `shops.${group}`] },
    execute: async ({ itemFromBackup: { kind, metadata } }) => {
      if (kind === 'Shop') {
        return { additionalItems: [{ groupResource: 'crd', name: definition.name }] };
      }
      return metadata.name !== 'web'
        ? {}
        : {
            additionalItems: [{ groupResource: 'configmaps', namespace, name: 'template' }],
            areAdditionalItemsReady: async ({ additionalItems, signal }) => {
              expect(additionalItems).toEqual([
                { groupResource: 'configmaps', namespace: target, name: 'template' },
              ]);
              expect(await cluster.get(web, { signal })).toBeUndefined();
              const found = await cluster.get(template, { signal });
              const isReady = found?.metadata.annotations?.['compiled'] === 'true';
              answers.push(isReady);
              const patch = { metadata: { annotations: { compiled: 'true' } } };
              await cluster.patch(template, { type: 'merge', patch }, { signal });
              return isReady;
            },
          };
    },
  };
  const engine = createEngine({ ...connection, store: lab.store, restoreItemActions: [action] });
  const plan = await engine.planRestore({
    spec: {
      backupName: 'backup',
      includedNamespaces: [namespace],
      namespaceMapping: { [namespace]: target },
      labelSelector: { matchLabels: labels },
    },
  });
  expect(answers).toEqual([]);
  const asked = plan.items.flatMap(({ source, action: what, askedForBy }) =>
    askedForBy === undefined ? [] : [`${source.name} ${what} for ${askedForBy.object.name}`],
  );
  expect(asked).toEqual(['template create for web', `${definition.name} create for corner`]);

  const { issues, items } = await engine.restore(plan);
  expect(issues).toEqual([]);
  expect(answers).toEqual([false, true]);
  const created = items.filter((item) => item.action === 'created');
  expect(created.map(({ object }) => object.name).toSorted()).toEqual(
    ['corner', definition.name, 'template', 'web'].toSorted(),
  );
  expect(await cluster.get({ ...shops, namespace: target, name: 'corner' })).toMatchObject({
    spec: { open: true },
  });
  expect(await cluster.get(web)).toMatchObject({ data: { name: 'web' } });
});
