import { AbortScope } from '../internal/abort-scope.ts';
import { withDeadline } from '../internal/with-deadline.ts';
import type { ResourceIdentifier } from '../model/kubernetes.ts';
import type { Restore } from '../model/restore.ts';
import { ItemOperations } from '../operations/item-operations.ts';
import { type OperationItem, restoreOperationEntry } from '../operations/operation-entry.ts';
import type { Clock } from '../ports/clock.ts';
import type { ItemOperation } from '../ports/item-operation.ts';
import type { Logger } from '../ports/logger.ts';
import type { RestoreOptions } from './request.ts';
import type { RestoreRecord } from './restore-record.ts';

/** What {@link RestoreOperations} work with. */
export interface RestoreOperationsOptions {
  readonly restore: Restore;
  readonly record: RestoreRecord;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly options: Pick<RestoreOptions, 'itemOperations'>;
  readonly signal: AbortSignal;
}

// Foreign code: the end of an aborted restore waits for it no longer than this.
const cancelAllTimeoutMs = 30_000;

/**
 * Follows the operations that the item actions of one restore have begun, while it goes on, and writes down how they end. Dispose it, and
 * what still runs is cancelled; what has completed stays, as the objects do.
 */
export class RestoreOperations implements AsyncDisposable {
  readonly #options: RestoreOperationsOptions;
  readonly #scope: AbortScope;
  readonly #operations: ItemOperations;

  constructor(options: RestoreOperationsOptions) {
    const { restore, record, clock, logger } = options;
    const { itemOperations: { pollIntervalMs = 10_000 } = {} } = options.options;
    this.#options = options;
    this.#scope = new AbortScope(options.signal);
    this.#operations = new ItemOperations({
      ...{ clock, logger, pollIntervalMs, signal: this.#scope.signal },
      timeout: restore.spec.itemOperationTimeout,
      onEvent: (event) => record.report(event),
      onFailed: (error) => record.addIssue({ severity: 'error', ...error }),
      onEnded: (ended) => record.addOperation(restoreOperationEntry(restore.metadata, ended)),
    });
  }

  /** Follows an operation that an action has begun for an object, which is named as it will be in the target. */
  begin(operation: ItemOperation, action: string, object: ResourceIdentifier): void {
    this.#operations.begin(operation, { reference: itemOf(object), action });
  }

  /** Resolves when every operation has ended, and is in the record. Rejects only with the reason of an abort. */
  async settle(): Promise<void> {
    if (this.#operations.pending) {
      this.#options.record.report({ type: 'phase', phase: 'WaitingForItemOperations' });
      await this.#operations.ended();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#scope.abort(new Error('the restore has ended'));
    using deadline = withDeadline(undefined, cancelAllTimeoutMs, this.#options.clock);
    await this.#operations.discard('running', deadline.signal);
    this.#scope[Symbol.dispose]();
  }
}

function itemOf({ groupResource, namespace, name }: ResourceIdentifier): OperationItem {
  const [resource = '', ...group] = groupResource.split('.');
  return { group: group.join('.'), resource, namespace, name };
}
