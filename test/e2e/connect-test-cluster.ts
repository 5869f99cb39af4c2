import { KubeConfig } from '@kubernetes/client-node';
import { connectKubeConfig, type KubernetesConnection } from '@lifeboat/core/kubernetes';
import type { ClusterNumber, TestCluster } from '../cluster/test-cluster.ts';

/** How {@link connectTestCluster} connects. */
export interface ConnectTestClusterOptions {
  /** @default 1 */
  readonly cluster?: ClusterNumber | undefined;
  /** Bearer token of the user. @default the administrator's certificate */
  readonly token?: string | undefined;
}

/** Connects to a test cluster as a program does; the caller closes the connection. */
export function connectTestCluster(
  kit: TestCluster,
  { cluster, token }: ConnectTestClusterOptions = {},
): KubernetesConnection {
  const kubeConfig = new KubeConfig();
  kubeConfig.loadFromFile(kit.describe(cluster).kubeconfigPath);
  const server = kubeConfig.getCurrentCluster();
  if (token !== undefined && server !== null) {
    kubeConfig.loadFromClusterAndUser(server, { name: 'user', token });
  }
  return connectKubeConfig(kubeConfig);
}
