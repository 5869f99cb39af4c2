import { describe, expect, it } from 'vitest';
import type { Cluster, ObjectCallOptions } from '../ports/cluster.ts';
import { KubernetesCluster } from './kubernetes-cluster.ts';
import { scriptedClient } from './scripted-client.ts';
import { answerJson, answerStatus, ScriptedServer } from './scripted-server.ts';

const configMaps = { group: '', version: 'v1', resource: 'configmaps' };
const reference = { ...configMaps, namespace: 'shop', name: 'a' };
const manifest = {
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: 'a', namespace: 'shop' },
};
const path = '/api/v1/namespaces/shop/configmaps';

describe('the requests of KubernetesCluster', () => {
  it.each<[string, (cluster: Cluster) => Promise<unknown>, object, unknown?]>([
    ['get', (cluster) => cluster.get(reference), { method: 'GET', url: `${path}/a`, body: '' }],
    [
      'create',
      (cluster) => cluster.create(configMaps, manifest, { dryRun: true, fieldManager: 'me' }),
      { method: 'POST', url: `${path}?dryRun=All&fieldManager=me` },
      manifest,
    ],
    [
      'a JSON patch',
      (cluster) =>
        cluster.patch(reference, { type: 'json', operations: [{ op: 'remove', path: '/data' }] }),
      { method: 'PATCH', url: `${path}/a`, contentType: 'application/json-patch+json' },
      [{ op: 'remove', path: '/data' }],
    ],
    [
      'a merge patch of a subresource',
      (cluster) =>
        cluster.patch(reference, { type: 'merge', patch: { a: null } }, { subresource: 'status' }),
      { method: 'PATCH', url: `${path}/a/status`, contentType: 'application/merge-patch+json' },
      { a: null },
    ],
    [
      'an apply patch',
      (cluster) =>
        cluster.patch(reference, { type: 'apply', manifest, force: true }, { fieldManager: 'me' }),
      {
        method: 'PATCH',
        url: `${path}/a?fieldManager=me&force=true`,
        contentType: 'application/apply-patch+yaml',
      },
      manifest,
    ],
    [
      'delete',
      (cluster) => cluster.delete(reference),
      { method: 'DELETE', url: `${path}/a` },
      { apiVersion: 'v1', kind: 'DeleteOptions', propagationPolicy: 'Background' },
    ],
    [
      'delete with every option',
      (cluster) =>
        cluster.delete(reference, {
          propagationPolicy: 'Orphan',
          uid: 'u',
          resourceVersion: '7',
          gracePeriodSeconds: 0,
          dryRun: true,
        }),
      { method: 'DELETE', url: `${path}/a` },
      {
        apiVersion: 'v1',
        kind: 'DeleteOptions',
        propagationPolicy: 'Orphan',
        gracePeriodSeconds: 0,
        preconditions: { uid: 'u', resourceVersion: '7' },
        dryRun: ['All'],
      },
    ],
  ])('%s', async (_name, call, expected, body) => {
    await using server = await ScriptedServer.start((response) =>
      answerJson(response, 200, manifest),
    );
    await using cluster = new KubernetesCluster(scriptedClient(server));
    await call(cluster);
    const [seen] = server.requests;
    expect({ ...seen, contentType: seen?.headers['content-type'] }).toMatchObject(expected);
    expect(seen?.body === '' ? undefined : JSON.parse(seen?.body ?? '')).toEqual(body);
  });

  it.each<[string, (cluster: Cluster) => Promise<unknown>, number]>([
    ['a delete of one very object', (cluster) => cluster.delete(reference, { uid: 'u' }), 2],
    ['a delete of a name', (cluster) => cluster.delete(reference), 1],
    [
      'a merge patch',
      (cluster) => cluster.patch(reference, { type: 'merge', patch: { data: null } }),
      2,
    ],
    [
      'a merge patch of one version',
      (cluster) =>
        cluster.patch(reference, {
          type: 'merge',
          patch: { metadata: { resourceVersion: '7' } },
        }),
      1,
    ],
    [
      'an apply patch',
      (cluster) => cluster.patch(reference, { type: 'apply', manifest }, { fieldManager: 'me' }),
      2,
    ],
    ['a JSON patch', (cluster) => cluster.patch(reference, { type: 'json', operations: [] }), 1],
    ['a create', (cluster) => cluster.create(configMaps, manifest), 1],
  ])('%s whose answer is lost is sent the right number of times', async (_name, call, times) => {
    await using server = await ScriptedServer.start((response, _request, index) =>
      index === 0 ? response.destroy() : answerJson(response, 200, manifest),
    );
    await using cluster = new KubernetesCluster(scriptedClient(server));
    const [outcome] = await Promise.allSettled([call(cluster)]);
    expect(outcome.status).toBe(times > 1 ? 'fulfilled' : 'rejected');
    expect(server.requests).toHaveLength(times);
  });

  it.each<[string, (cluster: Cluster, options: ObjectCallOptions) => Promise<unknown>]>([
    ['get', (cluster, options) => cluster.get(reference, options)],
    ['create', (cluster, options) => cluster.create(configMaps, manifest, options)],
    [
      'patch',
      (cluster, options) => cluster.patch(reference, { type: 'merge', patch: {} }, options),
    ],
    ['delete', (cluster, options) => cluster.delete(reference, options)],
  ])('%s tells of each 429 after which it is sent again', async (_name, call) => {
    let told = 0;
    await using server = await ScriptedServer.start((response, _request, index) =>
      index < 2
        ? answerStatus(response, 429, 'TooManyRequests')
        : answerJson(response, 200, manifest),
    );
    await using cluster = new KubernetesCluster(scriptedClient(server));
    await call(cluster, { onRateLimited: () => void (told += 1) });
    expect(told).toBe(2);
    expect(server.requests).toHaveLength(3);
  });

  it('numbers beyond 2^53 are sent as they were read', async () => {
    const stored =
      '{"apiVersion":"v1","kind":"X","large":9007199254740993,"metadata":{"name":"a"}}';
    await using server = await ScriptedServer.start((response) =>
      answerJson(response, 200, stored),
    );
    await using cluster = new KubernetesCluster(scriptedClient(server));
    const object = await cluster.get(reference);
    await cluster.create(configMaps, object ?? manifest);
    expect(server.requests[1]?.body).toBe(stored);
  });

  it('an error names the call and its object', async () => {
    await using server = await ScriptedServer.start((response) =>
      answerStatus(response, 403, 'Forbidden'),
    );
    await using cluster = new KubernetesCluster(scriptedClient(server));
    await expect(cluster.get(reference)).rejects.toMatchObject({
      operation: 'Cluster.get',
      target: 'configmaps shop/a',
      httpStatus: 403,
      reason: 'Forbidden',
    });
    await expect(
      cluster.create(configMaps, { ...manifest, metadata: { generateName: 'a-' } }),
    ).rejects.toMatchObject({
      operation: 'Cluster.create',
      target: 'configmaps a-…',
    });
  });

  it('a name that would lead elsewhere never reaches the server', async () => {
    await using server = await ScriptedServer.start((response) =>
      answerJson(response, 200, manifest),
    );
    await using cluster = new KubernetesCluster(scriptedClient(server));
    for (const name of ['', '..', '../../secrets/x']) {
      await expect(cluster.get({ ...reference, name })).rejects.toMatchObject({ code: 'Invalid' });
      await expect(cluster.delete({ ...reference, name })).rejects.toMatchObject({
        code: 'Invalid',
      });
    }
    expect(server.requests).toEqual([]);
  });
});
