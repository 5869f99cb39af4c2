import type { KubeConfig } from '@kubernetes/client-node';
import type { ApiServer } from './object-floor.ts';

/** How the current context of a kubeconfig with data in it reaches its API server. */
export function apiServerOf(kubeConfig: KubeConfig): ApiServer {
  const { server = '', caData = '' } = kubeConfig.getCurrentCluster() ?? {};
  const { certData = '', keyData = '' } = kubeConfig.getCurrentUser() ?? {};
  const tls = { ca: decoded(caData), cert: decoded(certData), key: decoded(keyData) };
  return { url: server, tls };
}

function decoded(base64: string): string {
  return Buffer.from(base64, 'base64').toString();
}
