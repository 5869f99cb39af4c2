import { describe, expect, it } from 'vitest';
import type { ListOptions } from '../ports/cluster.ts';
import { KubernetesCluster } from './kubernetes-cluster.ts';
import { scriptedClient } from './scripted-client.ts';
import { answerJson, answerStatus, type Script, ScriptedServer } from './scripted-server.ts';

const configMaps = { group: '', version: 'v1', resource: 'configmaps' };

describe('list', () => {
  it('asks for page after page, and for no more than the reader wants', async () => {
    const script: Script = (response, _request, index) =>
      answerJson(response, 200, page(['a', 'b'], `t${index}`));
    await using server = await ScriptedServer.start(script);
    await using cluster = new KubernetesCluster(scriptedClient(server));
    const names: string[] = [];
    for await (const { metadata } of cluster.list(configMaps, { namespace: 'shop', pageSize: 2 })) {
      if (names.push(metadata.name) === 3) {
        break;
      }
    }
    expect(server.requests.map(({ url }) => url)).toEqual([
      '/api/v1/namespaces/shop/configmaps?limit=2',
      '/api/v1/namespaces/shop/configmaps?limit=2&continue=t0',
    ]);
  });

  it('reads one page ahead of its reader, and no further', async () => {
    const script: Script = (response, _request, index) =>
      answerJson(response, 200, page(['a', 'b', 'c'], `t${index}`));
    await using server = await ScriptedServer.start(script);
    await using cluster = new KubernetesCluster(scriptedClient(server));
    const list = cluster.list(configMaps, { pageSize: 3 })[Symbol.asyncIterator]();
    const requests: number[] = [];
    for (let count = 0; count < 7; count += 1) {
      await list.next();
      // An answer later whatever was under way has reached the server.
      await cluster.version();
      requests.push(server.requests.filter(({ url }) => url !== '/version').length);
    }
    await list.return?.();
    expect(requests).toEqual([1, 2, 2, 2, 3, 3, 3]);
  });

  it('throws the failure of a page that was read ahead when it is its turn', async () => {
    const script: Script = (response, _request, index) =>
      index === 0
        ? answerJson(response, 200, page(['a', 'b'], 't'))
        : answerStatus(response, 403, 'Forbidden');
    await using server = await ScriptedServer.start(script);
    await using cluster = new KubernetesCluster(scriptedClient(server));
    const names: string[] = [];
    const listed = (async () => {
      for await (const { metadata } of cluster.list(configMaps)) {
        names.push(metadata.name);
      }
    })();
    await expect(listed).rejects.toMatchObject({ code: 'Forbidden' });
    expect(names).toEqual(['a', 'b']);
  });

  it('requests nothing until it is iterated', async () => {
    await using server = await ScriptedServer.start((response) =>
      answerJson(response, 200, page([])),
    );
    await using cluster = new KubernetesCluster(scriptedClient(server));
    cluster.list(configMaps);
    await cluster.version();
    expect(server.requests.map(({ url }) => url)).toEqual(['/version']);
  });

  it('passes on selectors and asks for metadata only', async () => {
    await using server = await ScriptedServer.start((response) =>
      answerJson(response, 200, page([])),
    );
    await using cluster = new KubernetesCluster(scriptedClient(server));
    const options = { labelSelector: 'a=b', fieldSelector: 'metadata.name=x', metadataOnly: true };
    expect(await Array.fromAsync(cluster.list(configMaps, options))).toEqual([]);
    expect(server.requests[0]).toMatchObject({
      url: '/api/v1/configmaps?labelSelector=a%3Db&fieldSelector=metadata.name%3Dx&limit=500',
      headers: { accept: 'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1' },
    });
  });

  it("gives items the list's apiVersion and kind, but not to those that bring their own", async () => {
    const list = {
      ...page(['a']),
      items: [
        { metadata: { name: 'a' } },
        { apiVersion: 'x/v1', kind: 'Own', metadata: { name: 'b' } },
      ],
    };
    await using server = await ScriptedServer.start((response) => answerJson(response, 200, list));
    await using cluster = new KubernetesCluster(scriptedClient(server));
    const items = await Array.fromAsync(cluster.list(configMaps));
    expect(items.map(({ apiVersion, kind }) => `${apiVersion} ${kind}`)).toEqual([
      'v1 ConfigMap',
      'x/v1 Own',
    ]);
  });

  it('goes on with the token of the 410, however often, and reports it once', async () => {
    const { names, reports, urls } = await listThrough((response, { url }, index) => {
      const token = new URL(url, 'http://x').searchParams.get('continue');
      if (token?.startsWith('old')) {
        answerStatus(response, 410, 'Expired', { metadata: { continue: `new${index}` } });
      } else {
        answerJson(response, 200, page([`o${index}`], index < 4 ? `old${index}` : undefined));
      }
    });
    expect(names).toEqual(['o0', 'o2', 'o4']);
    expect(reports).toBe(1);
    expect(urls.map((url) => new URL(url, 'http://x').searchParams.get('continue'))).toEqual([
      null,
      'old0',
      'new1',
      'old2',
      'new3',
    ]);
  });

  it('without such a token begins again, past what it has yielded', async () => {
    const { names, reports } = await listThrough((response, _request, index) => {
      if (index === 1) {
        answerStatus(response, 410, 'Expired');
      } else {
        answerJson(response, 200, index === 0 ? page(['a', 'c'], 't') : page(['a', 'b', 'c', 'd']));
      }
    });
    expect(names).toEqual(['a', 'c', 'd']);
    expect(reports).toBe(1);
  });

  it('a list that expires without getting anywhere is Gone', async () => {
    const outcome = listThrough((response, _request, index) =>
      index === 0
        ? answerJson(response, 200, page(['a'], 't'))
        : answerStatus(response, 410, 'Expired', { metadata: { continue: 'u' } }),
    );
    await expect(outcome).rejects.toMatchObject({ code: 'Gone' });
  });

  it('an answer that is not a list is an error', async () => {
    await expect(listThrough((response) => answerJson(response, 200, [1]))).rejects.toMatchObject({
      code: 'Unknown',
    });
  });
});

function page(names: readonly string[], token?: string): object {
  return {
    kind: 'ConfigMapList',
    apiVersion: 'v1',
    metadata: { resourceVersion: '1', continue: token },
    items: names.map((name) => ({ metadata: { name } })),
  };
}

async function listThrough(
  script: Script,
): Promise<{ names: string[]; reports: number; urls: string[] }> {
  await using server = await ScriptedServer.start(script);
  await using cluster = new KubernetesCluster(scriptedClient(server));
  let reports = 0;
  const options: ListOptions = { onInconsistent: () => (reports += 1) };
  const items = await Array.fromAsync(cluster.list(configMaps, options));
  const names = items.map(({ metadata }) => metadata.name);
  return { names, reports, urls: server.requests.map(({ url }) => url) };
}
