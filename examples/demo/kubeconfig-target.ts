import { KubeConfig } from '@kubernetes/client-node';
import { connectKubeConfig, type KubernetesConnection } from '@lifeboat/core/kubernetes';

/**
 * Connects to the cluster of a kubeconfig file. Nothing is sent yet.
 *
 * @throws {Error} when the file cannot be read, or has no such context.
 */
export function openKubeconfigTarget(
  path: string,
  context: string | undefined,
): KubernetesConnection {
  const kubeConfig = new KubeConfig();
  kubeConfig.loadFromFile(path);
  return connectKubeConfig(kubeConfig, { context });
}
