/**
 * Backs up Kubernetes applications with their CSI volumes into an object store, and restores them, in Velero's format.
 *
 * @example
 * ```ts
 * import { KubeConfig } from '@kubernetes/client-node';
 * import { createEngine, FileSystemObjectStore } from '@lifeboat/core';
 * import { connectKubeConfig } from '@lifeboat/core/kubernetes';
 *
 * const kubeConfig = new KubeConfig();
 * kubeConfig.loadFromDefault();
 * await using store = new FileSystemObjectStore({ directory: '/var/backups' });
 * await using connection = connectKubeConfig(kubeConfig);
 * const engine = createEngine({ ...connection, store, logger: console });
 *
 * const { backup, issues } = await engine.backup({
 *   name: 'shop-20261124',
 *   spec: { includedNamespaces: ['shop'] },
 * });
 * console.info(backup.status.phase, issues);
 * await engine.restore({ spec: { backupName: 'shop-20261124', namespaceMapping: { shop: 'shop-copy' } } });
 * ```
 *
 * @module
 */
export type { PlanBackupOptions } from './backup/plan-options.ts';
export type {
  BackupOptions,
  BackupRequest,
  BackupRequestMetadata,
  BackupResult,
  ItemOperationOptions,
} from './backup/request.ts';
export type { BackupCatalog } from './catalog/backup-catalog.ts';
export { createEngine } from './engine/create-engine.ts';
export type { Engine, EngineConcurrency, EngineOptions, EngineTimeouts } from './engine/engine.ts';
export {
  ClusterError,
  type ClusterErrorOptions,
  type InvalidField,
  isLifeboatError,
  LifeboatError,
  type LifeboatErrorCode,
  type LifeboatErrorOptions,
  ObjectStoreError,
  ValidationError,
  type Violation,
} from './errors.ts';
export type {
  Backup,
  BackupExecHook,
  BackupHookHandler,
  BackupHooks,
  BackupMeta,
  BackupResourceHook,
  BackupSpec,
  BackupStatus,
  LabelSelector,
  LabelSelectorRequirement,
} from './model/backup.ts';
export type {
  BackupPlan,
  PlannedItem,
  PlannedReason,
  PlannedVolume,
  PlanRefusal,
} from './model/backup-plan.ts';
export type { BackupStorageLocationSpec } from './model/backup-storage-location.ts';
export type { ClaimConsistency } from './model/claim-consistency.ts';
export type {
  BackupEvent,
  DeletionEvent,
  ItemOperationEvent,
  PlanEvent,
  RestoreAction,
  RestoredItem,
  RestoreEvent,
  RestorePlanEvent,
  SnapshotDelayCause,
  SnapshotDelayedEvent,
  SnapshotEvent,
  SnapshotState,
} from './model/event.ts';
export type { HookCall, HookEvent, HookResult, HookStage } from './model/hook.ts';
export type { Issue } from './model/issue.ts';
export {
  type JsonArray,
  type JsonObject,
  type JsonValue,
  parseJson,
  type RawNumber,
} from './model/json.ts';
export type { JsonPatchOperation } from './model/json-patch-of.ts';
export type {
  ApiGroup,
  ApiResource,
  ClusterVersion,
  Discovery,
  DiscoveryFailure,
  GroupVersionResource,
  KubernetesManifest,
  KubernetesObject,
  ManifestMeta,
  ObjectMeta,
  ObjectReference,
  OwnerReference,
  ResourceIdentifier,
  StringMap,
} from './model/kubernetes.ts';
export {
  LifeboatAnnotation,
  LifeboatLabel,
  VeleroAnnotation,
  VeleroLabel,
} from './model/labels.ts';
export type { BackupPhase, RestorePhase } from './model/phase.ts';
export type {
  ModifierMatch,
  ModifierPatch,
  ModifierPatchData,
  ModifierText,
  ResourceModifierConditions,
  ResourceModifierRule,
  ResourceModifiers,
} from './model/resource-modifiers.ts';
export type {
  CsiCondition,
  IncludeExcludePolicy,
  NfsCondition,
  ResourcePolicy,
  VolumeAction,
  VolumeConditions,
  VolumePolicy,
} from './model/resource-policy.ts';
export { Resources } from './model/resources.ts';
export type {
  Restore,
  RestoreExecHook,
  RestoreHookHandler,
  RestoreHooksSpec,
  RestoreInitHook,
  RestoreResourceHook,
  RestoreSpec,
  RestoreStatus,
  RestoreStatusSpec,
} from './model/restore.ts';
export type {
  MissingInTarget,
  PlannedRestoreAction,
  PlannedRestoreItem,
  PlannedRestoreVolume,
  PlannedTransform,
  PlannedWave,
  RestorePlan,
} from './model/restore-plan.ts';
export type { SkippedItem } from './model/skipped-item.ts';
export type { VolumeGroup, VolumeGroupConsistency } from './model/volume-group.ts';
export type { Clock } from './ports/clock.ts';
export type {
  Cluster,
  ClusterPatch,
  DeleteOptions,
  ListOptions,
  ObjectCallOptions,
  PatchOptions,
  WatchEvent,
  WatchOptions,
  WriteOptions,
} from './ports/cluster.ts';
export type {
  AdditionalItemsReadyInput,
  BackupItemAction,
  BackupItemInput,
  BackupItemOutput,
  BackupItemPurpose,
  ItemActionScope,
  RestoreItemAction,
  RestoreItemInput,
  RestoreItemOutput,
  RestoreItemPurpose,
  VolumeDemand,
} from './ports/item-action.ts';
export type {
  ItemOperation,
  ItemOperationCall,
  ItemOperationProgress,
} from './ports/item-operation.ts';
export type { LogFields, Logger } from './ports/logger.ts';
export type {
  ByteRange,
  CallOptions,
  GetOptions,
  ObjectBody,
  ObjectLock,
  ObjectStat,
  ObjectStore,
  ObjectStoreCapabilities,
  PutOptions,
  SignUrlOptions,
  UnfinishedUpload,
} from './ports/object-store.ts';
export type { ExecOptions, ExecRequest, ExecResult, PodExec } from './ports/pod-exec.ts';
export {
  type BuiltInRestoreActions,
  RestoreActions,
} from './restore/actions/restore-actions.ts';
export type { ObjectChangeOptions } from './restore/object-change-options.ts';
export type { PlanRestoreOptions } from './restore/plan-restore.ts';
export type {
  RestoreItemOperationOptions,
  RestoreOptions,
  RestoreRequest,
  RestoreResult,
} from './restore/request.ts';
export type {
  RestoreTransform,
  TransformContext,
  TransformResult,
  TransformSkip,
} from './restore/restore-transform.ts';
export type { RestoreCandidate, SelectionOptions } from './restore/selection-options.ts';
export type { VersionOptions } from './restore/version-options.ts';
export type {
  DeleteBackupOptions,
  DeleteBackupResult,
  DeletedSnapshot,
} from './retention/delete-request.ts';
export type { ExpiredBackup, ExpireOptions, ExpireResult } from './retention/expire-backups.ts';
export type { FindLeftoversOptions } from './retention/find-leftovers.ts';
export type {
  Leftover,
  LeftoverAction,
  LeftoverCause,
  LeftoverObject,
} from './retention/leftover.ts';
export type { LeftoverOutcome, LeftoverOutcomeKind } from './retention/remove-leftovers.ts';
export type {
  SkippedSnapshot,
  SyncedSnapshot,
  SyncSkipReason,
  SyncSnapshotsOptions,
  SyncSnapshotsResult,
} from './retention/sync-request.ts';
export type { VerifyOptions, VerifyResult } from './retention/verify-request.ts';
export type { BackupCandidate } from './selection/backup-candidate.ts';
export type { CutGroupSnapshot } from './snapshot/cut-group-snapshot.ts';
export type { CutSnapshot } from './snapshot/cut-snapshot.ts';
export type { SnapshotDiagnosis } from './snapshot/diagnose.ts';
export type { GroupSnapshotSession } from './snapshot/group-snapshot-session.ts';
export type { ReadySnapshot, SnapshotGroup } from './snapshot/ready-snapshot.ts';
export {
  chooseVolumeSnapshotClass,
  type SnapshotClassChoice,
  type SnapshotClassQuery,
} from './snapshot/snapshot-class.ts';
export type { SnapshotSession } from './snapshot/snapshot-session.ts';
export type { TakeGroupSnapshotRequest } from './snapshot/take-group-snapshot.ts';
export type {
  SnapshotDelayListener,
  SnapshotDetails,
  SnapshotStateListener,
  TakeSnapshotRequest,
} from './snapshot/take-snapshot-request.ts';
export type { GroupMember } from './snapshot/taken-group-snapshot.ts';
export {
  type SnapshotSessionRequest,
  VolumeSnapshotter,
  type VolumeSnapshotterOptions,
} from './snapshot/volume-snapshotter.ts';
export { type DelayedSignal, delayedSignal } from './stores/delayed-signal.ts';
export { DrivenObjectStore, type DrivenObjectStoreOptions } from './stores/driven-object-store.ts';
export {
  FileSystemObjectStore,
  type FileSystemObjectStoreOptions,
} from './stores/file-system-object-store.ts';
export { type FinalRequestOptions, finalRequest } from './stores/final-request.ts';
export { holdsBytes, type ReadableObject } from './stores/holds-bytes.ts';
export { LocationConfig } from './stores/location-config.ts';
export { MemoryObjectStore, type MemoryObjectStoreOptions } from './stores/memory-object-store.ts';
export type {
  DriverPutOptions,
  ListPage,
  ListPageOptions,
  ObjectStoreDriver,
  StoreFailure,
  UploadPage,
  UploadsDriver,
} from './stores/object-store-driver.ts';
export { type BodyPart, partsOf } from './stores/parts-of.ts';
export { readonlyObjectStore } from './stores/readonly-object-store.ts';
export { type RetryOptions, retryingObjectStore } from './stores/retrying-object-store.ts';
export { type UploadPartsOptions, uploadParts } from './stores/upload-parts.ts';
