import type { KubeConfig } from '@kubernetes/client-node';
import { ValidationError } from '../errors.ts';
import { wholeNumberViolations } from '../internal/whole-number-violations.ts';
import type { Cluster } from '../ports/cluster.ts';
import type { PodExec } from '../ports/pod-exec.ts';
import { ApiClient } from './api-client.ts';
import { KubernetesCluster } from './kubernetes-cluster.ts';
import { RequestCredentials } from './request-credentials.ts';
import { UndiciTransport } from './undici-transport.ts';
import { WebSocketPodExec } from './web-socket-pod-exec.ts';

/** Options of {@link connectKubeConfig}. */
export interface KubeConfigConnectionOptions {
  /** Name of the context to use. @default the current context of the KubeConfig, as it is now */
  readonly context?: string | undefined;
  /** How many connections requests share. Watches and commands in pods have one each besides. @default 16 */
  readonly connections?: number | undefined;
}

/** A connection to a cluster. Whoever made it closes it. */
export interface KubernetesConnection extends AsyncDisposable {
  readonly cluster: Cluster;
  readonly podExec: PodExec;
  /** Closes the connections of both. Repeated calls do nothing; any other call after it rejects with Closed. */
  close(): Promise<void>;
}

const defaultConnections = 16;

/**
 * Connects to the cluster of a KubeConfig. Nothing is sent before the first call.
 *
 * - Credentials are asked of the KubeConfig at every request: client certificates, tokens, token files, exec plugins.
 * - A `proxy-url` of the cluster is used for everything, commands in pods included: HTTP, HTTPS or SOCKS5.
 * - The context is the one that is current now; a later `setCurrentContext` does not change the connection.
 *
 * @example
 * ```ts
 * const kubeConfig = new KubeConfig();
 * kubeConfig.loadFromDefault();
 * await using connection = connectKubeConfig(kubeConfig);
 * console.info(await connection.cluster.version());
 * ```
 *
 * @throws {LifeboatError} code InvalidConfig when the context or its cluster is missing, the server is plain HTTP, or its `proxy-url` no address of a proxy.
 * @throws {ValidationError} when `connections` is not a whole number of at least 1.
 */
export function connectKubeConfig(
  kubeConfig: KubeConfig,
  { context, connections = defaultConnections }: KubeConfigConnectionOptions = {},
): KubernetesConnection {
  const violations = wholeNumberViolations('', { connections });
  if (violations.length > 0) {
    throw new ValidationError('connectKubeConfig', violations);
  }
  const credentials = new RequestCredentials(kubeConfig, context);
  const transport = new UndiciTransport(credentials.cluster, { connections });
  const client = new ApiClient({ transport, credentials });
  const cluster = new KubernetesCluster(client);
  const podExec = new WebSocketPodExec(client, credentials);
  const close = (): Promise<void> => transport.close();
  return { cluster, podExec, close, [Symbol.asyncDispose]: close };
}
