/**
 * The cluster adapter: a `Cluster` and a `PodExec` over the API of a real Kubernetes server.
 *
 * @module
 */
export {
  connectKubeConfig,
  type KubeConfigConnectionOptions,
  type KubernetesConnection,
} from './kube-config-connection.ts';
