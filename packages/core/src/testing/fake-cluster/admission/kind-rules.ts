import type { InvalidField } from '../../../errors.ts';
import { isJsonArray, isJsonObject, type JsonObject, jsonEquals } from '../../../model/json.ts';
import { booleanAt, objectsAt, stringAt, valueAt } from '../../../model/object-path.ts';
import { forbidden, invalid, required } from './invalid-fields.ts';
import {
  claimChangeViolations,
  claimViolations,
  snapshotClassViolations,
  snapshotContentViolations,
  snapshotViolations,
  volumeViolations,
} from './volume-rules.ts';
import { containerViolations, jobViolations, podChangeViolations } from './workload-rules.ts';

/** What the API server demands of a kind beyond its metadata. */
interface KindRule {
  /** Dotted paths that must be there; an empty text, list or object does not count. */
  readonly required?: readonly string[];
  /** Dotted paths that cannot be changed once they are set. */
  readonly immutable?: readonly string[];
  readonly check?: (object: JsonObject) => readonly InvalidField[];
  readonly checkChange?: (object: JsonObject, before: JsonObject) => readonly InvalidField[];
}

const workload: KindRule = {
  required: ['spec.selector', 'spec.template'],
  immutable: ['spec.selector'],
  check: (object) => containerViolations(object, ['spec', 'template', 'spec']),
};
const binding: KindRule = { required: ['roleRef.name'], immutable: ['roleRef'] };

const rules: Readonly<Record<string, KindRule>> = {
  configmaps: { check: dataViolations, checkChange: immutableDataViolations },
  secrets: { immutable: ['type'], checkChange: immutableDataViolations },
  pods: {
    check: (object) => containerViolations(object, ['spec']),
    checkChange: podChangeViolations,
  },
  services: { check: serviceViolations, immutable: ['spec.clusterIP'] },
  persistentvolumeclaims: { check: claimViolations, checkChange: claimChangeViolations },
  persistentvolumes: {
    required: ['spec.capacity', 'spec.accessModes'],
    immutable: ['spec.csi', 'spec.hostPath', 'spec.nfs', 'spec.local', 'spec.volumeMode'],
    check: volumeViolations,
  },
  'deployments.apps': workload,
  'replicasets.apps': workload,
  'statefulsets.apps': workload,
  'daemonsets.apps': workload,
  'jobs.batch': {
    required: ['spec.template'],
    immutable: ['spec.selector', 'spec.template'],
    check: jobViolations,
  },
  'cronjobs.batch': { required: ['spec.schedule', 'spec.jobTemplate'] },
  'horizontalpodautoscalers.autoscaling': { required: ['spec.scaleTargetRef', 'spec.maxReplicas'] },
  'ingresses.networking.k8s.io': { check: ingressViolations },
  'rolebindings.rbac.authorization.k8s.io': binding,
  'clusterrolebindings.rbac.authorization.k8s.io': binding,
  'priorityclasses.scheduling.k8s.io': { required: ['value'], immutable: ['value'] },
  'storageclasses.storage.k8s.io': {
    required: ['provisioner'],
    immutable: ['provisioner', 'parameters', 'reclaimPolicy', 'volumeBindingMode'],
  },
  'customresourcedefinitions.apiextensions.k8s.io': {
    required: ['spec.group', 'spec.scope', 'spec.names.plural', 'spec.names.kind', 'spec.versions'],
    immutable: ['spec.group', 'spec.scope', 'spec.names.plural', 'spec.names.kind'],
    check: definitionViolations,
  },
  'volumesnapshots.snapshot.storage.k8s.io': {
    immutable: ['spec.source'],
    check: snapshotViolations,
  },
  'volumesnapshotcontents.snapshot.storage.k8s.io': {
    required: ['spec.driver', 'spec.deletionPolicy', 'spec.source', 'spec.volumeSnapshotRef'],
    immutable: ['spec.source', 'spec.sourceVolumeMode', 'spec.driver'],
    check: snapshotContentViolations,
  },
  'volumesnapshotclasses.snapshot.storage.k8s.io': {
    required: ['driver', 'deletionPolicy'],
    check: snapshotClassViolations,
  },
};

