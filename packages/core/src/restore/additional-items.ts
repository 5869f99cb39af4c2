import type { RestoreAction } from '../model/event.ts';
import type { Issue } from '../model/issue.ts';
import { describeObject, type ResourceIdentifier } from '../model/kubernetes.ts';
import type { BackupContents, SpooledEntry } from './backup-contents.ts';
import type { ItemSelection } from './item-selection.ts';
import type { ItemHandler } from './restore-items.ts';
import type { RestoreRecord } from './restore-record.ts';

/** Which action asked for an object, and for the sake of which one. Names are those of the backup. */
export interface AdditionalItemReason {
  readonly action: string;
  readonly object: ResourceIdentifier;
}

/** What {@link AdditionalItems} works with. */
export interface AdditionalItemsOptions {
  readonly contents: Pick<BackupContents, 'find'>;
  readonly selection: Pick<ItemSelection, 'letsIn'>;
  /** Turns a resource as a user names it into its group resource. */
  readonly canonicalName: (name: string) => string;
  /** What is restored anyway. */
  readonly entries: ReadonlySet<SpooledEntry>;
  /** What an entry cannot be restored without. */
  readonly neededBy: (entry: SpooledEntry) => Promise<readonly SpooledEntry[]>;
  readonly handler: ItemHandler;
  readonly record: Pick<RestoreRecord, 'expect'>;
}

const definitions = 'customresourcedefinitions.apiextensions.k8s.io';

/**
 * A handler that handles every entry once, and on request some before others: what the item actions of one object ask for is handled
 * before that object goes on, whatever labels are asked for. Of what the other filters leave out nothing is handled.
 *
 * Objects that ask for each other do not wait for each other: the one that would close the circle goes on.
 */
export class AdditionalItems implements ItemHandler {
  readonly #options: AdditionalItemsOptions;
  readonly #handled = new Map<SpooledEntry, RestoreAction | Promise<RestoreAction>>();
  /** Entry → the one that it waits for. */
  readonly #waiting = new Map<SpooledEntry, SpooledEntry>();
  readonly #reasons = new Map<SpooledEntry, AdditionalItemReason>();

  constructor(options: AdditionalItemsOptions) {
    this.#options = options;
  }

  ensureNamespace(namespace: string, signal: AbortSignal): Promise<boolean> {
    return this.#options.handler.ensureNamespace(namespace, signal);
  }

  isNew(targetNamespace: string): boolean {
    return this.#options.handler.isNew(targetNamespace);
  }

  definitionsHandled(
    ...args: Parameters<ItemHandler['definitionsHandled']>
  ): ReturnType<ItemHandler['definitionsHandled']> {
    return this.#options.handler.definitionsHandled(...args);
  }

  async handle(...args: Parameters<ItemHandler['handle']>): Promise<RestoreAction> {
    const [entry] = args;
    const known = this.#handled.get(entry);
    if (known !== undefined) {
      return known;
    }
    const handling = this.#options.handler.handle(...args);
    this.#handled.set(entry, handling);
    const action = await handling;
    this.#handled.set(entry, action);
    return action;
  }

  /** Why an entry is restored that was not selected. */
  reasonOf(entry: SpooledEntry): AdditionalItemReason | undefined {
    return this.#reasons.get(entry);
  }

  /** Handles what an action has asked for on behalf of an entry that is being handled; resolves with what there is to say. */
  async restoreBefore(
    entry: SpooledEntry,
    items: readonly ResourceIdentifier[],
    action: string,
    signal: AbortSignal,
  ): Promise<readonly Issue[]> {
    const { contents, selection, canonicalName } = this.#options;
    const { record: _place, selected: _selected, ...object } = entry;
    const issues: Issue[] = [];
    for (const named of items) {
      const item = { ...named, groupResource: canonicalName(named.groupResource) };
      if (!selection.letsIn(item)) {
        continue;
      }
      const found = contents.find(item);
      if (found === undefined) {
        const message = `item action ${action} asks for ${describeObject(item)} to be restored before it, which the backup does not hold; it is restored without`;
        issues.push({ severity: 'warning', reason: 'AdditionalItemMissing', message, object });
        continue;
      }
      await this.#handleBefore(entry, found, { action, object }, signal);
    }
    return issues;
  }

  async #handleBefore(
    entry: SpooledEntry,
    additional: SpooledEntry,
    reason: AdditionalItemReason,
    signal: AbortSignal,
  ): Promise<void> {
    if (this.#waitsFor(additional, entry)) {
      return;
    }
    this.#waiting.set(entry, additional);
    try {
      await this.#handleAdditional(additional, reason, signal);
    } finally {
      this.#waiting.delete(entry);
    }
  }

  async #handleAdditional(
    entry: SpooledEntry,
    reason: AdditionalItemReason,
    signal: AbortSignal,
  ): Promise<void> {
    const { entries, handler, record, neededBy } = this.#options;
    if (entry.groupResource === 'namespaces') {
      await handler.ensureNamespace(entry.name, signal);
      return;
    }
    if (!entries.has(entry) && !this.#handled.has(entry)) {
      this.#reasons.set(entry, reason);
      record.expect(1);
      for (const needed of await neededBy(entry)) {
        await this.#handleBefore(entry, needed, reason, signal);
      }
    }
    const action = await this.handle(entry, 'unknown', signal);
    if (entry.groupResource === definitions && action !== 'failed') {
      const changed = action === 'skipped' ? [] : [entry.name];
      await handler.definitionsHandled({ changed, names: [entry.name] }, signal);
    }
  }

  #waitsFor(entry: SpooledEntry, other: SpooledEntry): boolean {
    for (let at: SpooledEntry | undefined = entry; at !== undefined; at = this.#waiting.get(at)) {
      if (at === other) {
        return true;
      }
    }
    return false;
  }
}
