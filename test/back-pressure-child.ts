/**
 * A backup over HTTP into a store that takes a part of the archive only when nothing else is left to do in this process.
 *
 *     node back-pressure-child.ts
 *
 * Prints as JSON how many pages of a list had been asked for each time, and how many objects were stored in the end.
 */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  createEngine,
  MemoryObjectStore,
  type ObjectBody,
  type ObjectStore,
  type PutOptions,
} from '@lifeboat/core';
import { KubernetesCluster } from '../packages/core/src/kubernetes/kubernetes-cluster.ts';
import { scriptedClient } from '../packages/core/src/kubernetes/scripted-client.ts';

const pages = 24;
const objectsOfPage = 100;
const objectBytes = 6 * 1024;
// So much is taken at once, and so often.
const partBytes = 2 * 1024 * 1024;
const parts = 3;

let askedPages = 0;
/** {@link askedPages} whenever the process had nothing else to do. */
const asked: number[] = [];

const verbs = ['list', 'get', 'create', 'delete'];
const documents: Readonly<Record<string, unknown>> = {
  '/version': { major: '1', minor: '33', gitVersion: 'v1.33.0' },
  '/api': { kind: 'APIVersions', versions: ['v1'] },
  '/apis': { kind: 'APIGroupList', groups: [] },
  '/api/v1': {
    kind: 'APIResourceList',
    groupVersion: 'v1',
    resources: [
      { name: 'namespaces', kind: 'Namespace', namespaced: false, verbs },
      { name: 'configmaps', kind: 'ConfigMap', namespaced: true, verbs },
    ],
  },
  '/api/v1/namespaces/shop': { kind: 'Namespace', apiVersion: 'v1', metadata: { name: 'shop' } },
};

/** A page of ConfigMaps that no compression makes small. */
function page(index: number): unknown {
  askedPages += 1;
  const next = index + 1 < pages ? { continue: String(index + 1) } : {};
  const items = Array.from({ length: objectsOfPage }, (_, place) => ({
    metadata: { namespace: 'shop', name: `c-${1_000_000 + index * objectsOfPage + place}` },
    data: { random: randomBytes(objectBytes).toString('base64') },
  }));
  const metadata = { resourceVersion: '1', ...next };
  return { kind: 'ConfigMapList', apiVersion: 'v1', metadata, items };
}

/** Keeps no process alive by itself: who waits for an answer does. */
async function startServer(): Promise<Server> {
  const server = createServer(({ url = '' }, response) => {
    const { pathname, searchParams } = new URL(url, 'http://server');
    const document = pathname.endsWith('/configmaps')
      ? page(Number(searchParams.get('continue')))
      : documents[pathname];
    response.writeHead(document === undefined ? 404 : 200, { 'content-type': 'application/json' });
    response.end(JSON.stringify(document));
  });
  server.on('connection', (socket) => socket.unref());
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server.unref();
}

/** Takes an archive part by part, a few of them whenever the process has nothing else to do, and then the rest. */
class IdleObjectStore extends MemoryObjectStore implements ObjectStore {
  override async put(key: string, body: ObjectBody, options?: PutOptions): Promise<void> {
    await super.put(key, key.endsWith('.tar.gz') ? whenIdle(body) : body, options);
  }
}

async function* whenIdle(body: ObjectBody): AsyncGenerator<Uint8Array> {
  if (body instanceof Uint8Array) {
    yield body;
    return;
  }
  let taken = partBytes;
  for await (const chunk of awaitingIdle(body, () => taken >= partBytes && asked.length < parts)) {
    taken = taken >= partBytes ? 0 : taken + chunk.byteLength;
    yield chunk;
  }
}

async function* awaitingIdle(
  body: AsyncIterable<Uint8Array>,
  hasEnough: () => boolean,
): AsyncGenerator<Uint8Array> {
  const chunks = body[Symbol.asyncIterator]();
  for (;;) {
    if (hasEnough()) {
      await once(process, 'beforeExit');
      asked.push(askedPages);
    }
    const step = await chunks.next();
    if (step.done === true) {
      return;
    }
    yield step.value;
  }
}

const server = await startServer();
const { port } = server.address() as AddressInfo;
const cluster = new KubernetesCluster(scriptedClient({ url: `http://127.0.0.1:${port}` }));
const engine = createEngine({ cluster, store: new IdleObjectStore() });
const { backup } = await engine.backup({ name: 'first', spec: { includedNamespaces: ['shop'] } });
console.log(JSON.stringify({ asked, pages, objects: backup.status.progress?.itemsBackedUp }));
await cluster.close();
