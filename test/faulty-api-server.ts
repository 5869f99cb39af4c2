import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import type {
  ApiResource,
  ClusterPatch,
  GroupVersionResource,
  KubernetesManifest,
} from '@lifeboat/core';
import { Resources } from '@lifeboat/core';
import type { FakeCluster } from '@lifeboat/core/testing';
import { refuse, sendStatus } from './send-status.ts';

/** What a request asks an API server for. */
export type Verb =
  | 'version'
  | 'discover'
  | 'get'
  | 'list'
  | 'watch'
  | 'create'
  | 'patch'
  | 'delete';

/** How a request goes wrong. */
export type ServerFault =
  /** Refused with this status. */
  | { readonly status: number; readonly retryAfter?: string }
  /** The connection is reset, before the request is carried out or after. */
  | { readonly reset: 'before' | 'after' };

/** Says whether the request goes wrong. */
export type FaultScript = (request: {
  readonly verb: Verb;
  /** Whether it asks for a further page of a list. */
  readonly isFurtherPage: boolean;
}) => ServerFault | undefined;

interface Route {
  readonly verb: Verb;
  readonly resource?: ApiResource;
  readonly namespace?: string | undefined;
  readonly name?: string | undefined;
}

// Small, so that few objects are a list of several pages.
const pageSize = 2;
const discoveryPath = /^\/(api|apis)(\/v1|\/[^/]+\/[^/]+)?$/;
const resourcePath =
  /^\/(?:api|apis\/([^/]+))\/([^/]+)(?:\/namespaces\/([^/]+)(?=\/))?\/([^/]+)(?:\/([^/]+))?(?:\/([^/]+))?$/;

/** The HTTP API of a FakeCluster, as far as a backup uses it, with faults to order: for clients that speak HTTP. */
export class FaultyApiServer implements AsyncDisposable {
  /** What goes wrong from now on. */
  script: FaultScript = () => undefined;
  /** How many requests have gone wrong. */
  faults = 0;
  readonly #cluster: FakeCluster;
  readonly #server: Server;

