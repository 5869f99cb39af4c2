import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { GroupVersionResource } from '../../model/kubernetes.ts';
import { Resources } from '../../model/resources.ts';
import { clusterContract } from '../cluster-contract/cluster-contract.ts';
import { FakeCluster } from './fake-cluster.ts';

describe('FakeCluster keeps the cluster contract', () => {
  let cluster = new FakeCluster();
  afterEach(async () => {
    await cluster.close();
  });

  for (const contractCase of clusterContract) {
    it(contractCase.name, async ({ signal }) => {
      cluster = new FakeCluster();
      const namespace = 'contract';
      await cluster.create(Resources.namespaces, {
        apiVersion: 'v1',
        kind: 'Namespace',
        metadata: { name: namespace },
      });
      const csi = {
        driver: cluster.csi.name,
        storageClassName: 'fake-csi',
        deletingSnapshotClassName: 'fake-csi',
        retainingSnapshotClassName: 'fake-csi-retain',
      };
      await contractCase.run({
        cluster,
        namespace,
        signal,
        csi,
        groupSnapshots: { ...csi, groupSnapshotClassName: 'fake-csi' },
        open: () => cluster.connect(),
        forgetHistory: async () => {
          cluster.compact();
        },
        breakConnections: async () => {
          cluster.breakConnections();
        },
        restrictedCluster: failing('Forbidden'),
        unauthenticatedCluster: failing('Unauthorized'),
        unreachableCluster: failing('Unavailable'),
      });
    });
  }

  function failing(error: 'Forbidden' | 'Unauthorized' | 'Unavailable') {
    const connection = cluster.connect();
    connection.faults.inject({ error });
    return connection;
  }
});

