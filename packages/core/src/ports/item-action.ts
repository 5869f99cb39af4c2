import type { Backup } from '../model/backup.ts';
import type { Issue } from '../model/issue.ts';
import type { JsonObject } from '../model/json.ts';
import type {
  KubernetesManifest,
  KubernetesObject,
  ObjectReference,
  ResourceIdentifier,
} from '../model/kubernetes.ts';
import type { Restore } from '../model/restore.ts';
import type { Cluster } from './cluster.ts';
import type { ItemOperation } from './item-operation.ts';

/** Which objects an action is asked about. */
export interface ItemActionScope {
  /** `<resource>` or `<resource>.<group>`, exact; absent: every resource. */
  readonly resources?: readonly string[] | undefined;
}

/** What a backup action is asked for. */
export type BackupItemPurpose =
  /** The object goes into the backup. */
  | 'backup'
  /** A backup is planned: nothing may be changed or begun. An operation that is returned is not followed. */
  | 'plan'
  /** The object is read again, because an operation that asked for it has ended. No operation may be begun any more. */
  | 'update';

/**
 * Data that a volume policy, or an annotation of a pod, asks to be saved in a way that this engine knows nothing of. Nobody does so
 * unless an action does.
 */
export interface VolumeDemand {
  readonly type: 'fs-backup' | 'custom';
  /** `action.parameters` of the volume policy; empty when it has none, or an annotation asks. */
  readonly parameters: JsonObject;
  /** Who asks for it, for people: `volumePolicies[1] of the resource policy asks for custom`. */
  readonly reason: string;
  /** The entry of `spec.volumes` of a Pod; absent when the object is a claim. */
  readonly volumeName?: string | undefined;
}

/** What a backup action is given: an object as the API server sent it, after the actions before it. */
export interface BackupItemInput {
  readonly item: KubernetesObject;
  readonly purpose: BackupItemPurpose;
  /** What is asked for the claim, or for volumes that the Pod defines itself, and no action before has taken on; mostly empty. */
  readonly volumeDemands: readonly VolumeDemand[];
  readonly backup: Backup;
  readonly cluster: Cluster;
  readonly signal: AbortSignal;
}

/** What a backup action decides. */
export interface BackupItemOutput {
  /** The object to store. @default the object as it came in */
  readonly item?: KubernetesObject | undefined;
  /**
   * Do not store it, and why, for the result (Velero: the annotation `velero.io/skip-from-backup`). No later action is run for it, nothing
   * is done with the data of a claim, and nothing else of the output counts but the issues and the operation. What earlier actions have
   * pulled along stays in the backup. An object that was kept out is not asked for again, whatever refers to it.
   */
  readonly skip?: string | undefined;
  /** Objects to store too. One that does not exist is a warning. */
  readonly additionalItems?: readonly ObjectReference[] | undefined;
  /**
   * Whether these additional items are stored whatever the filters of the spec and of a resource policy, label selectors, the label
   * `velero.io/exclude-from-backup` and the predicate `include` say (Velero: the annotation `backup.velero.io/must-include-additional-items`).
   * One that is being deleted stays out. What they pull along in turn has to pass the filters, unless their actions say otherwise.
   * @default false
   */
  readonly mustIncludeAdditionalItems?: boolean | undefined;
  readonly issues?: readonly Issue[] | undefined;
  /** Work that goes on, which the backup waits for. It is followed even if the object is not stored in the end. */
  readonly operation?: ItemOperation | undefined;
  /** Those of `volumeDemands` that the action does: of these nobody is warned, and the volume information names the action. @default none */
  readonly handledVolumes?: readonly VolumeDemand[] | undefined;
}

/**
 * Changes objects on their way into a backup, or pulls others along. Actions run in order of name; one that rejects keeps
 * its object out of the backup and makes an error issue.
 */
