import { KubeConfig } from '@kubernetes/client-node';
import type { ClusterDescription } from '../cluster/boot-cluster.ts';

/** The administrator of a cluster, by client certificate; at another address of the same server if one is given. */
export function administratorConfig(
  cluster: ClusterDescription,
  server: string = cluster.server,
): KubeConfig {
  const kubeConfig = new KubeConfig();
  kubeConfig.loadFromFile(cluster.kubeconfigPath);
  kubeConfig.clusters = kubeConfig.clusters.map((entry) => ({ ...entry, server }));
  return kubeConfig;
}

/** Whoever a bearer token stands for. */
export function tokenConfig(
  cluster: ClusterDescription,
  token: string,
  server: string = cluster.server,
): KubeConfig {
  const kubeConfig = new KubeConfig();
  kubeConfig.loadFromClusterAndUser(
    { name: 'contract', server, caFile: cluster.caPath, skipTLSVerify: false },
    { name: 'contract', token },
  );
  return kubeConfig;
}
