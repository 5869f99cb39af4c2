import { isJsonObject, type JsonObject, jsonEquals } from '../../../model/json.ts';
import type { KubernetesObject } from '../../../model/kubernetes.ts';
import {
  booleanAt,
  objectAt,
  stringAt,
  valueAt,
  withoutValueAt,
  withValueAt,
} from '../../../model/object-path.ts';
import { formatQuantity } from '../../../model/quantity.ts';
import { formatTimestamp } from '../../../model/timestamp.ts';

/** Tables of the snapshot API. */
export const SnapshotTable = {
  snapshots: 'volumesnapshots.snapshot.storage.k8s.io',
  contents: 'volumesnapshotcontents.snapshot.storage.k8s.io',
  classes: 'volumesnapshotclasses.snapshot.storage.k8s.io',
} as const;

/** Finalizers of external-snapshotter. */
export const SnapshotFinalizer = {
  asSource: 'snapshot.storage.kubernetes.io/volumesnapshot-as-source-protection',
  boundSnapshot: 'snapshot.storage.kubernetes.io/volumesnapshot-bound-protection',
  boundContent: 'snapshot.storage.kubernetes.io/volumesnapshotcontent-bound-protection',
  inGroup: 'snapshot.storage.kubernetes.io/volumesnapshot-in-group-protection',
  claimAsSource: 'snapshot.storage.kubernetes.io/pvc-as-source-protection',
} as const;

/** Annotations of external-snapshotter on contents. */
export const ContentAnnotation = {
  beingCreated: 'snapshot.storage.kubernetes.io/volumesnapshot-being-created',
  beingDeleted: 'snapshot.storage.kubernetes.io/volumesnapshot-being-deleted',
} as const;

/** The key of the VolumeSnapshot that a content refers to. */
export function snapshotKeyOf(content: KubernetesObject): string {
  const reference = objectAt(content, ['spec', 'volumeSnapshotRef']) ?? {};
  return `${stringAt(reference, ['namespace']) ?? ''}/${stringAt(reference, ['name']) ?? ''}`;
}

/** The name of the content that a VolumeSnapshot is or will be bound to. */
export function contentNameOf(snapshot: KubernetesObject): string {
  return (
    stringAt(snapshot, ['status', 'boundVolumeSnapshotContentName']) ??
    stringAt(snapshot, ['spec', 'source', 'volumeSnapshotContentName']) ??
    `snapcontent-${snapshot.metadata.uid ?? ''}`
  );
}

/** Whether a content is bound to this very VolumeSnapshot. */
export function isBoundTo(content: KubernetesObject, snapshot: KubernetesObject): boolean {
  return (
    stringAt(content, ['spec', 'volumeSnapshotRef', 'uid']) === snapshot.metadata.uid &&
    snapshotKeyOf(content) === `${snapshot.metadata.namespace ?? ''}/${snapshot.metadata.name}`
  );
}

/** A copy with an annotation. */
export function withAnnotation(
  object: KubernetesObject,
  name: string,
  value: string,
): KubernetesObject {
  return withValueAt(object, ['metadata', 'annotations', name], value);
}

/** A copy without an annotation, and without an empty map of them. */
export function withoutAnnotation(object: KubernetesObject, name: string): KubernetesObject {
  const removed = withoutValueAt(object, ['metadata', 'annotations', name]);
  const left = objectAt(removed, ['metadata', 'annotations']);
  return left !== undefined && Object.keys(left).length === 0
    ? withoutValueAt(removed, ['metadata', 'annotations'])
    : removed;
}

/** A copy with an error in its status; the same object when it reports that error already. */
export function withStatusError(
  object: KubernetesObject,
  message: string,
  time: string,
): KubernetesObject {
  return stringAt(object, ['status', 'error', 'message']) === message
    ? object
    : withValueAt(object, ['status'], {
        ...objectAt(object, ['status']),
        error: { message, time },
        readyToUse: false,
      });
}

/** The status of a VolumeSnapshot that is bound to a content, from the content's. */
export function snapshotStatusFrom(content: KubernetesObject): JsonObject {
  const status = objectAt(content, ['status']) ?? {};
  const size = valueAt(status, ['restoreSize']);
  const time = valueAt(status, ['creationTime']);
  const error = valueAt(status, ['error']);
  return {
    boundVolumeSnapshotContentName: content.metadata.name,
    ...(time !== undefined && { creationTime: timestampOf(JSON.stringify(time)) }),
    ...(isJsonObject(error) && { error }),
    readyToUse: booleanAt(status, ['readyToUse']) === true,
    ...(size !== undefined && { restoreSize: formatQuantity(BigInt(JSON.stringify(size))) }),
  };
}

/** A copy with a status, the same object when it has it already. */
export function withStatus(object: KubernetesObject, status: JsonObject): KubernetesObject {
  return jsonEquals(object['status'], status) ? object : withValueAt(object, ['status'], status);
}

function timestampOf(nanoseconds: string): string {
  return formatTimestamp(new Date(Number(BigInt(nanoseconds) / 1_000_000n)));
}
