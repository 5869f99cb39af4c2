import type { Cluster as KubeConfigCluster } from '@kubernetes/client-node';
import { Agent, type Dispatcher, ProxyAgent, Socks5ProxyAgent } from 'undici';
import { exchange } from './exchange.ts';
import type { HttpAnswer, HttpRequest, HttpResponse, HttpTransport } from './http-transport.ts';
import { type Credentials, isSameIdentity, type TlsIdentity } from './request-credentials.ts';

/** Options of {@link UndiciTransport}. */
export interface UndiciTransportOptions {
  /** How many connections short requests share; further requests wait for one. */
  readonly connections: number;
}

const maximumAnswerBytes = 256 * 1024 * 1024;
// For the head of an answer as for each piece of its body: with two different times undici makes a timer for each of them at every request, and
// forgets it only half a second after its end.
const silenceTimeoutMs = 90_000;
// The server sends a bookmark about every minute: a watch that is silent for longer has lost its connection.
const watchTimeoutMs = 150_000;
// Below the idle timeouts of common load balancers, which drop connections without a word.
const keepAliveInitialDelayMs = 30_000;

type PoolLimits = Pick<
  Agent.Options,
  'connections' | 'headersTimeout' | 'bodyTimeout' | 'maxResponseSize'
>;

/** The connections of one TLS identity. */
interface Pools {
  readonly tls: TlsIdentity;
  readonly requests: Dispatcher;
  readonly watches: Dispatcher;
}

/** A transport over undici: one bounded pool for requests, and one for watches, which hold a connection each. */
export class UndiciTransport implements HttpTransport {
  readonly location: string;
  readonly route: string;
  readonly #server: URL;
  readonly #proxyUrl: string | undefined;
  readonly #connections: number;
  readonly #closing = new AbortController();
  /** What has not been closed yet; the last one is in use. */
  readonly #pools: Pools[] = [];

  constructor(cluster: KubeConfigCluster, { connections }: UndiciTransportOptions) {
    this.#server = new URL(cluster.server);
    this.location = `${this.#server.origin}${basePathOf(this.#server)}`;
    this.#proxyUrl = cluster.proxyUrl;
    this.route =
      cluster.proxyUrl === undefined
        ? this.location
        : `${this.location} through the proxy ${new URL(cluster.proxyUrl).host}`;
    this.#connections = connections;
  }

  get closed(): boolean {
    return this.#closing.signal.aborted;
  }

  get closing(): AbortSignal {
    return this.#closing.signal;
  }

  async exchange(request: HttpRequest, credentials: Credentials): Promise<HttpAnswer> {
    const { dispatcher, options } = this.#dispatch(request, credentials);
    return exchange(dispatcher, options, request.signal);
  }

  async open(request: HttpRequest, credentials: Credentials): Promise<HttpResponse> {
    const { dispatcher, options } = this.#dispatch(request, credentials);
    const {
      statusCode: status,
      headers,
      body,
    } = await dispatcher.request({ ...options, signal: request.signal ?? null });
    return { status, headers, body, text: () => body.text() };
  }

  async close(): Promise<void> {
    if (this.closed) {
      return;
    }
    this.#closing.abort(new Error('the connection to the cluster has been closed'));
    await Promise.all(
      this.#pools.flatMap(({ requests, watches }) => [requests.destroy(), watches.destroy()]),
    );
  }

  /** What a request is given to, and as what. */
  #dispatch(
    { method, path, accept, body, contentType, isLongRunning }: HttpRequest,
    { headers, tls }: Credentials,
  ): { readonly dispatcher: Dispatcher; readonly options: Dispatcher.DispatchOptions } {
    this.#closing.signal.throwIfAborted();
    const { requests, watches } = this.#poolsOf(tls);
    return {
      dispatcher: isLongRunning ? watches : requests,
      options: {
        origin: this.#server.origin,
        path: `${basePathOf(this.#server)}${path}`,
        method,
        headers: {
          accept,
          'user-agent': 'lifeboat',
          ...(contentType === undefined ? {} : { 'content-type': contentType }),
          ...headers,
        },
        body: body ?? null,
      },
    };
  }

  #poolsOf(tls: TlsIdentity): Pools {
    const current = this.#pools.at(-1);
    if (current !== undefined && isSameIdentity(current.tls, tls)) {
      return current;
    }
    const pools = { tls, requests: this.#requestPool(tls), watches: this.#watchPool(tls) };
    this.#pools.push(pools);
    if (current !== undefined) {
      this.#retire(current);
    }
    return pools;
  }

  /** Lets what runs with replaced certificates end, and drops those connections then. */
  #retire(pools: Pools): void {
    const forget = (): void => {
      this.#pools.splice(this.#pools.indexOf(pools), 1);
    };
    Promise.all([pools.requests.close(), pools.watches.close()]).then(forget, forget);
  }

  #requestPool(tls: TlsIdentity): Dispatcher {
    return this.#dispatcher(tls, {
      connections: this.#connections,
      headersTimeout: silenceTimeoutMs,
      bodyTimeout: silenceTimeoutMs,
      maxResponseSize: maximumAnswerBytes,
    });
  }

  #watchPool(tls: TlsIdentity): Dispatcher {
    return this.#dispatcher(tls, { headersTimeout: silenceTimeoutMs, bodyTimeout: watchTimeoutMs });
  }

  #dispatcher(tls: TlsIdentity, options: PoolLimits): Dispatcher {
    // One request per connection: over HTTP/2 one lost connection would take every request along.
    const shared = { ...options, allowH2: false, pipelining: 1 };
    const keepAlive = { keepAlive: true, keepAliveInitialDelay: keepAliveInitialDelayMs };
    if (this.#proxyUrl === undefined) {
      return new Agent({ ...shared, connect: { ...tls, ...keepAlive } });
    }
    return this.#proxyUrl.startsWith('socks')
      ? new Socks5ProxyAgent(this.#proxyUrl, { ...shared, requestTls: { ...tls } })
      : new ProxyAgent({
          ...shared,
          uri: this.#proxyUrl,
          requestTls: { ...tls },
          connect: keepAlive,
        });
  }
}

function basePathOf(server: URL): string {
  return server.pathname.replace(/\/+$/, '');
}
