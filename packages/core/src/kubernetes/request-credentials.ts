import type { Agent } from 'node:http';
import type { RequestOptions } from 'node:https';
import type { KubeConfig, Cluster as KubeConfigCluster } from '@kubernetes/client-node';
import { ClusterError, LifeboatError } from '../errors.ts';
import type { ErrorSubject } from './errors.ts';

/** What makes a TLS connection ours. Connections are kept while it stays the same. */
export interface TlsIdentity {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  readonly servername?: string;
  readonly rejectUnauthorized?: boolean;
}

/** The credentials of one request. */
export interface Credentials {
  readonly headers: Readonly<Record<string, string>>;
  readonly tls: TlsIdentity;
  /** Connects through the cluster's proxy, if it has one; for connections that undici does not make. */
  readonly proxyAgent?: Agent | undefined;
}

/** Gives the credentials for a request made now. */
export interface CredentialsSource {
  forRequest(): Promise<Credentials>;
}

/**
 * The credentials of one context of a KubeConfig: client certificates, tokens, token files, basic authentication, exec and
 * OIDC plugins. They are asked for at every request, so that they refresh; the KubeConfig keeps what has not expired.
 */
export class RequestCredentials implements CredentialsSource {
  /** The cluster of the context. */
  readonly cluster: KubeConfigCluster;
  readonly #kubeConfig: KubeConfig;

  /** @throws {LifeboatError} code InvalidConfig when the context or its cluster is missing, the server is plain HTTP, or its `proxy-url` no address of a proxy. */
  constructor(kubeConfig: KubeConfig, context: string | undefined) {
    const currentContext = context ?? kubeConfig.getCurrentContext();
    // A view with a context of its own: a later setCurrentContext must not send one cluster's credentials to another.
    this.#kubeConfig = Object.create(kubeConfig, {
      currentContext: { value: currentContext },
    }) as KubeConfig;
    const cluster = this.#kubeConfig.getCurrentCluster();
    if (cluster === null) {
      const contexts = kubeConfig.getContexts().map(({ name }) => name);
      throw invalidConfig(
        `the kubeconfig has no context ${JSON.stringify(currentContext)}, or it names no cluster; its contexts are ${JSON.stringify(contexts)}`,
      );
    }
    if (cluster.server.startsWith('http:') && !cluster.skipTLSVerify) {
      throw invalidConfig(
        `the server ${cluster.server} is plain HTTP, to which credentials are sent in the clear; use https, or allow it with insecure-skip-tls-verify`,
      );
    }
    if (cluster.proxyUrl !== undefined && !isProxyUrl(cluster.proxyUrl)) {
      // Which it is stays out: it may hold a password.
      throw invalidConfig(
        `the proxy-url of the server ${cluster.server} is no address of a proxy; it has to begin with http://, https:// or socks5://`,
      );
    }
    this.cluster = cluster;
  }

  /** The credentials for a request made now. Rejects with what the token file or plugin failed with. */
  async forRequest(): Promise<Credentials> {
    const options: RequestOptions & { servername?: string } = { headers: {} };
    await this.#kubeConfig.applyToHTTPSOptions(options);
    const proxyAgent =
      this.cluster.proxyUrl !== undefined && typeof options.agent === 'object'
        ? options.agent
        : undefined;
    return { headers: headersOf(options), tls: identityOf(options), proxyAgent };
  }
}

/**
 * The credentials for a request.
 *
 * @throws {ClusterError} code Unauthorized when a file cannot be read or a plugin fails.
 */
export async function obtainCredentials(
  source: CredentialsSource,
  { operation, target }: ErrorSubject,
): Promise<Credentials> {
  try {
    return await source.forRequest();
  } catch (cause) {
    // Why is left to the cause: a plugin's output may hold what must not be in a message.
    throw new ClusterError(
      `${operation} ${target}: the credentials could not be obtained; check the user's files and plugins in the kubeconfig`,
      { code: 'Unauthorized', operation, target, cause },
    );
  }
}

/** Whether two identities are the same. */
export function isSameIdentity(left: TlsIdentity, right: TlsIdentity): boolean {
  return (
    left.ca === right.ca &&
    left.cert === right.cert &&
    left.key === right.key &&
    left.servername === right.servername &&
    left.rejectUnauthorized === right.rejectUnauthorized
  );
}

function identityOf(options: RequestOptions & { readonly servername?: string }): TlsIdentity {
  const { ca, cert, key, servername, rejectUnauthorized } = options;
  return {
    ...pem('ca', ca),
    ...pem('cert', cert),
    ...pem('key', key),
    ...(servername === undefined ? {} : { servername }),
    ...(rejectUnauthorized === undefined ? {} : { rejectUnauthorized }),
  };
}

// A KubeConfig gives certificates and keys as one PEM text each.
function pem(field: 'ca' | 'cert' | 'key', value: unknown): Partial<TlsIdentity> {
  return typeof value === 'string' || Buffer.isBuffer(value) ? { [field]: value.toString() } : {};
}

function headersOf({ headers, auth }: RequestOptions): Record<string, string> {
  const texts = Object.entries(headers ?? {}).flatMap(([name, value]) =>
    // A token read from a file keeps the newline at its end, which a header must not have.
    value === undefined ? [] : [[name, String(value).trim()] as const],
  );
  const basic =
    typeof auth === 'string'
      ? { Authorization: `Basic ${Buffer.from(auth).toString('base64')}` }
      : {};
  return { ...basic, ...Object.fromEntries(texts) };
}

function isProxyUrl(text: string): boolean {
  const protocol = URL.canParse(text) ? new URL(text).protocol : '';
  return ['http:', 'https:', 'socks5:', 'socks:'].includes(protocol);
}

function invalidConfig(why: string): LifeboatError {
  return new LifeboatError(`connectKubeConfig: ${why}`, {
    code: 'InvalidConfig',
    operation: 'connectKubeConfig',
  });
}
