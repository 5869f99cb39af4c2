import type { ObjectReference } from '../model/kubernetes.ts';

/** What the functions of an {@link ItemOperation} are called with. */
export interface ItemOperationCall {
  /** Aborts when the call takes too long, or is of no use any more. */
  readonly signal: AbortSignal;
}

/** How far an {@link ItemOperation} is. Everything but `state` is for people, and for the files of the backup or restore. */
export interface ItemOperationProgress {
  readonly state: 'InProgress' | 'Completed' | 'Failed';
  /** Why it failed. */
  readonly message?: string | undefined;
  /** How much is done, in `unit`. */
  readonly completed?: number | undefined;
  /** How much there is to do, in `unit`. */
  readonly total?: number | undefined;
  /** What is counted: `Bytes`. */
  readonly unit?: string | undefined;
  /** What is going on. */
  readonly description?: string | undefined;
  /** When the work began. @default when the action returned the operation */
  readonly startedAt?: Date | undefined;
}

/**
 * Work that an item action has begun and that goes on while the backup or restore does: a copy of a volume, a dump of a database, its
 * import. The run is complete when all operations have ended (Velero: the asynchronous operations of item actions v2).
 *
 * - One that fails, or that has not ended within `spec.itemOperationTimeout` since it was begun, is an error of its object, and the
 *   run is PartiallyFailed.
 * - It lives in this process: after a crash nobody asks for it again. Whatever it makes elsewhere should carry the name and uid
 *   of the backup or restore, so that it can be found.
 */
export interface ItemOperation {
  /** What the action calls it; unique among its operations in one run. It stands in `<name>-itemoperations.json.gz`. */
  readonly id: string;
  /**
   * Objects that change with the operation; of backups alone. Each is stored once, as it stands when every operation of the backup has ended, instead of
   * when it is met, and whether or not the backup selects it; the object of the action itself can be one. Its actions run
   * then, with purpose `update`. One that was stored before the operation began, or whose volume is snapshotted, stays as it was, with a
   * warning; one that an action has kept out stays out. @default none
   */
  readonly itemsToUpdate?: readonly ObjectReference[] | undefined;
  /**
   * Says how far it is. Called at once and then every `itemOperations.pollIntervalMs`, never twice at a time, until it is Completed or
   * Failed. A call that rejects or takes longer than 30 seconds is repeated at the next turn; when none has succeeded for a minute, the
   * operation has failed and is cancelled.
   */
  progress(call: ItemOperationCall): Promise<ItemOperationProgress>;
  /**
   * Stops it and removes what it has made. Called when it has not ended in time or its progress is not known any more, and, unless it has
   * Failed, when the backup is undone, because of an abort or an error: then a Completed one is removed, too. Of a restore that is aborted or
   * fails, those are cancelled that have not ended. Called once at most, and waited for no longer than 15 seconds.
   */
  cancel(call: ItemOperationCall): Promise<void>;
}
