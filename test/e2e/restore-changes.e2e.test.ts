import { type KubernetesManifest, Resources, type RestoreTransform } from '@lifeboat/core';
import { expect, it } from 'vitest';
import { objectsAt, stringAt } from '../../packages/core/src/model/object-path.ts';
import { testCluster } from '../cluster/test-cluster.ts';
import { BackupLab } from './backup-lab.ts';
import { VolumeWithData } from './volume-with-data.ts';

const deployments = { group: 'apps', version: 'v1', resource: 'deployments' };
const services = { group: '', version: 'v1', resource: 'services' };

function deploymentOf(namespace: string): KubernetesManifest {
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'web', namespace },
    spec: {
      // No pods: what they would do is not the point, and takes time.
      replicas: 0,
      selector: { matchLabels: { app: 'web' } },
      template: {
        metadata: { labels: { app: 'web' } },
        spec: {
          nodeSelector: { 'kubernetes.io/hostname': 'node1' },
          containers: [
            { name: 'web', image: 'docker.io/shop/web:1', env: [{ name: 'A', value: '1' }] },
            { name: 'log', image: 'quay.io/log:1' },
          ],
        },
      },
    },
  };
}

const modifiers = `version: v1
resourceModifierRules:
- conditions: {groupResource: deployments.apps, matches: [{path: /spec/replicas, value: "0"}]}
  strategicPatches: [{patchData: "spec: {template: {spec: {containers: [{name: web, env: [{name: STAGE, value: test}]}]}}}"}]
- conditions: {groupResource: deployments.apps, resourceNameRegex: "^w"}
  patches: [{operation: replace, path: /spec/progressDeadlineSeconds, value: "60"}]
`;

const renamed: RestoreTransform = (object) =>
  object.kind === 'ConfigMap'
    ? { ...object, metadata: { ...object.metadata, name: `${object.metadata.name ?? ''}-copy` } }
    : object;

it.concurrent('a namespace is restored beside the original, changed on its way as the plan says', async (context) => {
  const kit = testCluster(context);
  const lab = await BackupLab.open(kit, context);
  const { cluster } = lab.connect();
  const { namespace, readCopy } = await original();
  const copy = kit.uniqueName('copy');
  kit.deleteNamespaceAtEnd(copy);
  const engine = lab.engine();
  await engine.backup({ name: namespace, spec: { includedNamespaces: [namespace] } });
  const before = await cluster.get({ ...services, namespace, name: 'web' });

  const velero = await kit.createNamespace('velero');
  await cluster.create(
    Resources.configMaps,
    configMap(velero, 'modifiers', { 'm.yaml': modifiers }),
  );
  await cluster.create(Resources.configMaps, {
    ...configMap(velero, 'classes', { dirvol: 'hostpath' }),
    metadata: {
      name: 'classes',
      namespace: velero,
      labels: {
        'velero.io/plugin-config': '',
        'velero.io/change-storage-class': 'RestoreItemAction',
      },
    },
  });
  const request = {
    metadata: { namespace: velero },
    spec: {
      backupName: namespace,
      namespaceMapping: { [namespace]: copy },
      resourceModifier: { kind: 'ConfigMap', name: 'modifiers' },
    },
  };
  const options = {
    veleroPluginConfig: true,
    imageMapping: { 'docker.io/': 'registry.example.com/' },
    nodeMapping: { node1: 'node2' },
    transforms: [renamed],
  };
  const plan = await engine.planRestore(request, options);
  const { issues } = await engine.restore(request, options);

  expect(issues.map(({ severity, reason }) => `${severity} ${reason}`)).toEqual([
    'warning NodePortTaken',
  ]);
  expect(plan.issues.map(({ reason }) => reason)).toEqual(['NodePortTaken']);
  const planned = plan.items.find(({ source }) => source.groupResource === 'deployments.apps');
  expect(planned?.transforms.map(({ step }) => step)).toEqual(
    expect.arrayContaining([
      'velero.io/change-image-name',
      'lifeboat.dev/change-node',
      'resource modifiers',
    ]),
  );

  expect(await readCopy(copy)).toBe('precious');
  const claim = await cluster.get({
    ...Resources.persistentVolumeClaims,
    namespace: copy,
    name: 'data',
  });
  expect(claim && stringAt(claim, ['spec', 'storageClassName'])).toBe('hostpath');
  const web = await cluster.get({ ...deployments, namespace: copy, name: 'web' });
  expect(web).toMatchObject({
    spec: {
      progressDeadlineSeconds: 60,
      template: {
        spec: {
          nodeSelector: { 'kubernetes.io/hostname': 'node2' },
          containers: [
            {
              image: 'registry.example.com/shop/web:1',
              env: [
                { name: 'STAGE', value: 'test' },
                { name: 'A', value: '1' },
              ],
            },
            { image: 'quay.io/log:1' },
          ],
        },
      },
    },
  });
  expect(
    await cluster.get({ ...Resources.configMaps, namespace: copy, name: 'settings-copy' }),
  ).toMatchObject({ data: { a: 'b' } });
  expect(
    await cluster.get({ ...Resources.configMaps, namespace: copy, name: 'settings' }),
  ).toBeUndefined();
  const restored = await cluster.get({ ...services, namespace: copy, name: 'web' });
  const [port] = objectsAt(restored ?? {}, ['spec', 'ports']);
  expect(port?.['nodePort']).toEqual(expect.any(Number));
  expect(await cluster.get({ ...services, namespace, name: 'web' })).toEqual(before);

  /** An application whose Service has a node port that somebody chose. */
  async function original(): Promise<{
    namespace: string;
    readCopy: (ns: string) => Promise<string>;
  }> {
    const volume = await VolumeWithData.create(kit, { data: 'precious' });
    const ns = volume.namespace;
    await cluster.create(deployments, deploymentOf(ns));
    await cluster.create(Resources.configMaps, configMap(ns, 'settings', { a: 'b' }));
    const service = await cluster.create(services, {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'web', namespace: ns },
      spec: { type: 'NodePort', selector: { app: 'web' }, ports: [{ name: 'http', port: 80 }] },
    });
    const lastApplied = JSON.stringify({ spec: { ports: objectsAt(service, ['spec', 'ports']) } });
    const annotations = { 'kubectl.kubernetes.io/last-applied-configuration': lastApplied };
    await cluster.patch(
      { ...services, namespace: ns, name: 'web' },
      { type: 'merge', patch: { metadata: { annotations } } },
    );
    return { namespace: ns, readCopy: (target) => volume.readCopy(target) };
  }
});

function configMap(
  namespace: string,
  name: string,
  data: Readonly<Record<string, string>>,
): KubernetesManifest {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace }, data };
}
