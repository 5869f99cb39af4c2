import { isLifeboatError } from '../errors.ts';
import type { Issue } from '../model/issue.ts';
import { groupResourceOf, type ResourceIdentifier } from '../model/kubernetes.ts';
import { Resources } from '../model/resources.ts';
import type { Cluster } from '../ports/cluster.ts';
import type { AfterCreation, ExistingItem } from './after-creation.ts';
import type { SpooledEntry } from './backup-entries.ts';
import type { ClaimRestorer } from './claim-restorer.ts';
import {
  type DecidedItem,
  failureOf,
  type ItemDecider,
  type WritableItem,
} from './item-decider.ts';
import type { HandledItem } from './item-handler.ts';
import type { ItemOutcome, ItemWriter } from './item-writer.ts';
import type { LiveObject } from './live-objects.ts';
import type { BlockedItem } from './prepare-item.ts';
import type { RestoreRecord } from './restore-record.ts';

/** What an {@link ItemRestorer} works with. */
export interface ItemRestorerOptions {
  readonly cluster: Cluster;
  readonly decider: ItemDecider;
  readonly writer: ItemWriter;
  readonly claims: Pick<ClaimRestorer, 'create'>;
  /** Done with each object that was created, in this order. */
  readonly afterCreation: readonly AfterCreation[];
  /** Told of each object that was there already, and is the same or was made so. */
  readonly onExisting: (item: ExistingItem) => void;
  readonly record: RestoreRecord;
}

const persistentVolumeClaims = groupResourceOf(Resources.persistentVolumeClaims);

/**
 * Restores one object after another, as it was decided. What fails for one object becomes an issue of that object. Calls may run
 * concurrently.
 */
export class ItemRestorer {
  readonly #options: ItemRestorerOptions;

  constructor(options: ItemRestorerOptions) {
    this.#options = options;
  }

  /** Restores an entry of the backup and says what became of it. Rejects only when aborted. */
  async restore(entry: SpooledEntry, live: LiveObject, signal: AbortSignal): Promise<HandledItem> {
    const { decider, record } = this.#options;
    const decided = await decider.decide(entry, live, signal);
    decided.issues.forEach((issue) => record.addIssue(issue));
    let outcome: ItemOutcome;
    try {
      outcome = await this.#apply(decided, signal);
      await this.#afterCreation(decided, outcome, signal);
    } catch (error) {
      signal.throwIfAborted();
      outcome = failed(decided.target, failureOf(error));
    }
    if (outcome.issue !== undefined) {
      record.addIssue(outcome.issue);
    }
    if (decided.object !== undefined) {
      record.addOutcome(decided.target, decided.object, outcome.action, outcome.reason);
    }
    record.addDone();
    const { action } = outcome;
    const isThere = action !== 'failed' && decided.item !== undefined;
    return { action, target: isThere ? decided.target : undefined };
  }

  async #apply(decided: DecidedItem, signal: AbortSignal): Promise<ItemOutcome> {
    const { writer } = this.#options;
    const { decision, target, item } = decided;
    switch (decision.action) {
      case 'blocked':
        return failed(target, decision.blocked);
      case 'conflict': {
        const { code: reason, reason: message } = decision;
        const issue: Issue = { severity: 'warning', reason, message, object: target };
        return { action: 'skipped', reason: message, issue };
      }
      case 'skip':
        this.#tellExisting(decided);
        return writer.skip(item?.reference, decision, signal);
      default:
        break;
    }
    if (!hasManifest(decided)) {
      throw new TypeError(`nothing was prepared for ${target.name}, which is to be written`);
    }
    const { reference, manifest } = decided.item;
    switch (decision.action) {
      case 'create':
        return this.#create(decided, signal);
      case 'update':
        this.#tellExisting(decided);
        return writer.update(reference, decision, signal);
      case 'recreate':
        return writer.recreate(reference, manifest, decision, signal);
    }
  }

  /** Creates an object; when there is one of that name after all, decides again. */
  async #create(decided: WritableItem, signal: AbortSignal): Promise<ItemOutcome> {
    const { cluster, decider, writer, claims } = this.#options;
    const { reference, manifest, source } = decided.item;
    try {
      if (source !== undefined && decided.entry.groupResource === persistentVolumeClaims) {
        return await claims.create(reference, manifest, source, signal);
      }
      return { action: 'created', created: await writer.create(reference, manifest, signal) };
    } catch (error) {
      // A Service whose node port is taken is refused as Invalid, even if it is taken by that very Service.
      if (!isLifeboatError(error, 'AlreadyExists') && !isLifeboatError(error, 'Invalid')) {
        throw error;
      }
      const live = await cluster.get(reference, { signal });
      if (live === undefined) {
        throw error;
      }
      const again = decider.redecide({ ...decided, item: { ...decided.item, live } });
      return this.#apply(again, signal);
    }
  }

  #tellExisting({ object, item }: DecidedItem): void {
    if (object !== undefined && item?.live !== undefined) {
      const { reference, live } = item;
      this.#options.onExisting({ reference, existing: live, itemFromBackup: object });
    }
  }

  async #afterCreation(
    { entry, target, object, item }: DecidedItem,
    { created }: ItemOutcome,
    signal: AbortSignal,
  ): Promise<void> {
    if (created === undefined || object === undefined || item === undefined) {
      return;
    }
    const { afterCreation, record } = this.#options;
    const { reference } = item;
    for (const step of afterCreation) {
      try {
        const issues = await step({ reference, created, entry, itemFromBackup: object }, signal);
        issues.forEach((issue) => record.addIssue(issue));
      } catch (error) {
        signal.throwIfAborted();
        const { issue } = failed(target, failureOf(error));
        if (issue !== undefined) {
          record.addIssue(issue);
        }
      }
    }
  }
}

function hasManifest(decided: DecidedItem): decided is WritableItem {
  return decided.object !== undefined && decided.item !== undefined;
}

function failed(
  object: ResourceIdentifier,
  { reason, message, severity = 'error' }: BlockedItem,
): ItemOutcome {
  return {
    action: 'failed',
    reason: message,
    issue: severity === 'none' ? undefined : { severity, reason, message, object },
  };
}
