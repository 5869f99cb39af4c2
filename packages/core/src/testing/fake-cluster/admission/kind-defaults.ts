import { randomUUID } from 'node:crypto';
import { isJsonObject, type JsonValue } from '../../../model/json.ts';
import type { KubernetesObject } from '../../../model/kubernetes.ts';
import {
  objectAt,
  objectsAt,
  stringAt,
  valueAt,
  withoutValueAt,
  withValueAt,
} from '../../../model/object-path.ts';
import { podDefaults } from './pod-defaults.ts';
import { setMissing, withFinalizer } from './set-missing.ts';

/** What the defaults of a kind may look at. */
export interface DefaultingContext {
  /** Name of the StorageClass that claims without one get. */
  readonly defaultStorageClass: string | undefined;
  /** Five random characters. */
  readonly suffix: () => string;
}

type Defaulting = (object: KubernetesObject, context: DefaultingContext) => KubernetesObject;

const defaulting: Readonly<Record<string, Defaulting>> = {
  namespaces: (object) =>
    withValueAt(
      withValueAt(
        withValueAt(object, ['spec', 'finalizers'], ['kubernetes']),
        ['metadata', 'labels', 'kubernetes.io/metadata.name'],
        object.metadata.name,
      ),
      ['status'],
      { phase: 'Active' },
    ),
  secrets: secretDefaults,
  pods: podDefaults,
  services: serviceDefaults,
  persistentvolumeclaims: claimDefaults,
  persistentvolumes: (object) =>
    withFinalizer(
      setMissing(object, [
        [['spec', 'persistentVolumeReclaimPolicy'], 'Retain'],
        [['spec', 'volumeMode'], 'Filesystem'],
        [['status'], { phase: 'Pending' }],
      ]),
      'kubernetes.io/pv-protection',
    ),
  'storageclasses.storage.k8s.io': (object) =>
    setMissing(object, [
      [['reclaimPolicy'], 'Delete'],
      [['volumeBindingMode'], 'Immediate'],
    ]),
  'deployments.apps': replicaDefaults,
  'replicasets.apps': replicaDefaults,
  'statefulsets.apps': replicaDefaults,
  'jobs.batch': jobDefaults,
  'cronjobs.batch': (object) =>
    setMissing(object, [
      [['spec', 'concurrencyPolicy'], 'Allow'],
      [['spec', 'suspend'], false],
      [['status'], {}],
    ]),
  'customresourcedefinitions.apiextensions.k8s.io': definitionDefaults,
};

/** Sets what the API server and its admission set when an object of a kind is created. */
export function applyKindDefaults(
  table: string,
  object: KubernetesObject,
  context: DefaultingContext,
): KubernetesObject {
  return defaulting[table]?.(object, context) ?? object;
}

function secretDefaults(object: KubernetesObject): KubernetesObject {
  const plain = Object.entries(objectAt(object, ['stringData']) ?? {}).map(
    ([key, value]): [string, JsonValue] => [
      key,
      Buffer.from(typeof value === 'string' ? value : '').toString('base64'),
    ],
  );
  const typed = setMissing(object, [[['type'], 'Opaque']]);
  return plain.length === 0
    ? typed
    : withValueAt(withoutValueAt(typed, ['stringData']), ['data'], {
        ...objectAt(object, ['data']),
        ...Object.fromEntries(plain),
      });
}

function serviceDefaults(object: KubernetesObject): KubernetesObject {
  const ports = objectsAt(object, ['spec', 'ports']).map((port) =>
    setMissing(port, [
      [['protocol'], 'TCP'],
      [['targetPort'], port['port'] ?? 0],
    ]),
  );
  const defaulted = setMissing(object, [
    [['spec', 'type'], 'ClusterIP'],
    [['spec', 'sessionAffinity'], 'None'],
    [['spec', 'ipFamilies'], ['IPv4']],
    [['spec', 'ipFamilyPolicy'], 'SingleStack'],
    [['spec', 'internalTrafficPolicy'], 'Cluster'],
    [['status'], { loadBalancer: {} }],
  ]);
  return ports.length === 0 ? defaulted : withValueAt(defaulted, ['spec', 'ports'], ports);
}

function claimDefaults(
  object: KubernetesObject,
  { defaultStorageClass }: DefaultingContext,
): KubernetesObject {
  const source = valueAt(object, ['spec', 'dataSource']);
  const sourceReference = valueAt(object, ['spec', 'dataSourceRef']);
  const defaulted = setMissing(object, [
    [['spec', 'volumeMode'], 'Filesystem'],
    [['status'], { phase: 'Pending' }],
    ...(defaultStorageClass === undefined
      ? []
      : [[['spec', 'storageClassName'], defaultStorageClass] as const]),
    ...(isJsonObject(source) ? [[['spec', 'dataSourceRef'], source] as const] : []),
    ...(isJsonObject(sourceReference) && sourceReference['namespace'] === undefined
      ? [[['spec', 'dataSource'], sourceReference] as const]
      : []),
  ]);
  return withFinalizer(defaulted, 'kubernetes.io/pvc-protection');
}

function replicaDefaults(object: KubernetesObject): KubernetesObject {
  return setMissing(object, [
    [['spec', 'replicas'], 1],
    [['status'], {}],
  ]);
}

function jobDefaults(object: KubernetesObject): KubernetesObject {
  const uid = object.metadata.uid ?? randomUUID();
  const labels = {
    'batch.kubernetes.io/controller-uid': uid,
    'batch.kubernetes.io/job-name': object.metadata.name,
    'controller-uid': uid,
    'job-name': object.metadata.name,
  };
  const defaulted = setMissing(object, [
    [['spec', 'parallelism'], 1],
    [['spec', 'completions'], 1],
    [['spec', 'backoffLimit'], 6],
    [['spec', 'suspend'], false],
    [['status'], {}],
  ]);
  if (valueAt(object, ['spec', 'manualSelector']) === true) {
    return defaulted;
  }
  const path = ['spec', 'template', 'metadata', 'labels'] as const;
  return withValueAt(
    withValueAt(defaulted, path, { ...objectAt(defaulted, path), ...labels }),
    ['spec', 'selector'],
    { matchLabels: { 'batch.kubernetes.io/controller-uid': uid } },
  );
}

function definitionDefaults(object: KubernetesObject): KubernetesObject {
  const kind = stringAt(object, ['spec', 'names', 'kind']) ?? '';
  return setMissing(object, [
    [['spec', 'names', 'singular'], kind.toLowerCase()],
    [['spec', 'names', 'listKind'], `${kind}List`],
    [['spec', 'conversion'], { strategy: 'None' }],
    [['status'], { acceptedNames: { kind: '', plural: '' }, conditions: null, storedVersions: [] }],
  ]);
}
