import { messageOf } from '../errors.ts';
import { runAll } from '../internal/run-all.ts';
import { Slots } from '../internal/slots.ts';
import { unlessAborted } from '../internal/unless-aborted.ts';
import { withDeadline } from '../internal/with-deadline.ts';
import { formatDuration, parseDuration } from '../model/duration.ts';
import type { ItemOperationEvent } from '../model/event.ts';
import type { Issue } from '../model/issue.ts';
import { identifierOf } from '../model/kubernetes.ts';
import type { Clock } from '../ports/clock.ts';
import type { ItemOperation, ItemOperationProgress } from '../ports/item-operation.ts';
import type { Logger } from '../ports/logger.ts';
import type { EndedOperation, OperationItem } from './operation-entry.ts';
import { checkedProgress } from './operation-progress.ts';

/** What {@link ItemOperations} work with. */
export interface ItemOperationsOptions {
  /** How long each may take, as a spec has it. Absent or zero: 4 hours. */
  readonly timeout: string | undefined;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Must not throw, as the next ones. */
  readonly onEvent: (event: ItemOperationEvent) => void;
  /** Told at once. */
  readonly onFailed: (error: Omit<Issue, 'severity'>) => void;
  /** Told of each, in the order in which they began, once all have ended. */
  readonly onEnded: (operation: EndedOperation) => void;
  readonly pollIntervalMs: number;
  readonly signal: AbortSignal;
}

/** Which action began an operation, and for which object. */
export interface OperationOrigin {
  readonly reference: OperationItem;
  readonly action: string;
}

interface Followed {
  readonly operation: ItemOperation;
  readonly origin: OperationOrigin;
  readonly createdAt: Date;
  /** When its progress was last known. */
  knownAt: Date;
  progress: ItemOperationProgress;
  /** Resolves when it has ended; rejects only with the reason of an abort. */
  ended: Promise<void>;
}

// A plug-in that hangs must not keep the others waiting for long, nor the end of an aborted run.
const askedAtATime = 8;
const progressTimeoutMs = 30_000;
const cancelTimeoutMs = 15_000;
/** How long an operation may give no answer. */
const patienceMs = 60_000;
const defaultTimeoutMs = 4 * 3_600_000;

/** The operations that the item actions of one run have begun: follows them until they have ended, or cancels them. */
export class ItemOperations {
  readonly #options: ItemOperationsOptions;
  readonly #timeoutMs: number;
  readonly #followed: Followed[] = [];
  readonly #slots = new Slots(askedAtATime);
  #recorded = 0;

  constructor(options: ItemOperationsOptions) {
    this.#options = options;
    this.#timeoutMs = parseDuration(options.timeout ?? '') || defaultTimeoutMs;
  }

  /** Whether there are any that were not told of as ended yet. */
  get pending(): boolean {
    return this.#recorded < this.#followed.length;
  }

  /** Follows an operation from now on. */
  begin(operation: ItemOperation, origin: OperationOrigin): void {
    const createdAt = this.#options.clock.now();
    const followed: Followed = {
      ...{ operation, origin, createdAt, knownAt: createdAt },
      progress: { state: 'InProgress' },
      ended: Promise.resolve(),
    };
    this.#followed.push(followed);
    this.#report(followed, 'Started');
    followed.ended = this.#follow(followed);
    // Whoever waits for the end learns of it.
    followed.ended.catch(() => undefined);
  }

  /** Cancels an operation that is not followed. Never rejects; an operation that cannot be cancelled is logged. */
  async cancel(operation: ItemOperation, { action }: OperationOrigin): Promise<void> {
    await this.#cancel(operation, action, this.#options.signal);
  }

