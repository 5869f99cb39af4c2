import type { JsonObject } from '../model/json.ts';
import type { KubernetesManifest, KubernetesObject } from '../model/kubernetes.ts';
import { LifeboatLabel, labelValueOf, VeleroLabel } from '../model/labels.ts';
import { objectsAt, stringAt, withoutValueAt, withValueAt } from '../model/object-path.ts';
import { groupSnapshotApiGroup } from './group-resources.ts';

/** What {@link groupSnapshotManifest} is made from. */
export interface GroupSnapshotManifestRequest {
  /** `groupsnapshot.storage.k8s.io/<version>` */
  readonly apiVersion: string;
  readonly namespace: string;
  readonly name: string;
  readonly className: string;
  readonly labelKey: string;
  readonly labelValue: string;
  readonly backupName: string;
  readonly runId: string;
}

// The API server cuts a generateName so that five more characters fit into 63.
const longestBaseLength = 58;

/** The name of a group's VolumeGroupSnapshot: Velero's, with what a label value may hold and a name may not replaced. */
export function groupSnapshotNameOf(labelValue: string, suffix: string): string {
  const base = `velero-${labelValue.toLowerCase().replaceAll(/[^a-z0-9-]/gu, '-')}-`;
  return `${base.slice(0, longestBaseLength)}${suffix}`;
}

/** The VolumeGroupSnapshot of all claims of a namespace that carry a label. */
export function groupSnapshotManifest(request: GroupSnapshotManifestRequest): KubernetesManifest {
  const { apiVersion, namespace, name, className, labelKey, labelValue } = request;
  return {
    apiVersion,
    kind: 'VolumeGroupSnapshot',
    metadata: {
      name,
      namespace,
      labels: {
        [labelKey]: labelValue,
        [VeleroLabel.backupName]: labelValueOf(request.backupName),
        [LifeboatLabel.run]: request.runId,
      },
    },
    spec: {
      volumeGroupSnapshotClassName: className,
      source: { selector: { matchLabels: { [labelKey]: labelValue } } },
    },
  };
}

/** On a backed-up VolumeSnapshot of a group: the handles of all snapshots of the group, a JSON array. */
export const groupMembersAnnotation = 'lifeboat.dev/group-snapshot-handles';

/** Merge patch that says whose an object is. */
export function ownerPatch(backupName: string, runId: string): JsonObject {
  return {
    metadata: {
      labels: {
        [VeleroLabel.backupName]: labelValueOf(backupName),
        [LifeboatLabel.run]: runId,
      },
    },
  };
}

/** Whether a VolumeSnapshot was made as a member of a VolumeGroupSnapshot, whatever version of the API says so. */
export function isMemberOf(volumeSnapshot: KubernetesObject, groupSnapshotUid: string): boolean {
  return (volumeSnapshot.metadata.ownerReferences ?? []).some(
    ({ apiVersion, kind, uid }) =>
      kind === 'VolumeGroupSnapshot' &&
      apiVersion.startsWith(`${groupSnapshotApiGroup}/`) &&
      uid === groupSnapshotUid,
  );
}

/** The claim that a VolumeSnapshot was taken of. */
export function claimNameOf(volumeSnapshot: KubernetesObject): string | undefined {
  return stringAt(volumeSnapshot, ['spec', 'source', 'persistentVolumeClaimName']);
}

/** A member's VolumeSnapshot on its own: without what ties it to a VolumeGroupSnapshot that will not be there. */
export function withoutGroupTies(volumeSnapshot: KubernetesObject): KubernetesObject {
  const owners = objectsAt(volumeSnapshot, ['metadata', 'ownerReferences']).filter(
    (owner) => stringAt(owner, ['kind']) !== 'VolumeGroupSnapshot',
  );
  const finalizers = (volumeSnapshot.metadata.finalizers ?? []).filter(
    (finalizer) => !groupFinalizers.includes(finalizer),
  );
  return withListAt(
    withListAt(volumeSnapshot, 'ownerReferences', owners),
    'finalizers',
    finalizers,
  );
}

// As Velero takes them off (velero: pkg/backup/actions/csi/pvc_action.go).
const groupFinalizers: readonly string[] = [
  'snapshot.storage.kubernetes.io/volumesnapshot-in-group-protection',
  'snapshot.storage.kubernetes.io/volumesnapshot-as-source-protection',
];

function withListAt(
  object: KubernetesObject,
  field: 'ownerReferences' | 'finalizers',
  list: readonly (JsonObject | string)[],
): KubernetesObject {
  return list.length === 0
    ? withoutValueAt(object, ['metadata', field])
    : withValueAt(object, ['metadata', field], list);
}
