import { LifeboatError, messageOf } from '../errors.ts';
import { describeObject, type KubernetesObject, referenceTo } from '../model/kubernetes.ts';
import { Resources } from '../model/resources.ts';
import type { SnapshotDiagnosis } from './diagnose.ts';

/** Builds the error of a snapshot that failed: whose it is, why, and what else its user should know. */
export function snapshotFailure(
  operation: string,
  target: string,
  {
    reason,
    cause,
    note,
  }: {
    readonly reason?: string | undefined;
    readonly cause?: unknown;
    /** What was left behind. */
    readonly note?: string | undefined;
  },
): LifeboatError {
  const why = reason ?? messageOf(cause);
  return new LifeboatError(
    `${operation}: ${target}: ${why}${note === undefined ? '' : `. ${note}`}`,
    { code: 'SnapshotFailed', operation, target, cause },
  );
}

/** Adds to why a snapshot failed what a look at its objects has shown, and what to do. */
export function explainFailure(
  reason: string,
  { finding, advice, error }: SnapshotDiagnosis,
): string {
  return error !== undefined && reason.includes(error)
    ? `${reason}. ${advice}`
    : `${reason}: ${finding}. ${advice}`;
}

/** Names a VolumeSnapshot or its content for a message. */
export function describeSnapshotObject(object: KubernetesObject): string {
  const resource =
    object.metadata.namespace === undefined
      ? Resources.volumeSnapshotContents
      : Resources.volumeSnapshots;
  return describeObject(referenceTo(resource, object));
}
