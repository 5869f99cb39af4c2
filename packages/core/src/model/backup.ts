import type { JsonObject } from './json.ts';
import type { StringMap } from './kubernetes.ts';
import type { BackupPhase } from './phase.ts';

/** A label selector as Kubernetes writes it. */
export interface LabelSelector extends JsonObject {
  readonly matchLabels?: StringMap;
  readonly matchExpressions?: readonly LabelSelectorRequirement[];
}

/** One requirement of a {@link LabelSelector}. */
export interface LabelSelectorRequirement extends JsonObject {
  readonly key: string;
  readonly operator: 'In' | 'NotIn' | 'Exists' | 'DoesNotExist';
  readonly values?: readonly string[];
}

/** A command that runs in a pod before or after the snapshots of its volumes. */
export interface BackupExecHook extends JsonObject {
  /** @default the pod's first container */
  readonly container?: string;
  /** Program and arguments; no shell is added. */
  readonly command: readonly string[];
  /** What becomes of the backup of the pod when a pre hook fails. @default 'Fail' */
  readonly onError?: 'Continue' | 'Fail';
  /** @default '30s' */
  readonly timeout?: string;
}

/** One hook of a {@link BackupResourceHook}. */
export interface BackupHookHandler extends JsonObject {
  readonly exec: BackupExecHook;
}

/** Hooks for the pods that all of its filters let in; absent filters let every pod in. */
export interface BackupResourceHook extends JsonObject {
  readonly name: string;
  readonly includedNamespaces?: readonly string[];
  readonly excludedNamespaces?: readonly string[];
  readonly includedResources?: readonly string[];
  readonly excludedResources?: readonly string[];
  readonly labelSelector?: LabelSelector;
  readonly pre?: readonly BackupHookHandler[];
  readonly post?: readonly BackupHookHandler[];
}

/** `spec.hooks` of a Velero Backup. */
export interface BackupHooks extends JsonObject {
  readonly resources?: readonly BackupResourceHook[];
}

/** `spec` of a Velero Backup; durations are Go duration strings such as `720h0m0s`. Unknown fields are kept. */
export interface BackupSpec extends JsonObject {
  readonly includedNamespaces?: readonly string[];
  readonly excludedNamespaces?: readonly string[];
  readonly excludedClusterScopedResources?: readonly string[];
  readonly excludedNamespaceScopedResources?: readonly string[];
  readonly snapshotVolumes?: boolean;
  readonly ttl?: string;
  readonly storageLocation?: string;
  readonly csiSnapshotTimeout?: string;
  readonly itemOperationTimeout?: string;
  readonly snapshotMoveData?: boolean;
  readonly hooks?: BackupHooks;
}

/** `status` of a Velero Backup. Counters are absent when zero. */
export interface BackupStatus extends JsonObject {
  readonly version: number;
  readonly formatVersion: string;
  readonly phase: BackupPhase;
  readonly expiration?: string;
  readonly startTimestamp?: string;
  readonly completionTimestamp?: string;
  readonly progress?: { readonly totalItems: number; readonly itemsBackedUp: number };
  readonly warnings?: number;
  readonly errors?: number;
  readonly csiVolumeSnapshotsAttempted?: number;
  readonly csiVolumeSnapshotsCompleted?: number;
  readonly backupItemOperationsAttempted?: number;
  readonly backupItemOperationsCompleted?: number;
  readonly backupItemOperationsFailed?: number;
  readonly hookStatus?: { readonly hooksAttempted?: number; readonly hooksFailed?: number };
}

/** `metadata` of a Backup or Restore. */
export interface BackupMeta extends JsonObject {
  readonly name: string;
  readonly namespace?: string;
  readonly uid?: string;
  readonly creationTimestamp?: string | null;
  readonly labels?: StringMap;
  readonly annotations?: StringMap;
}

/** A Velero Backup as `velero-backup.json` holds it. */
export interface Backup extends JsonObject {
  readonly kind: 'Backup';
  readonly apiVersion: 'velero.io/v1';
  readonly metadata: BackupMeta;
  readonly spec: BackupSpec;
  readonly status: BackupStatus;
}