/** What is wrong with an object by the rules of its kind. */
export function kindViolations(table: string, object: JsonObject): readonly InvalidField[] {
  const rule = rules[table];
  const missing = (rule?.required ?? []).filter((path) => isEmptyAt(object, path));
  return [...missing.map((path) => required(path)), ...(rule?.check?.(object) ?? [])];
}

/** What is wrong with a change of an object by the rules of its kind. */
export function kindChangeViolations(
  table: string,
  object: JsonObject,
  before: JsonObject,
): readonly InvalidField[] {
  const rule = rules[table];
  const changed = (rule?.immutable ?? []).filter((path) => {
    const old = at(before, path);
    return old !== undefined && !jsonEquals(old, at(object, path));
  });
  return [
    ...changed.map((path) => invalid(path, at(object, path), 'field is immutable')),
    ...(rule?.checkChange?.(object, before) ?? []),
  ];
}

function at(object: JsonObject, path: string): ReturnType<typeof valueAt> {
  const [first = '', ...rest] = path.split('.');
  return valueAt(object, [first, ...rest]);
}

function isEmptyAt(object: JsonObject, path: string): boolean {
  const value = at(object, path);
  return (
    value === undefined ||
    value === null ||
    value === '' ||
    (isJsonArray(value) && value.length === 0) ||
    (isJsonObject(value) && Object.keys(value).length === 0)
  );
}

function serviceViolations(object: JsonObject): readonly InvalidField[] {
  const isExempt =
    stringAt(object, ['spec', 'type']) === 'ExternalName' ||
    stringAt(object, ['spec', 'clusterIP']) === 'None';
  return isExempt || objectsAt(object, ['spec', 'ports']).length > 0
    ? []
    : [required('spec.ports')];
}

function ingressViolations(object: JsonObject): readonly InvalidField[] {
  return isEmptyAt(object, 'spec.rules') && isEmptyAt(object, 'spec.defaultBackend')
    ? [invalid('spec', object['spec'], 'either `defaultBackend` or `rules` must be specified')]
    : [];
}

function dataViolations(object: JsonObject): readonly InvalidField[] {
  const data = object['data'];
  return Object.entries(isJsonObject(data) ? data : {}).flatMap(([key, value]) => [
    ...(/^[-._a-zA-Z0-9]{1,253}$/.test(key)
      ? []
      : [invalid(`data[${key}]`, key, 'is not a valid config key')]),
    ...(typeof value === 'string' ? [] : [invalid(`data[${key}]`, value, 'must be a string')]),
  ]);
}

function immutableDataViolations(object: JsonObject, before: JsonObject): readonly InvalidField[] {
  if (booleanAt(before, ['immutable']) !== true) {
    return [];
  }
  return ['immutable', 'data', 'binaryData']
    .filter((field) => !jsonEquals(object[field], before[field]))
    .map((field) => forbidden(field, 'field is immutable when `immutable` is set'));
}

function definitionViolations(object: JsonObject): readonly InvalidField[] {
  const group = stringAt(object, ['spec', 'group']) ?? '';
  const expected = `${stringAt(object, ['spec', 'names', 'plural']) ?? ''}.${group}`;
  const name = stringAt(object, ['metadata', 'name']);
  const stored = objectsAt(object, ['spec', 'versions']).filter(
    (version) => booleanAt(version, ['storage']) === true,
  );
  return [
    ...(name === expected
      ? []
      : [invalid('metadata.name', name, 'must be spec.names.plural+"."+spec.group')]),
    ...(stored.length === 1
      ? []
      : [
          invalid(
            'spec.versions',
            undefined,
            'must have exactly one version marked as storage version',
          ),
        ]),
  ];
}