  private constructor(cluster: FakeCluster) {
    this.#cluster = cluster;
    this.#server = createServer((request, response) => {
      this.#answer(request, response).catch((error: unknown) => {
        refuse(response, error);
      });
    });
  }

  static async start(cluster: FakeCluster): Promise<FaultyApiServer> {
    const server = new FaultyApiServer(cluster);
    server.#server.listen(0, '127.0.0.1');
    await once(server.#server, 'listening');
    return server;
  }

  get url(): string {
    const { port } = this.#server.address() as AddressInfo;
    return `http://127.0.0.1:${port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '', 'http://server');
    const body = await text(request);
    const route = await this.#route(request.method ?? '', url);
    const isFurtherPage = url.searchParams.has('continue');
    const fault = this.script({ verb: route.verb, isFurtherPage });
    if (fault === undefined) {
      await this.#carryOut(route, request, url, body, response);
      return;
    }
    this.faults += 1;
    if ('reset' in fault) {
      if (fault.reset === 'after') {
        await this.#write(route, request, url, body);
      }
      request.socket.resetAndDestroy();
      return;
    }
    const headers = fault.retryAfter === undefined ? {} : { 'retry-after': fault.retryAfter };
    sendStatus(response, fault.status, 'injected fault', headers);
  }

  async #route(method: string, { pathname, searchParams }: URL): Promise<Route> {
    if (pathname === '/version') {
      return { verb: 'version' };
    }
    if (discoveryPath.test(pathname)) {
      return { verb: 'discover' };
    }
    const [, group = '', version, namespace, plural, name] = resourcePath.exec(pathname) ?? [];
    const { resources } = await this.#cluster.connect().discover();
    const resource = resources.find(
      (served) =>
        served.group === group && served.version === version && served.resource === plural,
    );
    if (resource === undefined) {
      return { verb: method === 'GET' ? 'list' : 'get' };
    }
    const reading = name === undefined ? 'list' : 'get';
    const verbs: Readonly<Record<string, Verb>> = {
      GET: searchParams.has('watch') ? 'watch' : reading,
      POST: 'create',
      PATCH: 'patch',
      DELETE: 'delete',
    };
    return { verb: verbs[method] ?? 'get', resource, namespace, name };
  }

  async #carryOut(
    route: Route,
    request: IncomingMessage,
    url: URL,
    body: string,
    response: ServerResponse,
  ): Promise<void> {
    if (route.verb === 'watch') {
      await this.#watch(route, url, response);
      return;
    }
    const answer = await this.#write(route, request, url, body);
    if (answer === undefined) {
      sendStatus(response, 404, 'not found');
    } else {
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end(JSON.stringify(answer));
    }
  }

  async #write(
    { verb, resource, namespace, name = '' }: Route,
    request: IncomingMessage,
    url: URL,
    body: string,
  ): Promise<unknown> {
    const cluster = this.#cluster;
    if (verb === 'version') {
      return cluster.version();
    }
    if (verb === 'discover') {
      return this.#discovery(url.pathname);
    }
    if (resource === undefined) {
      return undefined;
    }
    const reference = { ...resource, namespace, name };
    switch (verb) {
      case 'get':
        return cluster.get(reference);
      case 'list':
        return this.#list(resource, namespace, url);
      case 'create':
        return cluster.create(resource, JSON.parse(body) as KubernetesManifest);
      case 'patch':
        return cluster.patch(reference, patchOf(request.headers['content-type'] ?? '', body));
      case 'delete': {
        const { preconditions = {} } = JSON.parse(body || '{}') as { preconditions?: object };
        await cluster.delete(reference, preconditions);
        return { kind: 'Status', apiVersion: 'v1', status: 'Success' };
      }
      default:
        return undefined;
    }
  }

  async #discovery(path: string): Promise<unknown> {
    const { groups, resources } = await this.#cluster.discover();
    if (path === '/api') {
      return { kind: 'APIVersions', versions: ['v1'] };
    }
    if (path === '/apis') {
      const named = groups.filter(({ name }) => name !== '');
      return {
        kind: 'APIGroupList',
        groups: named.map(({ name, versions, preferredVersion }) => ({
          name,
          versions: versions.map((version) => ({ groupVersion: `${name}/${version}`, version })),
          preferredVersion: {
            groupVersion: `${name}/${preferredVersion}`,
            version: preferredVersion,
          },
        })),
      };
    }
    const served = resources.filter(
      ({ group, version }) =>
        path === (group === '' ? `/api/${version}` : `/apis/${group}/${version}`),
    );
    return {
      kind: 'APIResourceList',
      resources: served.map((one) => ({ ...one, name: one.resource })),
    };
  }

  async #list(
    resource: ApiResource,
    namespace: string | undefined,
    { searchParams }: URL,
  ): Promise<unknown> {
    const labelSelector = searchParams.get('labelSelector') ?? undefined;
    const fieldSelector = searchParams.get('fieldSelector') ?? undefined;
    const resourceVersion = await this.#latestVersion();
    const items = await Array.fromAsync(
      this.#cluster.list(resource, { namespace, labelSelector, fieldSelector }),
    );
    const start = Number(searchParams.get('continue') ?? 0);
    const end = start + pageSize;
    const next = end < items.length ? { continue: String(end) } : {};
    const { group, version, kind } = resource;
    const apiVersion = group === '' ? version : `${group}/${version}`;
    return {
      apiVersion,
      kind: `${kind}List`,
      metadata: { resourceVersion, ...next },
      items: items.slice(start, end),
    };
  }

  async #watch(
    { resource, namespace }: Route,
    { searchParams }: URL,
    response: ServerResponse,
  ): Promise<void> {
    const gone = new AbortController();
    response.on('close', () => {
      gone.abort(new Error('the client has gone'));
    });
    response.writeHead(200, { 'content-type': 'application/json' });
    response.flushHeaders();
    const events = this.#cluster.watch(resource as GroupVersionResource, {
      namespace,
      labelSelector: searchParams.get('labelSelector') ?? undefined,
      fieldSelector: searchParams.get('fieldSelector') ?? undefined,
      resourceVersion: searchParams.get('resourceVersion') ?? undefined,
      signal: gone.signal,
    });
    for await (const event of events) {
      if ('object' in event) {
        const { type, object } = event;
        response.write(`${JSON.stringify({ type: type.toUpperCase(), object })}\n`);
      }
    }
  }

  /** What is written after a list that begins now has a higher version than an object that is written now. */
  async #latestVersion(): Promise<string> {
    const metadata = { namespace: 'default', generateName: 'version-' };
    const marker = await this.#cluster.create(Resources.configMaps, {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata,
    });
    return marker.metadata.resourceVersion ?? '';
  }
}

function patchOf(contentType: string, body: string): ClusterPatch {
  const value: unknown = JSON.parse(body);
  return contentType.includes('json-patch')
    ? ({ type: 'json', operations: value } as ClusterPatch)
    : ({ type: 'merge', patch: value } as ClusterPatch);
}
