import { type KubernetesManifest, parseApiVersion } from '../../model/kubernetes.ts';

/** How a strategic merge patch merges the lists below a field. A field that is not named is merged or replaced as in JSON. */
export interface MergeSchema {
  readonly [field: string]: FieldMerge | undefined;
}

/** How one field is merged. */
export interface FieldMerge {
  /** A list of objects, told apart by this field of theirs. */
  readonly key?: string | undefined;
  /** A list of scalars that is merged as a set. */
  readonly set?: true | undefined;
  /** An object that is replaced as a whole. */
  readonly replace?: true | undefined;
  /** Of the object, or of each object of the list. */
  readonly fields?: MergeSchema | undefined;
}

// The struct tags patchStrategy and patchMergeKey of k8s.io/api 0.36; whatever has none is not listed. Status is not: it is not
// restored by creating an object.
const metadata: FieldMerge = {
  fields: { finalizers: { set: true }, ownerReferences: { key: 'uid' } },
};

const containers: FieldMerge = {
  key: 'name',
  fields: {
    env: { key: 'name' },
    ports: { key: 'containerPort' },
    volumeDevices: { key: 'devicePath' },
    volumeMounts: { key: 'mountPath' },
  },
};

const podSpec: FieldMerge = {
  fields: {
    containers,
    ephemeralContainers: containers,
    hostAliases: { key: 'ip' },
    imagePullSecrets: { key: 'name' },
    initContainers: containers,
    resourceClaims: { key: 'name' },
    schedulingGates: { key: 'name' },
    topologySpreadConstraints: { key: 'topologyKey' },
    volumes: { key: 'name' },
  },
};

const podTemplate: FieldMerge = { fields: { metadata, spec: podSpec } };
const withTemplate: FieldMerge = { fields: { template: podTemplate } };
const webhooks: FieldMerge = { key: 'name', fields: { matchConditions: { key: 'name' } } };
const admissionPolicy: MergeSchema = {
  spec: { fields: { matchConditions: { key: 'name' }, variables: { key: 'name' } } },
};

const kinds: Readonly<Record<string, MergeSchema>> = {
  Node: { spec: { fields: { podCIDRs: { set: true } } } },
  Pod: { spec: podSpec },
  PodTemplate: { template: podTemplate },
  ReplicationController: { spec: withTemplate },
  Service: { spec: { fields: { ports: { key: 'port' } } } },
  ServiceAccount: { secrets: { key: 'name' } },
  'DaemonSet.apps': { spec: withTemplate },
  'Deployment.apps': { spec: withTemplate },
  'ReplicaSet.apps': { spec: withTemplate },
  'StatefulSet.apps': { spec: withTemplate },
  'Job.batch': { spec: withTemplate },
  'CronJob.batch': {
    spec: { fields: { jobTemplate: { fields: { metadata, spec: withTemplate } } } },
  },
  'MutatingWebhookConfiguration.admissionregistration.k8s.io': { webhooks },
  'ValidatingWebhookConfiguration.admissionregistration.k8s.io': { webhooks },
  'MutatingAdmissionPolicy.admissionregistration.k8s.io': admissionPolicy,
  'ValidatingAdmissionPolicy.admissionregistration.k8s.io': admissionPolicy,
  'PodDisruptionBudget.policy': { spec: { fields: { selector: { replace: true } } } },
  'CSINode.storage.k8s.io': { spec: { fields: { drivers: { key: 'name' } } } },
};

/** Groups of Kubernetes itself: their kinds are known, whether or not they have a list that is merged. */
const groups: ReadonlySet<string> = new Set([
  '',
  'admissionregistration.k8s.io',
  'apiextensions.k8s.io',
  'apiregistration.k8s.io',
  'apps',
  'autoscaling',
  'batch',
  'certificates.k8s.io',
  'coordination.k8s.io',
  'discovery.k8s.io',
  'events.k8s.io',
  'flowcontrol.apiserver.k8s.io',
  'networking.k8s.io',
  'node.k8s.io',
  'policy',
  'rbac.authorization.k8s.io',
  'resource.k8s.io',
  'scheduling.k8s.io',
  'storage.k8s.io',
]);

/** How the lists of an object are merged; `undefined` for a custom resource, of which nobody knows it. */
export function mergeSchemaOf({ apiVersion, kind }: KubernetesManifest): MergeSchema | undefined {
  const { group } = parseApiVersion(apiVersion);
  if (!groups.has(group)) {
    return undefined;
  }
  const name = group === '' ? kind : `${kind}.${group}`;
  return { metadata, ...(Object.hasOwn(kinds, name) ? kinds[name] : {}) };
}
