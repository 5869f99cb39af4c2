import { type JsonValue, jsonEquals } from '../model/json.ts';

/** Where a value stands in an object, one key per step, `*` for any element of an array. */
export type FieldPath = readonly string[];

/** Stands for the kind of a Secret that holds the token of a ServiceAccount. */
export const serviceAccountToken = 'ServiceAccountToken';

type FieldTable = ReadonlyMap<string, JsonValue | undefined>;

const podSpecPrefixes: readonly FieldPath[] = [
  ['spec', 'jobTemplate', 'spec', 'template', 'spec'],
  ['spec', 'template', 'spec'],
];

// A field with a value: what a server that is newer than the one of the backup puts there. One without: what a cluster chooses.
const ofKind: ReadonlyMap<string, FieldTable> = new Map([
  [
    'Service',
    table({
      'spec clusterIP': undefined,
      'spec clusterIPs': undefined,
      'spec healthCheckNodePort': undefined,
      'spec ports * nodePort': undefined,
      'spec ports * targetPort': undefined,
      'spec ports * protocol': 'TCP',
      'spec ipFamilies': undefined,
      'spec ipFamilyPolicy': undefined,
      'spec internalTrafficPolicy': 'Cluster',
      'spec externalTrafficPolicy': 'Cluster',
      'spec allocateLoadBalancerNodePorts': true,
      'spec sessionAffinity': 'None',
      'spec type': 'ClusterIP',
    }),
  ],
  [
    'PersistentVolumeClaim',
    table({
      'spec storageClassName': undefined,
      'spec volumeName': undefined,
      'spec dataSource': undefined,
      'spec dataSourceRef': undefined,
      'spec volumeMode': 'Filesystem',
      'metadata finalizers': undefined,
      'metadata annotations pv.kubernetes.io/bind-completed': undefined,
      'metadata annotations pv.kubernetes.io/bound-by-controller': undefined,
      'metadata annotations volume.kubernetes.io/storage-provisioner': undefined,
      'metadata annotations volume.beta.kubernetes.io/storage-provisioner': undefined,
      'metadata annotations volume.kubernetes.io/selected-node': undefined,
    }),
  ],
  [
    'PersistentVolume',
    table({
      'spec claimRef uid': undefined,
      'spec claimRef resourceVersion': undefined,
      'spec volumeMode': 'Filesystem',
      'metadata finalizers': undefined,
      'metadata annotations pv.kubernetes.io/bound-by-controller': undefined,
    }),
  ],
  [
    'Job',
    table({
      'spec selector': undefined,
      // What is left of the selector in the backup is compared member by member.
      'spec selector matchLabels controller-uid': undefined,
      'spec selector matchLabels batch.kubernetes.io/controller-uid': undefined,
      'spec template metadata labels controller-uid': undefined,
      'spec template metadata labels batch.kubernetes.io/controller-uid': undefined,
      'spec template metadata labels batch.kubernetes.io/job-name': undefined,
      'spec template metadata labels job-name': undefined,
      'spec completionMode': 'NonIndexed',
      'spec suspend': false,
      'spec manualSelector': false,
      'spec podReplacementPolicy': 'TerminatingOrFailed',
    }),
  ],
  [
    serviceAccountToken,
    table({
      'data token': undefined,
      'data ca.crt': undefined,
      'data namespace': undefined,
      'metadata annotations kubernetes.io/service-account.uid': undefined,
    }),
  ],
  [
    'StatefulSet',
    table({
      'spec persistentVolumeClaimRetentionPolicy': {
        whenDeleted: 'Retain',
        whenScaled: 'Retain',
      },
    }),
  ],
  ['Secret', table({ type: 'Opaque' })],
  ['DaemonSet', table({ 'spec updateStrategy rollingUpdate maxSurge': 0 })],
  ['Deployment', table({ 'metadata annotations deployment.kubernetes.io/revision': undefined })],
  ['CustomResourceDefinition', table({ 'spec conversion': { strategy: 'None' } })],
  ['Ingress', table({ 'spec rules * http paths * pathType': 'ImplementationSpecific' })],
]);

const ofPodSpec = table({
  nodeName: undefined,
  priority: undefined,
  serviceAccount: undefined,
  serviceAccountName: 'default',
  enableServiceLinks: true,
  preemptionPolicy: 'PreemptLowerPriority',
});

/**
 * Whether a field that an object of a restore does not have, and the object of the target has, says nothing about a difference:
 * the cluster chooses its value, or it is the value that a server puts where there is none.
 */
export function isServerAssigned(kind: string, path: FieldPath, value: JsonValue): boolean {
  const own = ofKind.get(kind);
  return (
    isAssignedBy(own, path, value) || isAssignedBy(ofPodSpec, withinPodSpec(kind, path), value)
  );
}

function isAssignedBy(
  fields: FieldTable | undefined,
  path: FieldPath | undefined,
  value: JsonValue,
): boolean {
  const field = path?.join(' ');
  if (fields === undefined || field === undefined || !fields.has(field)) {
    return false;
  }
  const expected = fields.get(field);
  return expected === undefined || jsonEquals(expected, value);
}

function withinPodSpec(kind: string, path: FieldPath): FieldPath | undefined {
  if (kind === 'Pod') {
    return path[0] === 'spec' ? path.slice(1) : undefined;
  }
  const prefix = podSpecPrefixes.find((keys) => keys.every((key, index) => path[index] === key));
  return prefix === undefined ? undefined : path.slice(prefix.length);
}

function table(fields: Readonly<Record<string, JsonValue | undefined>>): FieldTable {
  return new Map(Object.entries(fields));
}
