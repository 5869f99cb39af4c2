import type { KubernetesManifest } from '../../model/kubernetes.ts';

/** What every new Kubernetes cluster holds. */
export const systemObjects: readonly KubernetesManifest[] = [
  ...['default', 'kube-node-lease', 'kube-public', 'kube-system'].map(namespaceObject),
  {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: {
      name: 'kubernetes',
      namespace: 'default',
      labels: { component: 'apiserver', provider: 'kubernetes' },
    },
    spec: {
      clusterIP: '10.96.0.1',
      clusterIPs: ['10.96.0.1'],
      internalTrafficPolicy: 'Cluster',
      ipFamilies: ['IPv4'],
      ipFamilyPolicy: 'SingleStack',
      ports: [{ name: 'https', port: 443, protocol: 'TCP', targetPort: 6443 }],
      sessionAffinity: 'None',
      type: 'ClusterIP',
    },
    status: { loadBalancer: {} },
  },
  ...Object.entries({
    'system-cluster-critical': 2_000_000_000,
    'system-node-critical': 2_000_001_000,
  }).map(([name, value]) => ({
    apiVersion: 'scheduling.k8s.io/v1',
    kind: 'PriorityClass',
    metadata: { name },
    value,
    preemptionPolicy: 'PreemptLowerPriority',
  })),
];

/** The only node of a fake cluster, on which every Pod runs. */
export const nodeObjects: readonly KubernetesManifest[] = [
  {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: {
      name: 'fake-node',
      labels: { 'kubernetes.io/hostname': 'fake-node', 'kubernetes.io/os': 'linux' },
    },
    spec: {},
    status: {
      addresses: [{ address: '10.0.0.1', type: 'InternalIP' }],
      conditions: [{ reason: 'KubeletReady', status: 'True', type: 'Ready' }],
    },
  },
];

/** A namespace as the API server stores it. */
export function namespaceObject(name: string): KubernetesManifest {
  return {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name, labels: { 'kubernetes.io/metadata.name': name } },
    spec: { finalizers: ['kubernetes'] },
    status: { phase: 'Active' },
  };
}
