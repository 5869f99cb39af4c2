import type { InvalidField } from '../../../errors.ts';
import { type JsonObject, jsonEquals } from '../../../model/json.ts';
import {
  arrayAt,
  objectAt,
  stringAt,
  valueAt,
  withoutValueAt,
} from '../../../model/object-path.ts';
import { compareQuantities } from '../../../model/quantity.ts';
import { forbidden, invalid, required, unsupported } from './invalid-fields.ts';

const accessModes = ['ReadWriteOnce', 'ReadOnlyMany', 'ReadWriteMany', 'ReadWriteOncePod'] as const;
const deletionPolicies = ['Delete', 'Retain'] as const;
const requestPath = ['spec', 'resources', 'requests', 'storage'] as const;
/** Fields of a volume's spec that are not its source. */
const sourceless: ReadonlySet<string> = new Set([
  'accessModes',
  'capacity',
  'claimRef',
  'mountOptions',
  'nodeAffinity',
  'persistentVolumeReclaimPolicy',
  'storageClassName',
  'volumeAttributesClassName',
  'volumeMode',
]);

/** Rules of PersistentVolumeClaims. */
export function claimViolations(object: JsonObject): readonly InvalidField[] {
  const request = stringAt(object, requestPath);
  const kind = stringAt(object, ['spec', 'dataSource', 'kind']);
  return [
    ...accessModeViolations(object, 'at least 1 access mode is required'),
    ...(request === undefined
      ? [required('spec.resources[storage]')]
      : compareQuantities(request, '0') !== 1
        ? [invalid('spec.resources[storage]', request, 'must be greater than zero')]
        : []),
    ...(kind !== undefined && (stringAt(object, ['spec', 'dataSource', 'name']) ?? '') === ''
      ? [required('spec.dataSource.name')]
      : []),
  ];
}

/** A claim cannot be changed but for its request, its finalizers and, as long as it is unbound, its volume. */
export function claimChangeViolations(
  object: JsonObject,
  before: JsonObject,
): readonly InvalidField[] {
  const isUnbound = (stringAt(before, ['spec', 'volumeName']) ?? '') === '';
  const fixed = (claim: JsonObject): JsonObject => {
    const kept = withoutValueAt(withoutValueAt(claim, requestPath), [
      'spec',
      'volumeAttributesClassName',
    ]);
    return (
      objectAt(isUnbound ? withoutValueAt(kept, ['spec', 'volumeName']) : kept, ['spec']) ?? {}
    );
  };
  const detail = 'spec is immutable after creation except resources.requests for bound claims';
  const isGrowing = compareQuantities(
    stringAt(object, requestPath) ?? '0',
    stringAt(before, requestPath) ?? '0',
  );
  return [
    ...(jsonEquals(fixed(object), fixed(before)) ? [] : [forbidden('spec', detail)]),
    ...(isGrowing === -1
      ? [forbidden('spec.resources.requests.storage', 'field can not be less than status.capacity')]
      : isGrowing === 1 && isUnbound
        ? [forbidden('spec', detail)]
        : []),
  ];
}

/** Rules of PersistentVolumes. */
export function volumeViolations(object: JsonObject): readonly InvalidField[] {
  const sources = Object.keys(objectAt(object, ['spec']) ?? {}).filter(
    (key) => !sourceless.has(key),
  );
  const csi = objectAt(object, ['spec', 'csi']);
  return [
    ...accessModeViolations(object, 'at least 1 access mode is required'),
    ...(sources.length === 0 ? [required('spec', 'must specify a volume type')] : []),
    ...(sources.length > 1 ? [forbidden('spec', 'may not specify more than 1 volume type')] : []),
    ...(csi === undefined
      ? []
      : ['driver', 'volumeHandle']
          .filter((key) => (stringAt(csi, [key]) ?? '') === '')
          .map((key) => required(`spec.csi.${key}`))),
  ];
}

/** Rules of VolumeSnapshots. */
export function snapshotViolations(object: JsonObject): readonly InvalidField[] {
  return sourceViolations(object, ['persistentVolumeClaimName', 'volumeSnapshotContentName']);
}

/** Rules of VolumeSnapshotContents. */
export function snapshotContentViolations(object: JsonObject): readonly InvalidField[] {
  const namesSnapshot = ['name', 'namespace'].every(
    (key) => (stringAt(object, ['spec', 'volumeSnapshotRef', key]) ?? '') !== '',
  );
  return [
    ...sourceViolations(object, ['volumeHandle', 'snapshotHandle']),
    ...policyViolations(object, ['spec', 'deletionPolicy']),
    ...(namesSnapshot
      ? []
      : [
          invalid(
            'spec.volumeSnapshotRef',
            valueAt(object, ['spec', 'volumeSnapshotRef']),
            'both spec.volumeSnapshotRef.name and spec.volumeSnapshotRef.namespace must be set',
          ),
        ]),
  ];
}

/** Rules of VolumeSnapshotClasses. */
export function snapshotClassViolations(object: JsonObject): readonly InvalidField[] {
  return policyViolations(object, ['deletionPolicy']);
}

function accessModeViolations(object: JsonObject, detail: string): readonly InvalidField[] {
  const modes = arrayAt(object, ['spec', 'accessModes']);
  return modes.length === 0
    ? [required('spec.accessModes', detail)]
    : modes
        .filter((mode) => !accessModes.some((known) => known === mode))
        .map((mode) => unsupported('spec.accessModes', mode, accessModes));
}

function policyViolations(
  object: JsonObject,
  path: readonly [string, ...string[]],
): readonly InvalidField[] {
  const policy = stringAt(object, path);
  return policy === undefined || deletionPolicies.some((known) => known === policy)
    ? []
    : [unsupported(path.join('.'), policy, deletionPolicies)];
}

function sourceViolations(
  object: JsonObject,
  names: readonly [string, string],
): readonly InvalidField[] {
  const given = names.filter((name) => (stringAt(object, ['spec', 'source', name]) ?? '') !== '');
  return given.length === 1
    ? []
    : [
        invalid(
          'spec.source',
          valueAt(object, ['spec', 'source']),
          `exactly one of ${names.join(' and ')} must be set`,
        ),
      ];
}
