import type { KubernetesObject } from '../model/kubernetes.ts';
import { LifeboatLabel, VeleroAnnotation, VeleroLabel } from '../model/labels.ts';
import { stringAt } from '../model/object-path.ts';
import { handleOf } from './snapshot-step.ts';

/** A VolumeSnapshot and its content as they stand in a cluster, or the one of the two that is there. */
export interface LeftoverPair {
  readonly volumeSnapshot?: KubernetesObject | undefined;
  readonly volumeSnapshotContent?: KubernetesObject | undefined;
}

/** What a pair was made for, as its labels and form tell. */
export type PairOrigin =
  /** By a run of ours, to take a snapshot. */
  | 'run'
  /** By a run of ours, and left on purpose (`snapshotObjects: 'keep'`). */
  | 'kept'
  /** By a restore, of ours or Velero's, to fill a claim. */
  | 'restore'
  /** By us, to free a storage snapshot. */
  | 'release'
  /** By us, to see whether a storage snapshot is there. */
  | 'probe'
  /** By the engine's `syncSnapshots`, which also removes it. */
  | 'synced'
  /** By Velero before 1.16, in place of a content that it deleted. */
  | 'retained by Velero'
  /** By somebody else who puts Velero's label on it. */
  | 'other';

/** Puts each VolumeSnapshot together with the content that belongs to it. */
export function pairSnapshotObjects(
  volumeSnapshots: readonly KubernetesObject[],
  volumeSnapshotContents: readonly KubernetesObject[],
): readonly LeftoverPair[] {
  const unpaired = new Set(volumeSnapshotContents);
  const pairs: LeftoverPair[] = volumeSnapshots.map((volumeSnapshot) => {
    const volumeSnapshotContent = volumeSnapshotContents.find((content) =>
      belongsTo(content, volumeSnapshot),
    );
    if (volumeSnapshotContent !== undefined) {
      unpaired.delete(volumeSnapshotContent);
    }
    return { volumeSnapshot, volumeSnapshotContent };
  });
  return [...pairs, ...[...unpaired].map((content) => ({ volumeSnapshotContent: content }))];
}

/** Whether a content refers to this very VolumeSnapshot, not to an earlier one of its name. */
export function belongsTo(content: KubernetesObject, volumeSnapshot: KubernetesObject): boolean {
  const { name, namespace, uid } = volumeSnapshot.metadata;
  const owner = stringAt(content, ['spec', 'volumeSnapshotRef', 'uid']) ?? '';
  return (
    stringAt(content, ['spec', 'volumeSnapshotRef', 'name']) === name &&
    stringAt(content, ['spec', 'volumeSnapshotRef', 'namespace']) === namespace &&
    (owner === '' || owner === uid)
  );
}

/** The name of the content that the controller has made, or is about to make, for a VolumeSnapshot. */
export function contentNameFor(volumeSnapshot: KubernetesObject): string {
  return (
    stringAt(volumeSnapshot, ['status', 'boundVolumeSnapshotContentName']) ??
    stringAt(volumeSnapshot, ['spec', 'source', 'volumeSnapshotContentName']) ??
    `snapcontent-${volumeSnapshot.metadata.uid ?? ''}`
  );
}

/** The namespace that a pair is in, or was. */
export function namespaceOf({ volumeSnapshot, volumeSnapshotContent }: LeftoverPair): string {
  return (
    volumeSnapshot?.metadata.namespace ??
    (volumeSnapshotContent &&
      stringAt(volumeSnapshotContent, ['spec', 'volumeSnapshotRef', 'namespace'])) ??
    ''
  );
}

/** What the storage calls the snapshot of a pair; `undefined` when it is not cut, or its content is gone. */
export function snapshotHandleOf({
  volumeSnapshotContent: content,
}: LeftoverPair): { readonly driver: string; readonly snapshotHandle: string } | undefined {
  const driver = content && stringAt(content, ['spec', 'driver']);
  const snapshotHandle =
    content && (handleOf(content) ?? stringAt(content, ['spec', 'source', 'snapshotHandle']));
  return driver === undefined || snapshotHandle === undefined
    ? undefined
    : { driver, snapshotHandle };
}

/** A label of a pair, from whichever of its objects carries it. */
export function labelOf(
  { volumeSnapshot, volumeSnapshotContent }: LeftoverPair,
  name: string,
): string | undefined {
  return volumeSnapshot?.metadata.labels?.[name] ?? volumeSnapshotContent?.metadata.labels?.[name];
}

/** What a pair was made for. */
export function originOf(pair: LeftoverPair): PairOrigin {
  const { volumeSnapshot, volumeSnapshotContent: content } = pair;
  const name = content?.metadata.name ?? volumeSnapshot?.metadata.name ?? '';
  if (releaseName.test(name)) {
    return 'release';
  }
  if (probeName.test(name)) {
    return 'probe';
  }
  if (labelOf(pair, LifeboatLabel.syncedFrom) !== undefined) {
    return 'synced';
  }
  if (labelOf(pair, VeleroLabel.restoreName) !== undefined) {
    return importedName.test(name) ? 'restore' : 'other';
  }
  if (labelOf(pair, LifeboatLabel.run) !== undefined) {
    const annotations = volumeSnapshot?.metadata.annotations ?? {};
    return Object.hasOwn(annotations, VeleroAnnotation.snapshotHandle) ? 'kept' : 'run';
  }
  return content !== undefined && isRecreated(content) ? 'retained by Velero' : 'other';
}

// What releaseSnapshot, probeSnapshot and importSnapshot name their objects.
const releaseName: RegExp = /^lifeboat-release-/;
const probeName: RegExp = /^lifeboat-probe-/;
const importedName: RegExp = /^[0-9a-f]{64}$/;

// Velero up to 1.15 makes the reference point at nothing by these prefixes (velero: internal/delete/actions/csi).
function isRecreated(content: KubernetesObject): boolean {
  return (
    stringAt(content, ['spec', 'source', 'snapshotHandle']) !== undefined &&
    stringAt(content, ['spec', 'deletionPolicy']) === 'Retain' &&
    (stringAt(content, ['spec', 'volumeSnapshotRef', 'namespace']) ?? '').startsWith('ns-') &&
    (stringAt(content, ['spec', 'volumeSnapshotRef', 'name']) ?? '').startsWith('name-')
  );
}
