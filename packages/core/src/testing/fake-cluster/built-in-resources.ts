import { groupResourceOf } from '../../model/kubernetes.ts';
import type { ResourceDefinition } from './resource-definition.ts';

/** Verbs of an ordinary resource. */
export const allVerbs: readonly string[] = [
  'create',
  'delete',
  'deletecollection',
  'get',
  'list',
  'patch',
  'update',
  'watch',
];

interface Traits {
  readonly clusterScoped?: boolean;
  readonly shortNames?: readonly string[];
  readonly categories?: readonly string[];
  readonly subresources?: readonly string[];
  readonly verbs?: readonly string[];
  readonly generation?: boolean;
  readonly table?: string;
}

function define(
  group: string,
  versions: string,
  resource: string,
  kind: string,
  traits: Traits = {},
): ResourceDefinition {
  const { clusterScoped = false, shortNames = [], categories = [], subresources = [] } = traits;
  const { verbs = allVerbs, generation = false } = traits;
  return {
    group,
    versions: versions.split(' '),
    resource,
    kind,
    singularName: kind.toLowerCase(),
    shortNames,
    categories,
    namespaced: !clusterScoped,
    verbs,
    subresources,
    countsGenerations: generation,
    table: traits.table ?? groupResourceOf({ group, resource }),
  };
}

const clusterScoped = true;
const generation = true;
const status = { subresources: ['status'] } as const;
const inAll = { categories: ['all'] } as const;
const scaled = { subresources: ['scale', 'status'], ...inAll, generation } as const;
const review = { clusterScoped, verbs: ['create'] } as const;
const extension = { clusterScoped, categories: ['api-extensions'] } as const;

