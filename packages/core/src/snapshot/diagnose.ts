import type { SnapshotDelayCause } from '../model/event.ts';
import type { KubernetesObject } from '../model/kubernetes.ts';
import { arrayAt, stringAt, valueAt } from '../model/object-path.ts';
import { type DriverErrorKind, driverErrorKindOf } from './driver-error.ts';
import { beingCreatedAnnotation, errorOf } from './snapshot-step.ts';

/** What {@link diagnoseSnapshot} judges by. */
export interface SnapshotEvidence {
  readonly driver: string;
  /** The VolumeSnapshot, or the VolumeGroupSnapshot. */
  readonly volumeSnapshot: KubernetesObject | undefined;
  /** The content that was made for it. */
  readonly volumeSnapshotContent: KubernetesObject | undefined;
  /** The Events about the VolumeSnapshot; absent when they may not be read. */
  readonly events?: readonly KubernetesObject[] | undefined;
  /** Whether there is a CSIDriver object of the driver; absent when it may not be read. */
  readonly driverIsRegistered?: boolean | undefined;
}

/** Why a snapshot does not come, for people and for programs. */
export interface SnapshotDiagnosis {
  readonly cause: SnapshotDelayCause;
  /** What is the matter, in the words of the controller or the driver where they say something. */
  readonly finding: string;
  /** What to do, as a sentence without its full stop. */
  readonly advice: string;
  /** What the controller or the driver itself says. */
  readonly error?: string | undefined;
}

/**
 * Says from its objects why a snapshot does not come. Pure, and of use with any part of the evidence missing: who may not read
 * Events learns less, but nothing wrong.
 */
export function diagnoseSnapshot(evidence: SnapshotEvidence): SnapshotDiagnosis {
  const { driver, volumeSnapshot, volumeSnapshotContent: content, driverIsRegistered } = evidence;
  if (content === undefined) {
    return diagnoseController(evidence);
  }
  const error = errorOf(content) ?? errorOf(volumeSnapshot);
  if (driverIsRegistered === false) {
    return {
      cause: 'DriverMissing',
      finding: `the cluster has no CSIDriver ${driver}: the driver is not installed, or no longer`,
      advice: 'Install it, or exclude the volume',
      error,
    };
  }
  if (error !== undefined) {
    const kind = driverErrorKindOf(error);
    return { ...remedies[kind], finding: `driver ${driver} fails: ${error}`, error };
  }
  const isTouched =
    valueAt(content, ['status']) !== undefined ||
    beingCreated.some((annotation) =>
      Object.hasOwn(content.metadata.annotations ?? {}, annotation),
    );
  return isTouched
    ? {
        cause: 'StorageBusy',
        finding: `driver ${driver} was called and its storage is not done yet`,
        advice: "If that is too long for it, look at the log of the driver's controller",
      }
    : {
        cause: 'SidecarMissing',
        finding: `nothing has touched ${content.kind} ${content.metadata.name}: the csi-snapshotter sidecar of driver ${driver} is not running${withGroups(content)}`,
        advice:
          "It belongs to the pod of the driver's controller. A driver that cannot snapshot, such as those for NFS or EFS, has none: exclude its volumes",
      };
}

function diagnoseController({ volumeSnapshot, events = [] }: SnapshotEvidence): SnapshotDiagnosis {
  const kind = volumeSnapshot?.kind ?? 'VolumeSnapshot';
  const error = errorOf(volumeSnapshot) ?? latestWarning(events);
  if (error !== undefined) {
    return {
      cause: driverErrorKindOf(error) === 'QuotaExceeded' ? 'QuotaExceeded' : 'ControllerRefuses',
      finding: `the snapshot-controller makes no ${kind}Content: ${error}`,
      advice: `Look at the ${kind}'s Events and at the log of the snapshot-controller`,
      error,
    };
  }
  const isTouched =
    events.length > 0 ||
    valueAt(volumeSnapshot ?? {}, ['status']) !== undefined ||
    arrayAt(volumeSnapshot ?? {}, ['metadata', 'finalizers']).length > 0;
  return isTouched
    ? {
        cause: 'ControllerBusy',
        finding: `the snapshot-controller has seen the ${kind} and made no ${kind}Content yet`,
        advice: 'Look at its log',
      }
    : {
        cause: 'ControllerMissing',
        finding: `nothing has touched the ${kind}: the snapshot-controller of external-snapshotter is not running${withGroups(volumeSnapshot)}`,
        advice: 'Look for its pods, mostly in kube-system; where there are none, install it',
      };
}

// Controller and sidecar may run and leave groups alone: what does so is switched on by itself.
function withGroups(object: KubernetesObject | undefined): string {
  return object?.kind.startsWith('VolumeGroupSnapshot') === true
    ? ', or not with volume group snapshots on'
    : '';
}

const beingCreated: readonly string[] = [
  beingCreatedAnnotation,
  'groupsnapshot.storage.kubernetes.io/volumegroupsnapshot-being-created',
];

const remedies: Readonly<Record<DriverErrorKind, Pick<SnapshotDiagnosis, 'cause' | 'advice'>>> = {
  RateLimited: {
    cause: 'RateLimited',
    advice:
      'It is called again, with fewer snapshots at a time. If that happens often, lower concurrency.snapshotsPerDriver',
  },
  Unavailable: {
    cause: 'DriverUnavailable',
    advice: "It is called again. Look at the pod of the driver's controller and at its storage",
  },
  QuotaExceeded: {
    cause: 'QuotaExceeded',
    advice: 'Delete snapshots that are no longer needed, or raise the limit',
  },
  Unsupported: {
    cause: 'DriverWithoutSnapshots',
    advice: 'The driver or this kind of volume cannot be snapshotted: exclude the volume',
  },
  Other: {
    cause: 'DriverFails',
    advice: "Look at the log of the driver's controller",
  },
};

function latestWarning(events: readonly KubernetesObject[]): string | undefined {
  const warnings = events
    .filter((event) => stringAt(event, ['type']) === 'Warning')
    .toSorted((left, right) => (timeOf(left) < timeOf(right) ? 1 : -1));
  return warnings[0] && stringAt(warnings[0], ['message']);
}

function timeOf(event: KubernetesObject): string {
  return (
    stringAt(event, ['lastTimestamp']) ??
    stringAt(event, ['eventTime']) ??
    event.metadata.creationTimestamp ??
    ''
  );
}
