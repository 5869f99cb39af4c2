import { randomUUID } from 'node:crypto';

import { ValidationError } from '../errors.ts';
import type { Backup, BackupSpec } from '../model/backup.ts';
import { parseDuration } from '../model/duration.ts';
import type { BackupEvent } from '../model/event.ts';
import type { HookResult } from '../model/hook.ts';
import type { Issue } from '../model/issue.ts';
import type { ClusterVersion, StringMap } from '../model/kubernetes.ts';
import { labelValueOf, VeleroAnnotation, VeleroLabel } from '../model/labels.ts';
import type { ResourcePolicy } from '../model/resource-policy.ts';
import type { SkippedItem } from '../model/skipped-item.ts';
import { formatTimestamp } from '../model/timestamp.ts';
import type { VolumeGroup } from '../model/volume-group.ts';
import type { CallOptions } from '../ports/object-store.ts';
import type { BackupCandidate } from '../selection/backup-candidate.ts';
import { completeBackupSpec, validateBackupRequest } from '../selection/backup-request.ts';

/** What to back up. */
export interface BackupRequest {
  /** Name of the backup: a DNS-1123 subdomain, unique in the store. */
  readonly name: string;
  /** As in a Velero Backup; absent fields get Velero's defaults. @default every namespace */
  readonly spec?: BackupSpec | undefined;
  readonly metadata?: BackupRequestMetadata | undefined;
}

/** What the stored Backup's metadata says besides its name. */
export interface BackupRequestMetadata {
  /** Namespace of Velero, for Velero servers that read the store. @default 'velero' */
  readonly namespace?: string | undefined;
  /** @default a random UUID */
  readonly uid?: string | undefined;
  readonly labels?: StringMap | undefined;
  /** May hold `velero.io/csi-volumesnapshot-class_<driver>`, which names the class for a driver. */
  readonly annotations?: StringMap | undefined;
}

/** How the operations that item actions begin are followed. */
export interface ItemOperationOptions {
  /** How long after one round of questions the next one follows, in milliseconds; at least 1. @default 10,000, as Velero */
  readonly pollIntervalMs?: number | undefined;
  /**
   * How many objects may wait for operations, to be stored as they stand then. They are kept by name. The object whose action asks for
   * more fails. @default 10,000
   */
  readonly maximumItemsToUpdate?: number | undefined;
}

/** How to run a backup. */
export interface BackupOptions extends CallOptions {
  /** Receives reports while the backup runs. What it throws is logged and ignored. */
  readonly onEvent?: ((event: BackupEvent) => void) | undefined;
  /**
   * What becomes of VolumeSnapshot and VolumeSnapshotContent once the backup is complete: `remove` leaves no object in the
   * cluster, as Velero 1.16 and later; `keep` leaves them, with policy Retain, as `kubectl get volumesnapshot` shows in
   * Velero 1.6. The storage snapshot stays either way. @default 'remove'
   */
  readonly snapshotObjects?: 'remove' | 'keep' | undefined;
  /**
   * Whether to write the files `<name>-csi-volumesnapshots.json.gz`, `…contents` and `…classes` too, which Velero up to 1.16, and for
   * the classes 1.17, reads: without them its older servers do not show or restore the snapshots. @default false
   */
  readonly legacyCsiFiles?: boolean | undefined;
  /**
   * What becomes of claims that carry the label of a volume group (`spec.volumeGroupSnapshotLabelKey`, by default
   * `velero.io/volume-group`). `require`: one snapshot of all, as of one moment; where that is not possible their snapshots fail.
   * `prefer`: where the cluster or the volumes do not allow it, a snapshot of each, with a warning. `never`: a snapshot of
   * each. @default 'require'
   */
  readonly groupSnapshots?: 'require' | 'prefer' | 'never' | undefined;
  /**
   * Has the last word about each object that the spec lets in, those that others pull along included, unless an item action insists on
   * them (`mustIncludeAdditionalItems`), and Namespaces. It is
   * asked before anything is done with the object, perhaps more than once, and must answer at once and always the same. An
   * object for which it throws is left out, with an error of that object. It is not asked about snapshot objects, which come
   * with their claim. The backup keeps that there was one: a rollback to it has to be given one too. @default every object
   */
  readonly include?: ((candidate: BackupCandidate) => boolean) | undefined;
  /**
   * What becomes of which volumes, and filters for resources about which the spec says nothing: a policy, or its YAML text.
   * Not stored, but for that its filters had a say: such a backup cannot be rolled back to. Cannot be combined with `spec.resourcePolicy`, which names a ConfigMap in Velero's namespace with such a text.
   */
  readonly resourcePolicy?: ResourcePolicy | string | undefined;
  /** How the operations that item actions begin are followed. Each may take as long as `spec.itemOperationTimeout` says. */
  readonly itemOperations?: ItemOperationOptions | undefined;
  /** Driver → name of the VolumeSnapshotClass to use; wins over every label and annotation. */
  readonly volumeSnapshotClasses?: Readonly<Record<string, string>> | undefined;
}

