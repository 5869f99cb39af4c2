import type { AdaptivePool } from '../internal/adaptive-pool.ts';
import type { Issue } from '../model/issue.ts';
import { describeObject, type ResourceIdentifier } from '../model/kubernetes.ts';
import type { Clock } from '../ports/clock.ts';
import { awaitAdditionalItems } from './await-additional-items.ts';
import type { BackupContents } from './backup-contents.ts';
import type { SpooledEntry } from './backup-entries.ts';
import type { EntrySet } from './entry-set.ts';
import type { HandledItem, ItemHandler } from './item-handler.ts';
import type { ItemSelection } from './item-selection.ts';
import type { AdditionalItemsRequest } from './prepare-item.ts';
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
  readonly targetNamespaceOf: (namespace: string) => string;
  /** What is restored anyway. */
  readonly entries: Pick<EntrySet, 'has'>;
  /** What an entry cannot be restored without. */
  readonly neededBy: (entry: SpooledEntry) => Promise<readonly SpooledEntry[]>;
  readonly handler: ItemHandler;
  readonly record: Pick<RestoreRecord, 'expect'>;
  /** Has begun the work in which entries are handled. */
  readonly pool: Pick<AdaptivePool, 'pause'>;
  /** Measures how long objects wait for what they have asked for; `undefined`: nobody waits until it is ready. */
  readonly clock: Clock | undefined;
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
  /** By the positions of entries, as what follows. */
  readonly #handled = new Map<number, HandledItem | Promise<HandledItem>>();
  /** Definitions whose resources are served, or soon will be. */
  readonly #served = new Map<number, Promise<void>>();
  /** Entry → the one that it waits for. */
  readonly #waiting = new Map<number, number>();
  readonly #reasons = new Map<number, AdditionalItemReason>();

  constructor(options: AdditionalItemsOptions) {
    this.#options = options;
  }

  beginNamespace(
    ...args: Parameters<ItemHandler['beginNamespace']>
  ): ReturnType<ItemHandler['beginNamespace']> {
    return this.#options.handler.beginNamespace(...args);
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

  async handle(...args: Parameters<ItemHandler['handle']>): Promise<HandledItem> {
    const { handler, pool } = this.#options;
    const [{ index }] = args;
    const known = this.#handled.get(index);
    if (known !== undefined) {
      // Whoever handles it may need the place to go on.
      return known instanceof Promise ? pool.pause(() => known) : known;
    }
    const handling = handler.handle(...args);
    this.#handled.set(index, handling);
    const handled = await handling;
    this.#handled.set(index, handled);
    return handled;
  }

  /** Why an entry is restored that was not selected. */
  reasonOf({ index }: SpooledEntry): AdditionalItemReason | undefined {
    return this.#reasons.get(index);
  }

  /**
   * Handles what an action has asked for on behalf of an entry that is being handled, and waits until it is ready if the action wants
   * that; resolves with what there is to say.
   */
  async restoreBefore(
    entry: SpooledEntry,
    wanted: AdditionalItemsRequest,
    action: string,
    signal: AbortSignal,
  ): Promise<readonly Issue[]> {
    const { contents, selection, canonicalName } = this.#options;
    const { index: _index, selected: _selected, ...object } = entry;
    const issues: Issue[] = [];
    const there: ResourceIdentifier[] = [];
    for (const named of wanted.additionalItems ?? []) {
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
      const target = await this.#handleBefore(entry, found, { action, object }, signal);
      there.push(...(target === undefined ? [] : [target]));
    }
    const message = await this.#awaitReady(wanted, there, signal);
    if (message !== undefined) {
      const told = `what item action ${action} has had restored before it is ${message}; it is restored nevertheless`;
      issues.push({ severity: 'error', reason: 'AdditionalItemsNotReady', message: told, object });
    }
    return issues;
  }

  async #awaitReady(
    { areAdditionalItemsReady: areReady, additionalItemsReadyTimeoutMs }: AdditionalItemsRequest,
    additionalItems: readonly ResourceIdentifier[],
    signal: AbortSignal,
  ): Promise<string | undefined> {
    const { clock, pool } = this.#options;
    if (areReady === undefined || clock === undefined) {
      return undefined;
    }
    const timeoutMs = additionalItemsReadyTimeoutMs;
    return awaitAdditionalItems({ areReady, additionalItems, timeoutMs, clock, pool, signal });
  }

  async #handleBefore(
    entry: SpooledEntry,
    additional: SpooledEntry,
    reason: AdditionalItemReason,
    signal: AbortSignal,
  ): Promise<ResourceIdentifier | undefined> {
    if (this.#waitsFor(additional, entry)) {
      return undefined;
    }
    this.#waiting.set(entry.index, additional.index);
    try {
      return await this.#handleAdditional(additional, reason, signal);
    } finally {
      this.#waiting.delete(entry.index);
    }
  }

  async #handleAdditional(
    entry: SpooledEntry,
    reason: AdditionalItemReason,
    signal: AbortSignal,
  ): Promise<ResourceIdentifier | undefined> {
    const { entries, handler, record, neededBy, targetNamespaceOf } = this.#options;
    const { groupResource, index } = entry;
    if (groupResource === 'namespaces') {
      const isThere = await handler.ensureNamespace(entry.name, signal);
      return isThere ? { groupResource, name: targetNamespaceOf(entry.name) } : undefined;
    }
    if (!entries.has(entry) && !this.#handled.has(index)) {
      this.#reasons.set(index, reason);
      record.expect(1);
      for (const needed of await neededBy(entry)) {
        await this.#handleBefore(entry, needed, reason, signal);
      }
    }
    const handled = await this.handle(entry, 'unknown', signal);
    if (groupResource === definitions) {
      await this.#untilServed(entry, handled, signal);
    }
    return handled.target;
  }

  /** However many ask for a definition, its resource is waited for once. */
  async #untilServed(
    entry: SpooledEntry,
    { action }: HandledItem,
    signal: AbortSignal,
  ): Promise<void> {
    const { handler, pool } = this.#options;
    const known = this.#served.get(entry.index);
    if (known !== undefined) {
      await pool.pause(() => known);
    } else if (action !== 'failed') {
      const changed = action === 'skipped' ? [] : [entry.name];
      const served = handler.definitionsHandled({ changed, names: [entry.name] }, signal);
      this.#served.set(entry.index, served);
      await served;
    }
  }

  #waitsFor({ index }: SpooledEntry, other: SpooledEntry): boolean {
    for (let at: number | undefined = index; at !== undefined; at = this.#waiting.get(at)) {
      if (at === other.index) {
        return true;
      }
    }
    return false;
  }
}
