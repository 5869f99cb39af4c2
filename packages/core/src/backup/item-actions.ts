import type { Backup } from '../model/backup.ts';
import { compareCodePoints } from '../model/json.ts';
import {
  type GroupVersionResource,
  groupResourceOf,
  identifierOf,
  type KubernetesObject,
  type ObjectReference,
} from '../model/kubernetes.ts';
import type { ItemOperations } from '../operations/item-operations.ts';
import type { Cluster } from '../ports/cluster.ts';
import type {
  BackupItemAction,
  BackupItemOutput,
  BackupItemPurpose,
  VolumeDemand,
} from '../ports/item-action.ts';
import type { ItemOperation } from '../ports/item-operation.ts';
import { type BackupOperationOrigin, refuseOperation } from './backup-operations.ts';
import type { BackupRecord } from './backup-record.ts';
import type { ItemUpdates } from './item-updates.ts';
import { unmetDemands, type VolumeDemands } from './volume-demands.ts';

/** What {@link ItemActions} work with. */
export interface ItemActionsOptions {
  readonly actions: readonly BackupItemAction[];
  /** Those of them that may take long. @default none */
  readonly slowActions?: readonly BackupItemAction[] | undefined;
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
  /** Whether the object is stored although the filters leave it out. @default false */
  readonly mustInclude?: boolean | undefined;
}

/** How {@link ItemActions.run} is to be done. */
export interface RunActionsOptions {
  /** Whether the object is read again after the operations. @default false */
  readonly updating?: boolean | undefined;
  /** Resolves when it is the object's turn: nothing that actions ask for is done before. Never rejects. */
  readonly untilTurn: () => Promise<unknown>;
  /** Told beforehand of what will be pulled along. */
  readonly beginPull: (pull: Pull) => void;
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
  readonly #slowActions: readonly BackupItemAction[];
  /** Those that apply to a resource, by its name and group. */
  readonly #applying = new Map<string, readonly BackupItemAction[]>();

  constructor(options: ItemActionsOptions) {
    this.#options = options;
    this.#slowActions = options.slowActions ?? [];
    this.#actions = options.actions.toSorted((left, right) =>
      compareCodePoints(left.name, right.name),
    );
  }

  /** Whether there are actions that may take long. */
  get mayTakeLong(): boolean {
    return this.#slowActions.length > 0;
  }

  /** Whether actions may take long for objects of a resource. */
  takesLong(resource: GroupVersionResource): boolean {
    return this.#slowActions.some((action) => appliesTo(action, resource));
  }

  /**
   * Runs the actions that apply to an object in order of name, each followed by what it pulls along. `undefined` when one keeps the
   * object out of the backup; those after it are not run.
   */
  async run(
    reference: ObjectReference,
    object: KubernetesObject,
    options: RunActionsOptions,
  ): Promise<ActedOnItem | undefined> {
    const { backup, cluster, record, demands, signal } = this.#options;
    const { updating = false, untilTurn } = options;
    const purpose = this.#purposeOf(updating);
    let volumeDemands = updating ? [] : await demands.of(reference, object);
    let item = object;
    let handledBy: string | undefined;
    for (const action of this.#actionsFor(reference)) {
      const input = { item, purpose, volumeDemands, backup, cluster, signal };
      const output = await action.execute(input);
      const origin = { reference, action: action.name };
      if (output.skip !== undefined) {
        await this.#skip(output, output.skip, origin, options);
        return undefined;
      }
      item = output.item ?? item;
      const open = stillOpen(volumeDemands, output.handledVolumes);
      handledBy = open.length < volumeDemands.length ? action.name : handledBy;
      volumeDemands = open;
      if (asksForSomething(output)) {
        await this.#carryOut(output, origin, options);
      }
    }
    const unmet = unmetDemands(reference, object, volumeDemands);
    if (unmet.length > 0) {
      await untilTurn();
    }
    for (const issue of unmet) {
      record.addIssue(issue);
    }
    return { item, handledBy };
  }

  #actionsFor(reference: ObjectReference): readonly BackupItemAction[] {
    const key = groupResourceOf(reference);
    let applying = this.#applying.get(key);
    if (applying === undefined) {
      applying = this.#actions.filter((action) => appliesTo(action, reference));
      this.#applying.set(key, applying);
    }
    return applying;
  }

  /** Keeps an object out. What was begun for it goes on all the same: dropped here, nobody would ever cancel it. */
  async #skip(
    { issues, operation }: BackupItemOutput,
    reason: string,
    origin: BackupOperationOrigin,
    options: RunActionsOptions,
  ): Promise<void> {
    await this.#carryOut({ issues, operation }, origin, options);
    const { reference, action } = origin;
    this.#options.record.addSkipped({ ...identifierOf(reference), action, reason });
  }

  /** Does what an action asks for, when it is its object's turn. */
  async #carryOut(
    {
      issues,
      operation,
      additionalItems = [],
      mustIncludeAdditionalItems: mustInclude,
    }: BackupItemOutput,
    origin: BackupOperationOrigin,
    { updating = false, untilTurn, beginPull, pullAlong }: RunActionsOptions,
  ): Promise<void> {
    const { reference: parent, action } = origin;
    const pulls = additionalItems.map((reference) => ({ reference, parent, action, mustInclude }));
    // Whoever begins has to pull along: an operation may be refused before that.
    for (const pull of operation === undefined ? pulls : []) {
      beginPull(pull);
    }
    await untilTurn();
    for (const issue of issues ?? []) {
      this.#options.record.addIssue(issue);
    }
    if (operation !== undefined) {
      await this.#begin(operation, origin, this.#purposeOf(updating));
    }
    const failures: unknown[] = [];
    for (const pull of pulls) {
      await pullAlong(pull).catch((error: unknown) => failures.push(error));
    }
    if (failures.length > 0) {
      throw failures[0];
    }
  }

  #purposeOf(updating: boolean): BackupItemPurpose {
    return this.#options.operations === undefined ? 'plan' : updating ? 'update' : 'backup';
  }

  async #begin(
    operation: ItemOperation,
    origin: BackupOperationOrigin,
    purpose: BackupItemPurpose,
  ): Promise<void> {
    const { operations, updates } = this.#options;
    if (purpose === 'update' && operations !== undefined) {
      await refuseOperation(operations, operation, origin);
    }
    // Before anything can fail: whatever becomes of the object, it has begun.
    operations?.begin(operation, origin);
    for (const reference of operation.itemsToUpdate ?? []) {
      updates.add({ reference, parent: origin.reference, action: origin.action });
    }
  }
}

function appliesTo(
  { appliesTo: { resources } }: BackupItemAction,
  of: Pick<GroupVersionResource, 'group' | 'resource'>,
): boolean {
  return resources === undefined || resources.includes(groupResourceOf(of));
}

function asksForSomething({ issues, operation, additionalItems }: BackupItemOutput): boolean {
  return (
    operation !== undefined ||
    (issues !== undefined && issues.length > 0) ||
    (additionalItems !== undefined && additionalItems.length > 0)
  );
}

function stillOpen(
  demands: readonly VolumeDemand[],
  handled: readonly VolumeDemand[] | undefined,
): readonly VolumeDemand[] {
  return handled === undefined
    ? demands
    : demands.filter(
        ({ volumeName }) => !handled.some((demand) => demand.volumeName === volumeName),
      );
}
