import type { Backup } from '../model/backup.ts';
import { compareCodePoints } from '../model/json.ts';
import {
  groupResourceOf,
  type KubernetesObject,
  type ObjectReference,
} from '../model/kubernetes.ts';
import type { Cluster } from '../ports/cluster.ts';
import type { BackupItemAction, BackupItemPurpose, VolumeDemand } from '../ports/item-action.ts';
import type { ItemOperation } from '../ports/item-operation.ts';
import type { BackupRecord } from './backup-record.ts';
import type { ItemOperations } from './item-operations.ts';
import type { ItemUpdates } from './item-updates.ts';
import { unmetDemands, type VolumeDemands } from './volume-demands.ts';

/** What {@link ItemActions} work with. */
export interface ItemActionsOptions {
  readonly actions: readonly BackupItemAction[];
  readonly backup: Backup;
  readonly cluster: Cluster;
  readonly record: BackupRecord;
  readonly demands: VolumeDemands;
  readonly updates: ItemUpdates;
  /** Follows what actions begin. Absent: a backup is planned. */
  readonly operations?: ItemOperations | undefined;
  readonly signal: AbortSignal;
}

/** An action pulls an object along for the sake of another. */
export interface Pull {
  readonly reference: ObjectReference;
  readonly parent: ObjectReference;
  /** Its name. */
  readonly action: string;
}

/** How {@link ItemActions.run} is to be done. */
export interface RunActionsOptions {
  /** Whether the object is read again after the operations. @default false */
  readonly updating?: boolean | undefined;
  readonly pullAlong: (pull: Pull) => Promise<void>;
}

/** What actions made of an object. */
export interface ActedOnItem {
  readonly item: KubernetesObject;
  /** The name of the action that saves the data of the claim, as was asked for. */
  readonly handledBy: string | undefined;
}

/** The item actions of one backup. */
export class ItemActions {
  readonly #options: ItemActionsOptions;
  readonly #actions: readonly BackupItemAction[];

  constructor(options: ItemActionsOptions) {
    this.#options = options;
    this.#actions = options.actions.toSorted((left, right) =>
      compareCodePoints(left.name, right.name),
    );
  }

  /** Runs the actions that apply to an object in order of name, each followed by what it pulls along. */
  async run(
    reference: ObjectReference,
    object: KubernetesObject,
    { updating = false, pullAlong }: RunActionsOptions,
  ): Promise<ActedOnItem> {
    const { backup, cluster, record, demands, operations, signal } = this.#options;
    const purpose: BackupItemPurpose =
      operations === undefined ? 'plan' : updating ? 'update' : 'backup';
    let volumeDemands = updating ? [] : await demands.of(reference, object);
    let item = object;
    let handledBy: string | undefined;
    for (const action of this.#actions.filter((one) => appliesTo(one, reference))) {
      const output = await action.execute({
        ...{ item, purpose, volumeDemands, backup, cluster, signal },
      });
      item = output.item ?? item;
      for (const issue of output.issues ?? []) {
        record.addIssue(issue);
      }
      if (output.operation !== undefined) {
        await this.#begin(output.operation, { reference, action: action.name }, purpose);
      }
      const open = stillOpen(volumeDemands, output.handledVolumes ?? []);
      handledBy = open.length < volumeDemands.length ? action.name : handledBy;
      volumeDemands = open;
      for (const additional of output.additionalItems ?? []) {
        await pullAlong({ reference: additional, parent: reference, action: action.name });
      }
    }
    for (const issue of unmetDemands(reference, object, volumeDemands)) {
      record.addIssue(issue);
    }
    return { item, handledBy };
  }

  async #begin(
    operation: ItemOperation,
    origin: { readonly reference: ObjectReference; readonly action: string },
    purpose: BackupItemPurpose,
  ): Promise<void> {
    const { operations, updates } = this.#options;
    if (purpose === 'update') {
      await operations?.refuse(operation, origin);
    }
    // Before anything can fail: whatever becomes of the object, it has begun.
    operations?.begin(operation, origin);
    for (const reference of operation.itemsToUpdate ?? []) {
      updates.add({ reference, parent: origin.reference, action: origin.action });
    }
  }
}

function appliesTo({ appliesTo: { resources } }: BackupItemAction, of: ObjectReference): boolean {
  return resources === undefined || resources.includes(groupResourceOf(of));
}

function stillOpen(
  demands: readonly VolumeDemand[],
  handled: readonly VolumeDemand[],
): readonly VolumeDemand[] {
  return demands.filter(
    ({ volumeName }) => !handled.some((demand) => demand.volumeName === volumeName),
  );
}