/** The options of item operations, defaults filled in. */
export function itemOperationLimits({
  itemOperations = {},
}: Pick<BackupOptions, 'itemOperations'>): {
  readonly pollIntervalMs: number;
  readonly maximumItemsToUpdate: number;
} {
  const { pollIntervalMs = 10_000, maximumItemsToUpdate = 10_000 } = itemOperations;
  return { pollIntervalMs, maximumItemsToUpdate };
}

/** A finished backup. Its phase is `Completed`, or `PartiallyFailed` when an issue is an error. */
export interface BackupResult {
  readonly backup: Backup;
  /** The objects that item actions kept out, in the order in which they did. */
  readonly skipped: readonly SkippedItem[];
  /** The volume groups that were met, and how consistent the snapshots of each are. */
  readonly volumeGroups: readonly VolumeGroup[];
  /** The hooks that were run in pods, or could not be, in the order in which they ended, with the beginning of their output. */
  readonly hooks: readonly HookResult[];
  readonly issues: readonly Issue[];
}

/**
 * The Backup that a request asks for, defaults filled in, in phase InProgress.
 *
 * @throws ValidationError with every violation of the request.
 */
export function acceptBackupRequest(request: BackupRequest, startedAt: Date): Backup {
  const violations = validateBackupRequest(request);
  if (violations.length > 0) {
    throw new ValidationError('backup', violations);
  }
  const spec = completeBackupSpec(request.spec ?? {});
  const { namespace = 'velero', uid = randomUUID(), labels, annotations } = request.metadata ?? {};
  return {
    kind: 'Backup',
    apiVersion: 'velero.io/v1',
    metadata: {
      name: request.name,
      namespace,
      uid,
      creationTimestamp: formatTimestamp(startedAt),
      labels: {
        ...labels,
        [VeleroLabel.storageLocation]: labelValueOf(spec.storageLocation ?? 'default'),
      },
      ...(annotations === undefined ? {} : { annotations }),
    },
    spec,
    status: {
      version: 1,
      formatVersion: '1.1.0',
      expiration: formatTimestamp(expiryOf(spec, startedAt)),
      phase: 'InProgress',
      startTimestamp: formatTimestamp(startedAt),
    },
  };
}

/** The Backup with the annotations that name the version of the cluster it is made of. */
export function withSourceVersion(backup: Backup, version: ClusterVersion): Backup {
  return {
    ...backup,
    metadata: {
      ...backup.metadata,
      annotations: {
        ...backup.metadata.annotations,
        [VeleroAnnotation.sourceClusterGitVersion]: version.gitVersion,
        [VeleroAnnotation.sourceClusterMajorVersion]: version.major,
        [VeleroAnnotation.sourceClusterMinorVersion]: version.minor,
      },
    },
  };
}

const defaultTtlMs = 720 * 3_600_000;

function expiryOf({ ttl = '' }: BackupSpec, startedAt: Date): Date {
  return new Date(startedAt.getTime() + (parseDuration(ttl) ?? defaultTtlMs));
}
