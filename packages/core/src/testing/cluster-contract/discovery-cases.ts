import assert from 'node:assert/strict';
import type { ApiResource, Discovery, GroupVersionResource } from '../../model/kubernetes.ts';
import type { ClusterContractCase } from './cluster-contract-context.ts';
import { eventually } from './expectations.ts';
import { configMaps } from './sample-objects.ts';
import { Widgets } from './widgets.ts';

/** What `version` and `discover` guarantee. */
export const discoveryCases: readonly ClusterContractCase[] = [
  {
    name: 'version tells major, minor and gitVersion',
    async run({ cluster, signal }) {
      const { major, minor, gitVersion } = await cluster.version({ signal });
      assert.match(major, /^\d+$/);
      assert.match(minor, /^\d+\+?$/);
      assert.match(gitVersion, /^v\d+\.\d+\./);
    },
  },
  {
    name: 'location names the server',
    async run({ cluster }) {
      assert.notEqual(cluster.location, '');
    },
  },
  {
    name: 'discovery describes the resources of the core group',
    async run({ cluster, signal }) {
      const discovery = await cluster.discover({ signal });
      assert.deepEqual(discovery.failures, []);
      const found = resourceOf(discovery, configMaps);
      assert.equal(found?.kind, 'ConfigMap');
      assert.equal(found.singularName, 'configmap');
      assert.equal(found.namespaced, true);
      assert.deepEqual(found.shortNames, ['cm']);
      for (const verb of ['create', 'delete', 'get', 'list', 'patch', 'watch']) {
        assert.ok(found.verbs.includes(verb), verb);
      }
      const namespaces = resourceOf(discovery, {
        group: '',
        version: 'v1',
        resource: 'namespaces',
      });
      assert.equal(namespaces?.namespaced, false);
      assert.ok(namespaces.subresources.includes('status'));
    },
  },
  {
    name: 'discovery names each group with its versions, and no subresource as a resource',
    async run({ cluster, signal }) {
      const { groups, resources } = await cluster.discover({ signal });
      assert.equal(groups[0]?.name, '', 'the core group comes first');
      const apps = groups.find(({ name }) => name === 'apps');
      assert.deepEqual(apps, { name: 'apps', versions: ['v1'], preferredVersion: 'v1' });
      const deployments = resources.find(
        ({ group, resource }) => group === 'apps' && resource === 'deployments',
      );
      assert.deepEqual(deployments?.categories, ['all']);
      assert.ok(resources.every(({ resource }) => !resource.includes('/')));
      assert.equal(new Set(groups.map(({ name }) => name)).size, groups.length);
    },
  },
  {
    name: 'a CustomResourceDefinition makes its resource appear, and its deletion makes it go',
    async run(context) {
      const { cluster, signal } = context;
      const widgets = await Widgets.register(context);
      const lookUp = async (): Promise<ApiResource | undefined> =>
        resourceOf(await cluster.discover({ signal }), widgets.resource);
      const found = await eventually('discovery of the custom resource', lookUp, signal);
      assert.equal(
        `${found.kind} ${found.singularName} ${found.shortNames.join()}`,
        'Widget widget wdg',
      );
      assert.equal(found.namespaced, true);
      assert.ok(found.subresources.includes('status'));

      await widgets.create('a');
      await widgets[Symbol.asyncDispose]();
      await eventually(
        'disappearance of the custom resource',
        async () => !(await lookUp()),
        signal,
      );
      assert.equal(await cluster.get(widgets.reference('a'), { signal }), undefined);
    },
  },
];

function resourceOf(discovery: Discovery, wanted: GroupVersionResource): ApiResource | undefined {
  return discovery.resources.find(
    ({ group, version, resource }) =>
      group === wanted.group && version === wanted.version && resource === wanted.resource,
  );
}
