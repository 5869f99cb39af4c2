import type { HookCall } from './hook.ts';
import type { Issue } from './issue.ts';
import type { JsonPatchOperation } from './json-patch-of.ts';
import type { ResourceIdentifier, StringMap } from './kubernetes.ts';
import type { ResourceModifiers } from './resource-modifiers.ts';
import type { Restore } from './restore.ts';

/** What would be done about an object. */
export type PlannedRestoreAction =
  | 'create'
  /** It exists and differs: it is patched. */
  | 'update'
  /** It exists and differs: it is deleted and created again. */
  | 'recreate'
  /** It is there already and the same, or it is not wanted. */
  | 'skip'
  /** It exists and differs, and is left as it is, with a warning. */
  | 'conflict'
  /** It is wanted and cannot be created. */
  | 'blocked'
  /** The backup does not have it: it is deleted, after everything was restored. Only with `existingObjects: 'rollback'`. */
  | 'delete';

/** What a step on the way changed of an object. */
export interface PlannedTransform {
  /** The item action, resource modifier or transform. */
  readonly step: string;
  /** RFC 6902. Of a Secret the values are left out. */
  readonly patch: readonly JsonPatchOperation[];
}

/** What would become of one object of a backup. */
export interface PlannedRestoreItem {
  /** As the backup has it, or would have it. */
  readonly source: ResourceIdentifier;
  /** As it would be in the target. */
  readonly target: ResourceIdentifier;
  readonly apiVersion: string;
  readonly kind: string;
  readonly action: PlannedRestoreAction;
  /** Reason of the issue that a restore would have of it: `ExistsAndDiffers`, `StorageClassMissing`, … */
  readonly code?: string;
  /** For people. */
  readonly reason?: string;
  /** The item action that asks for it, and for which object of the backup; present when it is not selected itself. */
  readonly askedForBy?: { readonly action: string; readonly object: ResourceIdentifier };
  readonly transforms: readonly PlannedTransform[];
  /** What would change of an object that exists, or would have to if it were not left alone. Of a Secret the values are left out. */
  readonly diff?: readonly JsonPatchOperation[];
  /** Which object exists; present when it is not to be skipped. */
  readonly live?: { readonly uid: string; readonly resourceVersion: string };
  /** It stands in the target alone; with `existingObjects: 'rollback'` it is to be deleted, or skipped because something protects it. */
  readonly isMissingInBackup?: boolean;
  /** With `dryRun: 'server'`: whether the API server could be asked. */
  readonly isCheckedByServer?: boolean;
}

/** Objects that are restored at the same time, in the order of the waves. */
export interface PlannedWave {
  readonly name: string;
  readonly resources: readonly string[];
}

/** How the volume of a claim would come back. */
export interface PlannedRestoreVolume {
  /** In the target. */
  readonly namespace: string;
  readonly claimName: string;
  /**
   * `snapshot`: from the storage snapshot. `same volume`: the PersistentVolume of the backup is restored and bound again. `new volume`:
   * empty. `as it stands`: the claim had no volume. `existing`: the claim is there and its volume is not touched. `out of reach`: not
   * at all.
   */
  readonly from:
    | 'snapshot'
    | 'same volume'
    | 'new volume'
    | 'as it stands'
    | 'existing'
    | 'out of reach';
  readonly storageClassName?: string;
  readonly driver?: string;
  readonly snapshotHandle?: string;
  readonly volumeName?: string;
  /** What there is to say about it, for people. */
  readonly message?: string;
}

/** Something that the target lacks. */
export interface MissingInTarget {
  readonly what:
    | 'StorageClass'
    | 'VolumeSnapshotClass'
    | 'CSIDriver'
    | 'SnapshotAPI'
    /** A resource: its CustomResourceDefinition or its aggregated API is missing. */
    | 'Resource'
    /** The resource is served, but not in the version that the backup has it in. */
    | 'APIVersion';
  readonly name: string;
  /** How many objects need it. */
  readonly count: number;
  /** Some of them. */
  readonly neededBy: readonly ResourceIdentifier[];
}

/**
 * What a restore would do, as a JSON value: it survives `JSON.stringify` and `JSON.parse` unchanged, and `Engine.restore` carries
 * it out. It holds names, decisions and patches, never whole objects.
 */
export interface RestorePlan {
  readonly kind: 'RestorePlan';
  /** The restore that would be made: its name, and its spec with defaults filled in. */
  readonly restore: Restore;
  readonly backup: {
    readonly name: string;
    /** SHA-256 of the archive. */
    readonly digest: string;
  };
  /** The options that the plan was made with and that decide something. */
  readonly options: {
    readonly existingObjects?: 'recreate' | 'rollback';
    readonly resourcePriorities?: readonly string[];
    readonly dryRun?: 'server';
    readonly only?: readonly ResourceIdentifier[];
    readonly storageClassMapping?: StringMap;
    readonly imageMapping?: StringMap;
    readonly nodeMapping?: StringMap;
    readonly claimNameMapping?: StringMap;
    readonly veleroPluginConfig?: boolean;
    readonly resourceModifiers?: ResourceModifiers | string;
  };
  readonly waves: readonly PlannedWave[];
  /** In the order of the waves; after them what the backup does not have, in the order in which it is deleted. */
  readonly items: readonly PlannedRestoreItem[];
  /** How many items have each action. */
  readonly counts: Readonly<Record<PlannedRestoreAction, number>>;
  readonly volumes: readonly PlannedRestoreVolume[];
  readonly missing: readonly MissingInTarget[];
  /**
   * The commands that would be run in pods once their containers have started, sorted by namespace and pod. One that could not be run
   * is an issue; init containers that hooks add are among the transforms of their pod.
   */
  readonly hooks: readonly HookCall[];
  /** The phase in which the restore would end if nothing happens that cannot be known beforehand. */
  readonly phase: 'Completed' | 'PartiallyFailed';
  /** The warnings and errors that can be known beforehand. */
  readonly issues: readonly Issue[];
}
