import { describe, expect, it } from 'vitest';
import { KubernetesCluster } from './kubernetes-cluster.ts';
import { scriptedClient } from './scripted-client.ts';
import { answerJson, answerStatus, ScriptedServer } from './scripted-server.ts';

describe('discover', () => {
  it('takes two requests where the server aggregates, the core group first', async () => {
    const document = (name: string | undefined, resource: string): unknown => ({
      kind: 'APIGroupDiscoveryList',
      items: [
        {
          metadata: { name },
          versions: [
            {
              version: 'v1',
              resources: [{ resource, responseKind: { kind: 'X' }, scope: 'Cluster' }],
            },
          ],
        },
      ],
    });
    await using server = await ScriptedServer.start((response, { url }) =>
      answerJson(
        response,
        200,
        url === '/api' ? document(undefined, 'nodes') : document('apps', 'deployments'),
      ),
    );
    await using cluster = new KubernetesCluster(scriptedClient(server));
    const { groups, resources } = await cluster.discover();
    expect(groups.map(({ name }) => name)).toEqual(['', 'apps']);
    expect(resources.map(({ resource, namespaced }) => [resource, namespaced])).toEqual([
      ['nodes', false],
      ['deployments', false],
    ]);
    expect(server.requests).toHaveLength(2);
    expect(server.requests[0]?.headers['accept']).toContain(
      'g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList',
    );
  });

  it('asks nothing of a group whose server is down where the server aggregates', async () => {
    const stale = { version: 'v1', freshness: 'Stale', resources: [] };
    await using server = await ScriptedServer.start((response, { url }) => {
      const items =
        url === '/api' ? [] : [{ metadata: { name: 'metrics.k8s.io' }, versions: [stale] }];
      answerJson(response, 200, { kind: 'APIGroupDiscoveryList', items });
    });
    await using cluster = new KubernetesCluster(scriptedClient(server));
    const { resources, failures } = await cluster.discover();
    expect(resources).toEqual([]);
    expect(failures).toMatchObject([{ group: 'metrics.k8s.io', version: 'v1' }]);
    expect(server.requests.map(({ url }) => url)).toEqual(['/api', '/apis']);
  });

  it('goes group by group where it does not, and reports a group that is down', async () => {
    const groups = ['apps', 'metrics.k8s.io'].map((name) => ({
      name,
      versions: [{ version: 'v1' }],
      preferredVersion: { version: 'v1' },
    }));
    const answers: Record<string, unknown> = {
      '/api': { kind: 'APIVersions', versions: ['v1'] },
      '/apis': { kind: 'APIGroupList', groups },
      '/api/v1': { resources: [{ name: 'pods', kind: 'Pod', namespaced: true, verbs: ['get'] }] },
      '/apis/apps/v1': { resources: [{ name: 'deployments', kind: 'Deployment', verbs: ['get'] }] },
    };
    await using server = await ScriptedServer.start((response, { url }) =>
      url in answers
        ? answerJson(response, 200, answers[url])
        : answerStatus(response, 503, 'ServiceUnavailable'),
    );
    await using cluster = new KubernetesCluster(scriptedClient(server));
    const discovery = await cluster.discover();
    expect(discovery.groups.map(({ name }) => name)).toEqual(['', 'apps', 'metrics.k8s.io']);
    expect(discovery.resources.map(({ resource }) => resource)).toEqual(['pods', 'deployments']);
    expect(discovery.failures).toEqual([
      { group: 'metrics.k8s.io', version: 'v1', message: expect.stringContaining('503') as string },
    ]);
    const asked = server.requests.filter(({ url }) => url === '/apis/metrics.k8s.io/v1');
    expect(asked).toHaveLength(5);
  });
});
