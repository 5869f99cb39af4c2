import type { BackupSpec } from './backup.ts';
import type { HookCall } from './hook.ts';
import type { Issue } from './issue.ts';
import type { ResourceIdentifier } from './kubernetes.ts';
import type { SkippedItem } from './skipped-item.ts';
import type { VolumeGroup } from './volume-group.ts';

/** Why an object would go into a backup. */
export type PlannedReason =
  | {
      /** The filters of the spec take it. */
      readonly type: 'selected';
      /** The entry of `includedNamespaces` that takes its namespace; absent for a cluster-scoped object. */
      readonly namespaces?: string | undefined;
      /** What takes its resource, for people: `includedResources: deploy`, `every namespaced resource`. */
      readonly resources: string;
      /** The first label selector that it matches; absent when the spec has none. */
      readonly labels?: string | undefined;
    }
  | {
      /** Another object cannot do without it. */
      readonly type: 'pulledAlong';
      readonly parent: ResourceIdentifier;
      /** Name of the item action that says so. */
      readonly action: string;
    }
  /** A Namespace of which objects go in, though nothing selects it for its own sake. */
  | { readonly type: 'namespaceOfItems' }
  /** A VolumeSnapshotClass, stored with the first snapshot that is made with it. */
  | { readonly type: 'snapshotClass' };

/** An object that would go into a backup. */
export interface PlannedItem extends ResourceIdentifier {
  readonly apiVersion: string;
  readonly kind: string;
  readonly reason: PlannedReason;
}

/** What would become of the volume of a claim. */
export type PlannedVolume = {
  readonly namespace: string;
  readonly claimName: string;
} & (
  | {
      readonly action: 'snapshot';
      /** The PersistentVolume. */
      readonly volumeName: string;
      readonly driver: string;
      readonly volumeSnapshotClass: string;
    }
  | {
      /** As part of one snapshot of all claims of a group. */
      readonly action: 'groupSnapshot';
      readonly volumeName: string;
      readonly driver: string;
      readonly group: string;
      readonly volumeGroupSnapshotClass: string;
    }
  | {
      /** The claim goes in without its data: a volume policy says so, or there is nothing to snapshot. */
      readonly action: 'skip';
      /** Of the warning; absent when a volume policy says so, of which there is nothing to warn. */
      readonly reason?: string | undefined;
      readonly message: string;
    }
  | {
      /** It should be snapshotted but cannot be: the claim would not be in the backup, with an error. */
      readonly action: 'fail';
      readonly message: string;
    }
);

/** Why a backup would be refused as a whole, as things stand. */
export interface PlanRefusal {
  /** Code of the error that it would reject with. */
  readonly code: 'AlreadyExists' | 'Unsupported';
  readonly message: string;
}

/**
 * What a backup would do, as a JSON value: it survives `JSON.stringify` and `JSON.parse` unchanged. It holds names, not objects, so
 * it grows with the number of objects only, by some hundred bytes for each.
 */
export interface BackupPlan {
  readonly backupName: string;
  /** As it would be stored: defaults filled in, excluded namespaces added. */
  readonly spec: BackupSpec;
  /** Why the backup would be refused, whatever else stands here; empty when it would be made. */
  readonly refusals: readonly PlanRefusal[];
  /**
   * The phase in which it would end if nothing happens that cannot be known beforehand. `Failed`: it would reject, because not one
   * object could be stored.
   */
  readonly phase: 'Completed' | 'PartiallyFailed' | 'Failed';
  /**
   * Every object that would go in, each once. The VolumeSnapshots and VolumeSnapshotContents that come with claims have no
   * names yet: there is a pair for each volume whose action is a snapshot.
   */
  readonly items: readonly PlannedItem[];
  /** The objects that item actions would keep out, in the order in which they would. */
  readonly skipped: readonly SkippedItem[];
  /** `<resource>` or `<resource>.<group>` → how many of the items, sorted by name. */
  readonly counts: Readonly<Record<string, number>>;
  /** What would become of the volume of every claim. */
  readonly volumes: readonly PlannedVolume[];
  readonly volumeGroups: readonly VolumeGroup[];
  /** The hooks that would be run in pods. A hook that could not be run is an issue. */
  readonly hooks: readonly HookCall[];
  /** The warnings and errors that can be known beforehand. */
  readonly issues: readonly Issue[];
}
