import type { JsonObject } from '../model/json.ts';
import type { KubernetesManifest, KubernetesObject, StringMap } from '../model/kubernetes.ts';
import { LifeboatLabel, labelValueOf, VeleroAnnotation, VeleroLabel } from '../model/labels.ts';
import {
  type ObjectPath,
  objectAt,
  stringAt,
  valueAt,
  withoutValueAt,
  withValueAt,
} from '../model/object-path.ts';
import { compareQuantities, formatQuantity } from '../model/quantity.ts';
import { copiedLabels, leaveAloneAnnotations } from './copied-labels.ts';
import { groupMembersAnnotation, withoutGroupTies } from './group-manifests.ts';
import type { ReadySnapshot } from './ready-snapshot.ts';
import { beingCreatedAnnotation } from './snapshot-step.ts';

/** apiVersion of the snapshot objects that are written. */
export const snapshotApiVersion = 'snapshot.storage.k8s.io/v1';

/** What {@link volumeSnapshotManifest} is made from. */
export interface VolumeSnapshotRequest {
  readonly claim: KubernetesObject;
  readonly snapshotClass: KubernetesObject;
  /** Name of the VolumeSnapshot, see {@link volumeSnapshotNameOf}. */
  readonly name: string;
  readonly backupName: string;
  /** The run that asks for it, so that what a crash leaves can be found. */
  readonly runId: string;
}

// The API server cuts a generateName so that five more characters fit into 63.
const longestBaseLength = 58;

/** The name of a claim's VolumeSnapshot: what the API server would make of Velero's `generateName` and this suffix. */
export function volumeSnapshotNameOf(claim: KubernetesObject, suffix: string): string {
  return `${generateNameOf(claim).slice(0, longestBaseLength)}${suffix}`;
}

/**
 * The VolumeSnapshot that snapshots a claim.
 *
 * - It has a name although it has a generateName: its name must be known before the request is sent, so that it can be found
 *   when the answer does not come.
 * - It has the labels of its claim, but for those by which tools would delete it; see {@link copiedLabels}.
 */
export function volumeSnapshotManifest(request: VolumeSnapshotRequest): KubernetesManifest {
  const { claim, snapshotClass, name, backupName, runId } = request;
  const labels = copiedLabels(claim.metadata.labels);
  return {
    apiVersion: snapshotApiVersion,
    kind: 'VolumeSnapshot',
    metadata: {
      name,
      generateName: generateNameOf(claim),
      ...(claim.metadata.namespace === undefined ? {} : { namespace: claim.metadata.namespace }),
      labels: { ...labels, ...ownerLabels(backupName, runId) },
      ...(Object.keys(labels).length === 0 ? {} : { annotations: leaveAloneAnnotations }),
    },
    spec: {
      source: { persistentVolumeClaimName: claim.metadata.name },
      volumeSnapshotClassName: snapshotClass.metadata.name,
    },
  };
}

/** Merge patch that protects a content's storage snapshot and says whose it is. */
export function retainPatch(backupName: string, runId: string): JsonObject {
  return {
    metadata: { labels: ownerLabels(backupName, runId) },
    spec: { deletionPolicy: 'Retain' },
  };
}

/** Merge patch after which deleting the VolumeSnapshot frees the storage snapshot. */
export const releasePatch: JsonObject = { spec: { deletionPolicy: 'Delete' } };

/** Merge patch that annotates a live VolumeSnapshot as Velero does. */
export function keepPatch(snapshot: ReadySnapshot): JsonObject {
  return { metadata: { annotations: snapshotAnnotations(snapshot, 'Retain') } };
}

/** The VolumeSnapshot as the archive holds it: with Velero's annotations, without the label of the run and what was for tools. */
export function archivedVolumeSnapshot(
  snapshot: ReadySnapshot,
  backupName: string,
): KubernetesObject {
  const { volumeSnapshot, group } = snapshot;
  const single = group === undefined ? volumeSnapshot : withoutGroupTies(volumeSnapshot);
  const labelled = withBackupLabel(single, backupName);
  return withValueAt(labelled, ['metadata', 'annotations'], {
    ...withoutTools(labelled.metadata.annotations),
    ...snapshotAnnotations(snapshot, snapshot.classDeletionPolicy),
    ...(group === undefined
      ? {}
      : { [groupMembersAnnotation]: JSON.stringify(group.memberHandles) }),
  });
}

/**
 * The VolumeSnapshotContent as the archive holds it: with the policy of its class, which says whether the user wants the
 * storage snapshot to go with the object, although live it has Retain.
 */
export function archivedVolumeSnapshotContent(
  snapshot: ReadySnapshot,
  backupName: string,
): KubernetesObject {
  return withValueAt(
    withoutBeingCreated(withBackupLabel(snapshot.volumeSnapshotContent, backupName)),
    ['spec', 'deletionPolicy'],
    snapshot.classDeletionPolicy,
  );
}

/**
 * The claim as the archive holds it: bound to its snapshot by label and annotation, asking for no less than the snapshot
 * needs, and without what {@link withoutVolumeSource} drops.
 */
