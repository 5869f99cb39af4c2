import {
  createEngine,
  type KubernetesManifest,
  Resources,
  type RestoreEvent,
} from '@lifeboat/core';
import { expect, it } from 'vitest';
import { testCluster } from '../cluster/test-cluster.ts';
import { BackupLab } from './backup-lab.ts';

const { configMaps } = Resources;
const finalizers = ['lifeboat.test/held'];

function configMap(
  namespace: string,
  name: string,
  { data = {}, ...metadata }: { data?: Record<string, string>; finalizers?: string[] } = {},
): KubernetesManifest {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { namespace, name, ...metadata }, data };
}

it('an object and a namespace that do not go hold back nothing else, though one object is restored at a time', async (context) => {
  const lab = await BackupLab.open(testCluster(context), context);
  const connection = lab.connect();
  const { cluster } = connection;
  const [shop, other] = [
    await lab.kit.createNamespace('ending'),
    await lab.kit.createNamespace('ending'),
  ];
  const data = { from: 'backup' };
  await cluster.create(configMaps, configMap(shop, 'settings', { data }));
  await cluster.create(configMaps, configMap(other, 'a-held', { data }));
  await cluster.create(configMaps, configMap(other, 'b-free', { data }));
  const engine = createEngine({
    ...connection,
    store: lab.store,
    concurrency: { restoredObjects: 1 },
  });
  const { backup } = await engine.backup({
    name: 'backup',
    spec: { includedNamespaces: [shop, other], includedResources: ['configmaps'] },
  });
  expect(backup.status.phase).toBe('Completed');

  const [ending, existing] = [
    await lab.kit.createNamespace('ending'),
    await lab.kit.createNamespace('ending'),
  ];
  await cluster.create(configMaps, configMap(ending, 'held', { finalizers }));
  await cluster.create(configMaps, configMap(existing, 'a-held', { finalizers }));
  await cluster.create(configMaps, configMap(existing, 'b-free'));
  const letGo = async (namespace: string, name: string): Promise<void> => {
    const patch = { metadata: { finalizers: null } };
    await cluster.patch({ ...configMaps, namespace, name }, { type: 'merge', patch });
  };
  await cluster.delete({ ...Resources.namespaces, name: ending });

  const done: string[] = [];
  const freeIsDone = Promise.withResolvers<void>();
  const onEvent = (event: RestoreEvent): void => {
    // Each namespace has a ConfigMap of the cluster itself, which is left out.
    if (event.type === 'item' && event.object.name !== 'kube-root-ca.crt') {
      done.push(`${event.object.namespace ?? ''}/${event.object.name} ${event.action}`);
      freeIsDone.resolve();
    }
  };
  const restoring = engine.restore(
    {
      name: `restored-${ending}`,
      spec: { backupName: 'backup', namespaceMapping: { [shop]: ending, [other]: existing } },
    },
    { existingObjects: 'recreate', onEvent },
  );
  await Promise.race([freeIsDone.promise, restoring]);
  expect(done).toEqual([`${existing}/b-free recreated`]);
  await letGo(existing, 'a-held');
  await letGo(ending, 'held');
  const { issues, restore } = await restoring;
  expect(issues).toEqual([]);
  expect(restore.status.phase).toBe('Completed');
  expect(done.slice(1).toSorted()).toEqual(
    [`${existing}/a-held recreated`, `/${ending} created`, `${ending}/settings created`].toSorted(),
  );
  const held = { ...configMaps, namespace: existing, name: 'a-held' };
  expect(await cluster.get(held)).toMatchObject({ data });
  const settings = { ...configMaps, namespace: ending, name: 'settings' };
  expect(await cluster.get(settings)).toMatchObject({ data });
});