/** The kinds of a plain Kubernetes 1.36, in the order in which its discovery lists them. */
export const builtInResources: readonly ResourceDefinition[] = [
  define('', 'v1', 'bindings', 'Binding', { verbs: ['create'] }),
  define('', 'v1', 'componentstatuses', 'ComponentStatus', {
    clusterScoped,
    shortNames: ['cs'],
    verbs: ['get', 'list'],
  }),
  define('', 'v1', 'configmaps', 'ConfigMap', { shortNames: ['cm'] }),
  define('', 'v1', 'endpoints', 'Endpoints', { shortNames: ['ep'] }),
  define('', 'v1', 'events', 'Event', { shortNames: ['ev'] }),
  define('', 'v1', 'limitranges', 'LimitRange', { shortNames: ['limits'] }),
  define('', 'v1', 'namespaces', 'Namespace', {
    clusterScoped,
    shortNames: ['ns'],
    subresources: ['finalize', 'status'],
    verbs: allVerbs.filter((verb) => verb !== 'deletecollection'),
  }),
  define('', 'v1', 'nodes', 'Node', {
    clusterScoped,
    shortNames: ['no'],
    subresources: ['proxy', 'status'],
  }),
  define('', 'v1', 'persistentvolumeclaims', 'PersistentVolumeClaim', {
    shortNames: ['pvc'],
    ...status,
  }),
  define('', 'v1', 'persistentvolumes', 'PersistentVolume', {
    clusterScoped,
    shortNames: ['pv'],
    ...status,
  }),
  define('', 'v1', 'pods', 'Pod', {
    shortNames: ['po'],
    ...inAll,
    generation,
    subresources: [
      'attach',
      'binding',
      'eviction',
      'exec',
      'log',
      'portforward',
      'proxy',
      'status',
    ],
  }),
  define('', 'v1', 'podtemplates', 'PodTemplate', { generation }),
  define('', 'v1', 'replicationcontrollers', 'ReplicationController', {
    shortNames: ['rc'],
    ...scaled,
  }),
  define('', 'v1', 'resourcequotas', 'ResourceQuota', { shortNames: ['quota'], ...status }),
  define('', 'v1', 'secrets', 'Secret'),
  define('', 'v1', 'serviceaccounts', 'ServiceAccount', {
    shortNames: ['sa'],
    subresources: ['token'],
  }),
  define('', 'v1', 'services', 'Service', {
    shortNames: ['svc'],
    ...inAll,
    subresources: ['proxy', 'status'],
  }),
  define('apiregistration.k8s.io', 'v1', 'apiservices', 'APIService', { ...extension, ...status }),
  define('apps', 'v1', 'controllerrevisions', 'ControllerRevision'),
  define('apps', 'v1', 'daemonsets', 'DaemonSet', {
    shortNames: ['ds'],
    ...inAll,
    ...status,
    generation,
  }),
  define('apps', 'v1', 'deployments', 'Deployment', { shortNames: ['deploy'], ...scaled }),
  define('apps', 'v1', 'replicasets', 'ReplicaSet', { shortNames: ['rs'], ...scaled }),
  define('apps', 'v1', 'statefulsets', 'StatefulSet', { shortNames: ['sts'], ...scaled }),
  define('events.k8s.io', 'v1', 'events', 'Event', { shortNames: ['ev'], table: 'events' }),
  define('authentication.k8s.io', 'v1', 'tokenreviews', 'TokenReview', review),
  define(
    'authorization.k8s.io',
    'v1',
    'selfsubjectaccessreviews',
    'SelfSubjectAccessReview',
    review,
  ),
  define('authorization.k8s.io', 'v1', 'subjectaccessreviews', 'SubjectAccessReview', review),
  define('autoscaling', 'v2 v1', 'horizontalpodautoscalers', 'HorizontalPodAutoscaler', {
    shortNames: ['hpa'],
    ...inAll,
    ...status,
  }),
  define('batch', 'v1', 'cronjobs', 'CronJob', {
    shortNames: ['cj'],
    ...inAll,
    ...status,
    generation,
  }),
  define('batch', 'v1', 'jobs', 'Job', { ...inAll, ...status, generation }),
  define('certificates.k8s.io', 'v1', 'certificatesigningrequests', 'CertificateSigningRequest', {
    clusterScoped,
    shortNames: ['csr'],
    subresources: ['approval', 'status'],
  }),
  define('networking.k8s.io', 'v1', 'ingressclasses', 'IngressClass', {
    clusterScoped,
    generation,
  }),
  define('networking.k8s.io', 'v1', 'ingresses', 'Ingress', {
    shortNames: ['ing'],
    ...status,
    generation,
  }),
  define('networking.k8s.io', 'v1', 'networkpolicies', 'NetworkPolicy', {
    shortNames: ['netpol'],
    generation,
  }),
  define('policy', 'v1', 'poddisruptionbudgets', 'PodDisruptionBudget', {
    shortNames: ['pdb'],
    ...status,
    generation,
  }),
  define('rbac.authorization.k8s.io', 'v1', 'clusterrolebindings', 'ClusterRoleBinding', {
    clusterScoped,
  }),
  define('rbac.authorization.k8s.io', 'v1', 'clusterroles', 'ClusterRole', { clusterScoped }),
  define('rbac.authorization.k8s.io', 'v1', 'rolebindings', 'RoleBinding'),
  define('rbac.authorization.k8s.io', 'v1', 'roles', 'Role'),
  define('storage.k8s.io', 'v1', 'csidrivers', 'CSIDriver', { clusterScoped }),
  define('storage.k8s.io', 'v1', 'csinodes', 'CSINode', { clusterScoped }),
  define('storage.k8s.io', 'v1', 'csistoragecapacities', 'CSIStorageCapacity'),
  define('storage.k8s.io', 'v1', 'storageclasses', 'StorageClass', {
    clusterScoped,
    shortNames: ['sc'],
  }),
  define('storage.k8s.io', 'v1', 'volumeattachments', 'VolumeAttachment', {
    clusterScoped,
    ...status,
  }),
  define(
    'admissionregistration.k8s.io',
    'v1',
    'mutatingwebhookconfigurations',
    'MutatingWebhookConfiguration',
    { ...extension, generation },
  ),
  define(
    'admissionregistration.k8s.io',
    'v1',
    'validatingwebhookconfigurations',
    'ValidatingWebhookConfiguration',
    { ...extension, generation },
  ),
  define('apiextensions.k8s.io', 'v1', 'customresourcedefinitions', 'CustomResourceDefinition', {
    ...extension,
    ...status,
    generation,
    shortNames: ['crd', 'crds'],
  }),
  define('scheduling.k8s.io', 'v1', 'priorityclasses', 'PriorityClass', {
    clusterScoped,
    generation,
    shortNames: ['pc'],
  }),
  define('coordination.k8s.io', 'v1', 'leases', 'Lease'),
  define('node.k8s.io', 'v1', 'runtimeclasses', 'RuntimeClass', { clusterScoped }),
  define('discovery.k8s.io', 'v1', 'endpointslices', 'EndpointSlice', { generation }),
];