describe('FakeCluster as a fixture', () => {
  let cluster: FakeCluster;
  beforeEach(() => {
    cluster = new FakeCluster();
  });
  afterEach(async () => {
    await cluster.close();
  });

  it('starts with what every cluster has, and without CSI with nothing else', async () => {
    await using bare = new FakeCluster({ withCsi: false });
    const names = async (resource: GroupVersionResource): Promise<readonly string[]> =>
      (await Array.fromAsync(bare.list(resource))).map(({ metadata }) => metadata.name);
    expect(await names(Resources.namespaces)).toEqual([
      'default',
      'kube-node-lease',
      'kube-public',
      'kube-system',
    ]);
    expect(await names(Resources.storageClasses)).toEqual([]);
    await expect(names(Resources.volumeSnapshots)).rejects.toMatchObject({ code: 'NotFound' });
  });

  it('seeds objects as they are, status and identity included, with their namespace', async () => {
    const [seeded] = cluster.seed([
      {
        apiVersion: 'apps/v1',
        kind: 'Deployment',
        metadata: {
          name: 'web',
          namespace: 'shop',
          uid: 'fixed',
          creationTimestamp: '2020-01-01T00:00:00Z',
        },
        status: { replicas: 3 },
      },
    ]);
    const reference = {
      group: 'apps',
      version: 'v1',
      resource: 'deployments',
      namespace: 'shop',
      name: 'web',
    };
    const found = await cluster.get(reference);
    expect(found).toEqual(seeded);
    expect(found).toMatchObject({
      metadata: { uid: 'fixed', generation: 1 },
      status: { replicas: 3 },
    });
    expect(await cluster.get({ ...Resources.namespaces, name: 'shop' })).toBeDefined();
  });

  it('seeds into the namespace default when none is named', async () => {
    cluster.seed([{ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a' } }]);
    expect(await cluster.get({ ...configMaps, ...configMap.metadata })).toBeDefined();
  });

  it('refuses to seed a kind that is not served', () => {
    const manifest = { apiVersion: 'example.com/v1', kind: 'Widget', metadata: { name: 'a' } };
    expect(() => cluster.seed([manifest])).toThrow(/does not serve example.com\/v1 Widget/);
  });

  it('serves the resource of a seeded definition at once', async () => {
    const names = { plural: 'widgets', kind: 'Widget' };
    cluster.seed([
      {
        apiVersion: 'apiextensions.k8s.io/v1',
        kind: 'CustomResourceDefinition',
        metadata: { name: 'widgets.example.com' },
        spec: {
          group: 'example.com',
          scope: 'Cluster',
          names,
          versions: [{ name: 'v1', storage: true }],
        },
      },
      { apiVersion: 'example.com/v1', kind: 'Widget', metadata: { name: 'a' } },
    ]);
    const resource = { group: 'example.com', version: 'v1', resource: 'widgets' };
    expect(await cluster.get({ ...resource, name: 'a' })).toBeDefined();
  });

  it('cannot be changed through what it is given or what it gives', async () => {
    const data = { k: 'v' };
    const manifest = { ...configMap, data };
    const created = await cluster.create(configMaps, manifest);
    data.k = 'changed';
    expect(() => Object.assign(created.metadata, { name: 'b' })).toThrow(TypeError);
    expect(await cluster.get({ ...configMaps, ...configMap.metadata })).toMatchObject({
      data: { k: 'v' },
    });
  });

  it('serves all versions of a resource from one object', async () => {
    const manifest = {
      apiVersion: 'autoscaling/v1',
      kind: 'HorizontalPodAutoscaler',
      metadata: { name: 'a', namespace: 'default' },
      spec: { maxReplicas: 1, scaleTargetRef: { kind: 'Deployment', name: 'a' } },
    };
    const resource = { group: 'autoscaling', version: 'v1', resource: 'horizontalpodautoscalers' };
    await cluster.create(resource, manifest);
    const newer = await cluster.get({
      ...resource,
      version: 'v2',
      namespace: 'default',
      name: 'a',
    });
    expect(newer?.apiVersion).toBe('autoscaling/v2');
  });

  it('logs what it is asked, per connection', async () => {
    const other = cluster.connect();
    await other.create(configMaps, configMap, { fieldManager: 'me' });
    expect(cluster.requests).toEqual([]);
    expect(other.requests).toMatchObject([
      {
        operation: 'create',
        resource: 'configmaps',
        namespace: 'default',
        name: 'a',
        fieldManager: 'me',
      },
    ]);
    other.forgetRequests();
    expect(other.requests).toEqual([]);
  });

  it('makes one request per page of a list', async () => {
    for (const name of ['a', 'b', 'c']) {
      await cluster.create(configMaps, { ...configMap, metadata: { name, namespace: 'default' } });
    }
    cluster.forgetRequests();
    await Array.fromAsync(cluster.list(configMaps, { namespace: 'default', pageSize: 2 }));
    expect(cluster.requests).toHaveLength(2);
  });

  it('reports a group version that cannot be discovered, and the rest', async () => {
    const failure = {
      group: 'apps',
      version: 'v1',
      message: 'the server is currently unable to handle the request',
    };
    cluster.failDiscovery(failure);
    const { failures, resources } = await cluster.discover();
    expect(failures).toEqual([failure]);
    expect(resources.some(({ group }) => group === 'apps')).toBe(false);
    expect(resources.some(({ resource }) => resource === 'pods')).toBe(true);
  });

  it('refuses a field selector that the server does not have', async () => {
    const options = { fieldSelector: 'data.k=v' };
    await expect(Array.fromAsync(cluster.list(configMaps, options))).rejects.toMatchObject({
      code: 'Invalid',
      httpStatus: 400,
    });
  });

  it('does not act any more once it is closed', async () => {
    await cluster.create(Resources.namespaces, {
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name: 'late' },
    });
    const other = cluster.connect();
    await cluster.close();
    await expect(other.get({ ...configMaps, ...configMap.metadata })).rejects.toMatchObject({
      code: 'Closed',
    });
    await cluster.settle();
  });
});

const configMaps = { group: '', version: 'v1', resource: 'configmaps' };
const configMap = {
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: 'a', namespace: 'default' },
};
