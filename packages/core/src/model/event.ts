import type { HookEvent } from './hook.ts';
import type { Issue } from './issue.ts';
import type { ResourceIdentifier } from './kubernetes.ts';
import type { VolumeGroup } from './volume-group.ts';

/** Where a volume snapshot stands; see docs/concepts.md for the states. */
export type SnapshotState =
  | 'Requested'
  | 'Bound'
  | 'HandleAssigned'
  | 'ReadyToUse'
  | 'Detached'
  | 'Failed';

/** What happens to a volume's snapshot while a backup runs. */
export interface SnapshotEvent {
  readonly type: 'snapshot';
  readonly state: SnapshotState;
  /** The claim that is being snapshotted. */
  readonly namespace: string;
  readonly claimName: string;
  readonly driver: string;
  readonly volumeSnapshotName?: string | undefined;
  readonly volumeSnapshotContentName?: string | undefined;
  readonly snapshotHandle?: string | undefined;
}

/** Why a snapshot does not come; docs/guides/csi-snapshots.md says what each means and what to do. */
export type SnapshotDelayCause =
  /** Nothing has touched the VolumeSnapshot. */
  | 'ControllerMissing'
  /** The snapshot-controller says why it makes no VolumeSnapshotContent. */
  | 'ControllerRefuses'
  /** The snapshot-controller has seen the VolumeSnapshot and is not done with it. */
  | 'ControllerBusy'
  /** The cluster has no CSIDriver object of that name. */
  | 'DriverMissing'
  /** Nothing has touched the VolumeSnapshotContent. */
  | 'SidecarMissing'
  | 'DriverWithoutSnapshots'
  | 'DriverUnavailable'
  | 'RateLimited'
  | 'QuotaExceeded'
  | 'DriverFails'
  /** The driver was called and has not answered, or the storage is not done. */
  | 'StorageBusy';

/** A snapshot that the storage has not cut yet, and why; the backup goes on waiting. */
export interface SnapshotDelayedEvent {
  readonly type: 'snapshotDelayed';
  readonly cause: SnapshotDelayCause;
  /** What is the matter and what to do, for people. */
  readonly message: string;
  /** The claim that is being snapshotted. */
  readonly namespace: string;
  readonly claimName: string;
  readonly driver: string;
  readonly volumeSnapshotName?: string | undefined;
  readonly volumeSnapshotContentName?: string | undefined;
}

/** What happens to an operation that an item action has begun. */
export interface ItemOperationEvent {
  readonly type: 'itemOperation';
  /** `InProgress` when there is something new to tell; `Cancelled` when the backup is undone, or the restore is aborted or fails. */
  readonly state: 'Started' | 'InProgress' | 'Completed' | 'Failed' | 'Cancelled';
  /** The name of the action. */
  readonly action: string;
  readonly operationId: string;
  /** The object that the action was run for. */
  readonly object: ResourceIdentifier;
  readonly completed?: number | undefined;
  readonly total?: number | undefined;
  readonly unit?: string | undefined;
  readonly description?: string | undefined;
  /** Why it failed. */
  readonly message?: string | undefined;
}

/** What a backup reports while it runs. Events are ordered per item; `progress` never goes back. */
export type BackupEvent =
  | {
      readonly type: 'phase';
      readonly phase:
        | 'Claiming'
        | 'Collecting'
        | 'WaitingForSnapshots'
        /** Only when an item action has begun an operation. */
        | 'WaitingForItemOperations'
        | 'Finalizing';
    }
  | { readonly type: 'progress'; readonly done: number; readonly total?: number | undefined }
  | {
      readonly type: 'item';
      readonly object: ResourceIdentifier;
      /** `skipped`: an item action keeps it out. */
      readonly action: 'stored' | 'skipped';
      /** The action and why it skips the object, for people. */
      readonly reason?: string | undefined;
    }
  | { readonly type: 'uploaded'; readonly key: string }
  | { readonly type: 'issue'; readonly issue: Issue }
  /** The snapshots of a volume group are cut, or its claims will be snapshotted one by one. */
  | { readonly type: 'volumeGroup'; readonly group: VolumeGroup }
  | HookEvent
  | ItemOperationEvent
  | SnapshotEvent
  | SnapshotDelayedEvent;

/** What the planning of a backup reports. `progress` counts the objects that would go in, and never goes back. */
export type PlanEvent = Extract<BackupEvent, { readonly type: 'progress' | 'issue' }>;

/** What a restore did with one object. */
export type RestoreAction = 'created' | 'updated' | 'recreated' | 'deleted' | 'skipped' | 'failed';

/** What became of one object in a restore. */
export interface RestoredItem {
  /** As it is in the target. */
  readonly object: ResourceIdentifier;
  readonly action: RestoreAction;
  /** For people; absent when there is nothing to say. */
  readonly reason?: string | undefined;
}

/** What a restore reports while it runs. Events are ordered per item; `progress` never goes back. */
export type RestoreEvent =
  | {
      readonly type: 'phase';
      readonly phase:
        | 'Reading'
        | 'Restoring'
        /** Only when an item action has begun an operation. */
        | 'WaitingForItemOperations'
        | 'WaitingForClaims'
        /** Only of a rollback: what the backup does not have goes. */
        | 'Deleting'
        | 'Finalizing';
    }
  /** The objects of these resources come next, all at the same time; those of namespaces that are still being deleted follow later. */
  | { readonly type: 'wave'; readonly name: string; readonly resources: readonly string[] }
  | { readonly type: 'progress'; readonly done: number; readonly total?: number | undefined }
  | ({ readonly type: 'item' } & RestoredItem)
  | {
      readonly type: 'claim';
      readonly namespace: string;
      readonly claimName: string;
      readonly state: 'Bound' | 'WaitingForFirstConsumer';
    }
  | { readonly type: 'issue'; readonly issue: Issue }
  | HookEvent
  | ItemOperationEvent;

/** What the planning of a restore reports. `progress` counts the objects that were decided about, and never goes back. */
export type RestorePlanEvent = Extract<
  RestoreEvent,
  { readonly type: 'wave' | 'progress' | 'issue' }
>;

/** What the deletion of backups reports while it runs. */
export type DeletionEvent =
  | {
      readonly type: 'phase';
      readonly backupName: string;
      readonly phase: 'Inspecting' | 'ReleasingSnapshots' | 'DeletingFiles';
    }
  | {
      readonly type: 'snapshot';
      readonly backupName: string;
      readonly driver: string;
      readonly snapshotHandle: string;
      readonly state: 'Released' | 'NotFound' | 'Shared' | 'Failed';
      /** Why it failed. */
      readonly message?: string | undefined;
    }
  | { readonly type: 'issue'; readonly backupName: string; readonly issue: Issue }
  /** Only from `expire`: what became of an expired backup. */
  | {
      readonly type: 'backup';
      readonly backupName: string;
      readonly outcome: 'deleted' | 'wouldBeDeleted' | 'kept' | 'failed';
    };