export function archivedClaim(
  claim: KubernetesObject,
  snapshot: ReadySnapshot,
  backupName: string,
): KubernetesObject {
  const volumeSnapshotName = snapshot.volumeSnapshot.metadata.name;
  const plain = withoutVolumeSource(claim);
  const marked = withValueAt(plain, ['metadata', 'labels'], {
    ...plain.metadata.labels,
    [VeleroLabel.backupName]: labelValueOf(backupName),
    [VeleroLabel.volumeSnapshotName]: labelValueOf(volumeSnapshotName),
  });
  return withLeastRequest(
    withValueAt(marked, ['metadata', 'annotations'], {
      ...marked.metadata.annotations,
      [VeleroAnnotation.volumeSnapshotName]: volumeSnapshotName,
    }),
    snapshot.restoreSizeBytes,
  );
}

/**
 * A bound claim without what ties it to where its data once came from: data sources, the marks of earlier backups and
 * restores, and the selector, unless the claim was bound by hand (storageClassName `""`). It is the form of every bound
 * claim in an archive (velero: pkg/backup/actions/backup_pv_action.go).
 */
export function withoutVolumeSource(claim: KubernetesObject): KubernetesObject {
  const dropped: readonly ObjectPath[] = [
    ['spec', 'dataSource'],
    ['spec', 'dataSourceRef'],
    ['metadata', 'labels', VeleroLabel.backupName],
    ['metadata', 'labels', VeleroLabel.restoreName],
    ['metadata', 'labels', VeleroLabel.volumeSnapshotName],
    ['metadata', 'labels', VeleroAnnotation.mustIncludeAdditionalItems],
    ['metadata', 'annotations', VeleroAnnotation.mustIncludeAdditionalItems],
    ['metadata', 'annotations', VeleroAnnotation.volumeSnapshotName],
  ];
  const plain = dropped.reduce<KubernetesObject>(withoutValueAt, claim);
  return stringAt(plain, ['spec', 'storageClassName']) === ''
    ? withoutVeleroSelector(plain)
    : withoutValueAt(plain, ['spec', 'selector']);
}

function withoutVeleroSelector(claim: KubernetesObject): KubernetesObject {
  const matchLabels = objectAt(claim, ['spec', 'selector', 'matchLabels']);
  return matchLabels === undefined
    ? claim
    : withValueAt(
        claim,
        ['spec', 'selector', 'matchLabels'],
        Object.fromEntries(
          Object.entries(matchLabels).filter(([key]) => !key.startsWith('velero.io/')),
        ),
      );
}

function withLeastRequest(
  claim: KubernetesObject,
  restoreSizeBytes: number | undefined,
): KubernetesObject {
  if (restoreSizeBytes === undefined || restoreSizeBytes <= 0) {
    return claim;
  }
  const path: ObjectPath = ['spec', 'resources', 'requests', 'storage'];
  const least = formatQuantity(BigInt(restoreSizeBytes));
  const requested = valueAt(claim, path);
  const enough = typeof requested === 'string' && (compareQuantities(requested, least) ?? -1) >= 0;
  return enough ? claim : withValueAt(claim, path, least);
}

// The sidecar takes its mark off a moment after the snapshot is ready; on a restored content it would forbid the deletion.
function withoutBeingCreated(content: KubernetesObject): KubernetesObject {
  const unmarked = withoutValueAt(content, ['metadata', 'annotations', beingCreatedAnnotation]);
  const isEmpty = Object.keys(unmarked.metadata.annotations ?? {}).length === 0;
  return isEmpty ? withoutValueAt(unmarked, ['metadata', 'annotations']) : unmarked;
}

function withoutTools(annotations: StringMap | undefined): StringMap {
  return Object.fromEntries(
    Object.entries(annotations ?? {}).filter(([key]) => !Object.hasOwn(leaveAloneAnnotations, key)),
  );
}

function withBackupLabel(object: KubernetesObject, backupName: string): KubernetesObject {
  const ownLabels = withoutValueAt(object, ['metadata', 'labels', LifeboatLabel.run]);
  return withValueAt(
    ownLabels,
    ['metadata', 'labels', VeleroLabel.backupName],
    labelValueOf(backupName),
  );
}

function snapshotAnnotations(
  { driver, snapshotHandle, restoreSizeBytes, group }: ReadySnapshot,
  deletionPolicy: 'Delete' | 'Retain',
): JsonObject {
  return {
    [VeleroAnnotation.driverName]: driver,
    [VeleroAnnotation.snapshotHandle]: snapshotHandle,
    [VeleroAnnotation.deletionPolicy]: deletionPolicy,
    ...(group === undefined
      ? {}
      : { [VeleroAnnotation.groupSnapshotHandle]: group.snapshotHandle }),
    ...(restoreSizeBytes === undefined
      ? {}
      : { [VeleroAnnotation.restoreSize]: formatQuantity(BigInt(restoreSizeBytes)) }),
  };
}

function ownerLabels(backupName: string, runId: string): Record<string, string> {
  return { [VeleroLabel.backupName]: labelValueOf(backupName), [LifeboatLabel.run]: runId };
}

function generateNameOf(claim: KubernetesObject): string {
  return `velero-${claim.metadata.name}-`;
}