export interface BackupItemAction {
  /** Unique, with the domain of its author: `example.com/strip-status`. */
  readonly name: string;
  readonly appliesTo: ItemActionScope;
  execute(input: BackupItemInput): Promise<BackupItemOutput>;
}

/** What a restore action is asked for. */
export type RestoreItemPurpose =
  /** The object is restored. */
  | 'restore'
  /**
   * A restore is planned, or a plan is held against the target before it is carried out: nothing may be changed or begun. An operation that
   * is returned is not followed.
   */
  | 'plan';

/** What a restore action is given. */
export interface RestoreItemInput {
  /** The object to create, after metadata reset and the actions before it; its namespace is still the one in the backup. */
  readonly item: KubernetesManifest;
  /** The object as the backup holds it, with its status. */
  readonly itemFromBackup: KubernetesObject;
  readonly purpose: RestoreItemPurpose;
  readonly targetNamespace: string | undefined;
  readonly restore: Restore;
  readonly backup: Backup;
  readonly cluster: Cluster;
  readonly signal: AbortSignal;
}

/** What {@link RestoreItemOutput.areAdditionalItemsReady} is asked with. */
export interface AdditionalItemsReadyInput {
  /** Those of the additional items that exist now, restored or there before, by their names in the target. */
  readonly additionalItems: readonly ResourceIdentifier[];
  /** Aborts when the restore does, or when the answer comes too late. */
  readonly signal: AbortSignal;
}

/** What a restore action decides. */
export interface RestoreItemOutput {
  /**
   * The object to create; it may be of another kind or API version than the one in the backup, if it belongs into a namespace as that one
   * does. @default the object as it came in
   */
  readonly item?: KubernetesManifest | undefined;
  /** Do not create it, and why, for the result. Nothing else of the output counts then but the issues and the operation. */
  readonly skip?: string | undefined;
  /**
   * Objects to restore before this one, by their names in the backup, as the restore would restore them: through their item actions, and
   * with what they need. Labels, `only` and `include` do not count for them; resources and namespaces that the spec leaves out stay out.
   *
   * - missing in the backup: the warning `AdditionalItemMissing`; the object is restored without it
   * - asked for more than once, or selected itself: restored once
   * - asking for each other, in a circle: each is restored, one of them before what it has asked for
   * - cannot be restored: has issues of its own; the object is restored nevertheless
   */
  readonly additionalItems?: readonly ResourceIdentifier[] | undefined;
  /**
   * Whether the additional items are ready for the object to be restored: asked when all of them were dealt with, then every second until
   * the answer is yes (Velero: `waitForAdditionalItems` and `AreAdditionalItemsReady`). The object waits beside others, as
   * `RestoreOptions.maximumWaitingObjects` says. Not asked in a plan. Absent: the object does not wait.
   *
   * - no answer in time, or it rejects: the error `AdditionalItemsNotReady`; the object is restored nevertheless, as Velero does
   */
  readonly areAdditionalItemsReady?:
    | ((input: AdditionalItemsReadyInput) => Promise<boolean>)
    | undefined;
  /** How long the object may wait for that answer, in milliseconds. @default 600000 */
  readonly additionalItemsReadyTimeoutMs?: number | undefined;
  /**
   * Work that goes on beside the restore, which waits for it before it ends (Velero: the asynchronous operations of RestoreItemAction v2).
   * It is followed even if the object is not created in the end; `itemsToUpdate` means nothing here.
   */
  readonly operation?: ItemOperation | undefined;
  readonly issues?: readonly Issue[] | undefined;
}

/**
 * Changes objects on their way out of a backup, keeps them from being restored, or has others restored first. Actions run in order of name; one that
 * rejects fails its object with an error issue.
 */
export interface RestoreItemAction {
  /** Unique, with the domain of its author: `example.com/change-ingress-host`. */
  readonly name: string;
  readonly appliesTo: ItemActionScope;
  execute(input: RestoreItemInput): Promise<RestoreItemOutput>;
}