  /** Resolves when every operation has ended, and was told of. Rejects only with the reason of an abort. */
  async ended(): Promise<void> {
    const { length } = this.#followed;
    await Promise.all(this.#followed.map(({ ended }) => ended));
    for (const followed of this.#followed.slice(this.#recorded, length)) {
      this.#options.onEnded(endedOperationOf(followed));
    }
    this.#recorded = length;
  }

  /**
   * Cancels operations of a run that was aborted: those that run, or `all` that have not failed, when what they made is to go too. Never
   * rejects; what cannot be cancelled is logged.
   */
  async discard(which: 'all' | 'running', signal: AbortSignal): Promise<void> {
    await Promise.allSettled(this.#followed.map(({ ended }) => ended));
    const left = this.#followed.filter(({ progress: { state } }) =>
      which === 'all' ? state !== 'Failed' : state === 'InProgress',
    );
    const cancelOne = async (followed: Followed): Promise<void> => {
      await this.#cancel(followed.operation, followed.origin.action, signal);
      this.#report(followed, 'Cancelled');
    };
    await runAll(left, cancelOne, { concurrency: askedAtATime }).catch(() => undefined);
  }

  async #follow(followed: Followed): Promise<void> {
    const { clock, pollIntervalMs, signal } = this.#options;
    for (;;) {
      await this.#slots.run(() => this.#ask(followed), signal);
      if (followed.progress.state !== 'InProgress') {
        return;
      }
      await clock.sleep(Math.max(0, Math.min(pollIntervalMs, this.#msLeft(followed))), signal);
    }
  }

  async #ask(followed: Followed): Promise<void> {
    const { clock, signal } = this.#options;
    const before = followed.progress;
    try {
      followed.progress = await this.#progressOf(followed.operation);
      followed.knownAt = clock.now();
    } catch (error) {
      signal.throwIfAborted();
      const silentMs = clock.now().getTime() - followed.knownAt.getTime();
      if (silentMs >= patienceMs) {
        await this.#giveUp(followed, `its progress is not known any more: ${messageOf(error)}`);
        return;
      }
    }
    const { state, message } = followed.progress;
    if (state === 'Failed') {
      this.#fail(followed, message ?? 'the action does not say why');
    } else if (state === 'Completed') {
      this.#report(followed, 'Completed');
    } else if (this.#msLeft(followed) <= 0) {
      await this.#giveUp(followed, `it did not end within ${formatDuration(this.#timeoutMs)}`);
    } else if (isNews(before, followed.progress)) {
      this.#report(followed, 'InProgress');
    }
  }

  async #progressOf(operation: ItemOperation): Promise<ItemOperationProgress> {
    const { clock, signal } = this.#options;
    using deadline = withDeadline(signal, progressTimeoutMs, clock);
    const ask = async (): Promise<unknown> => operation.progress({ signal: deadline.signal });
    return checkedProgress(await unlessAborted(ask(), deadline.signal));
  }

  async #giveUp(followed: Followed, why: string): Promise<void> {
    const { operation, origin } = followed;
    await this.#cancel(operation, origin.action, this.#options.signal);
    this.#fail(followed, why);
  }

  #fail(followed: Followed, message: string): void {
    const { operation, origin, progress } = followed;
    followed.progress = { ...progress, state: 'Failed', message };
    followed.knownAt = this.#options.clock.now();
    this.#report(followed, 'Failed');
    const text = `operation ${operation.id} of item action ${origin.action} failed: ${message}`;
    const object = identifierOf(origin.reference);
    this.#options.onFailed({ reason: 'ItemOperationFailed', message: text, object });
  }

  async #cancel(operation: ItemOperation, action: string, signal: AbortSignal): Promise<void> {
    const { clock, logger } = this.#options;
    using deadline = withDeadline(signal, cancelTimeoutMs, clock);
    try {
      const cancel = async (): Promise<void> => operation.cancel({ signal: deadline.signal });
      await unlessAborted(cancel(), deadline.signal);
    } catch (error) {
      logger.warn('an operation of an item action could not be cancelled', {
        action,
        operation: operation.id,
        error: messageOf(error),
      });
    }
  }

  #msLeft({ createdAt }: Followed): number {
    return createdAt.getTime() + this.#timeoutMs - this.#options.clock.now().getTime();
  }

  #report({ operation, origin, progress }: Followed, state: ItemOperationEvent['state']): void {
    const { completed, total, unit, description, message } = progress;
    this.#options.onEvent({
      type: 'itemOperation',
      ...{ state, action: origin.action, operationId: operation.id },
      object: identifierOf(origin.reference),
      ...{ completed, total, unit, description },
      ...(state === 'Failed' ? { message } : {}),
    });
  }
}

function isNews(before: ItemOperationProgress, now: ItemOperationProgress): boolean {
  return (['completed', 'total', 'unit', 'description'] as const).some(
    (field) => before[field] !== now[field],
  );
}

function endedOperationOf({ operation, origin, progress, ...times }: Followed): EndedOperation {
  const { completed, total, unit, description, startedAt = times.createdAt } = progress;
  return {
    action: origin.action,
    item: origin.reference,
    operationId: operation.id,
    itemsToUpdate: operation.itemsToUpdate ?? [],
    status: {
      ...(progress.state === 'Failed'
        ? { phase: 'Failed', error: progress.message }
        : { phase: 'Completed' }),
      ...{ completed, total, unit, description },
      ...{ createdAt: times.createdAt, startedAt, updatedAt: times.knownAt },
    },
  };
}
