import { backupExists } from '../catalog/backup-files.ts';
import { deleteBackupFiles } from '../catalog/delete-backup-files.ts';
import { isLifeboatError, messageOf } from '../errors.ts';
import { runAll } from '../internal/run-all.ts';
import type { CallOptions } from '../ports/object-store.ts';
import type { LeftoverGroup } from '../snapshot/leftover-group.ts';
import { freeLeftoverGroup, removeLeftoverGroup } from '../snapshot/leftover-group-removal.ts';
import type { LeftoverPair } from '../snapshot/leftover-pair.ts';
import { freeLeftoverPair, removeLeftoverPair } from '../snapshot/leftover-removal.ts';
import type { FoundLeftover } from './decide-leftovers.ts';
import { deleteBackup } from './delete-backup.ts';
import { type FindLeftoversDependencies, surveyLeftovers } from './find-leftovers.ts';
import { isSameLeftover, type Leftover } from './leftover.ts';

/** What became of a leftover. */
export interface LeftoverOutcome {
  readonly leftover: Leftover;
  readonly outcome: LeftoverOutcomeKind;
  /** Why it is still there, for people; absent when it was removed. */
  readonly message?: string | undefined;
}

/** How the removal of a leftover ended. */
export type LeftoverOutcomeKind =
  /** It is gone. */
  | 'Removed'
  /** It is no longer what was found, or gone already: nothing was done. */
  | 'Changed'
  /** Its action is `None`. */
  | 'Reported'
  /** It could not be removed; repeat the search and the removal. */
  | 'Failed';

/** What the removal needs from the outside. */
export interface RemoveLeftoversDependencies extends FindLeftoversDependencies {
  /** Snapshots that are freed at a time. */
  readonly concurrency: number;
}

/**
 * Removes what was found, after looking at it again: what has changed since is left alone. The cluster comes before the store,
 * so that an interrupted removal finds its way back.
 */
export async function removeLeftovers(
  dependencies: RemoveLeftoversDependencies,
  leftovers: readonly Leftover[],
  { signal }: CallOptions = {},
): Promise<readonly LeftoverOutcome[]> {
  const present = await surveyLeftovers(dependencies, everything, { signal });
  const removal = new Removal(dependencies, present);
  const wanted = leftovers.filter(({ action }) => action !== 'None');
  const ofCluster = wanted.filter(({ objects }) => objects.length > 0);
  const ofStore = wanted.filter(({ objects }) => objects.length === 0);
  const remove = (leftover: Leftover, workSignal: AbortSignal): Promise<void> =>
    removal.remove(leftover, workSignal);
  await runAll(ofCluster, remove, { concurrency: dependencies.concurrency, signal });
  await runAll(ofStore, remove, { concurrency: 1, signal });
  return leftovers.map((leftover) => removal.outcomeOf(leftover));
}

// The leftovers that are given have been through the rules of their user already.
const everything = {
  minimumAgeMs: 0,
  unknownBackups: 'remove',
  retainedByVelero: 'remove',
} as const;

class Removal {
  readonly #dependencies: RemoveLeftoversDependencies;
  readonly #present: Set<FoundLeftover>;
  readonly #outcomes = new Map<Leftover, LeftoverOutcome>();

  constructor(dependencies: RemoveLeftoversDependencies, present: readonly FoundLeftover[]) {
    this.#dependencies = dependencies;
    this.#present = new Set(present);
  }

  outcomeOf(leftover: Leftover): LeftoverOutcome {
    const message = 'it is only reported';
    return this.#outcomes.get(leftover) ?? { leftover, outcome: 'Reported', message };
  }

  async remove(leftover: Leftover, signal: AbortSignal): Promise<void> {
    const { logger } = this.#dependencies;
    const { cause, backupName: backup } = leftover;
    try {
      const outcome = await this.#attempt(leftover, signal);
      this.#outcomes.set(leftover, { leftover, ...outcome });
      if (outcome.outcome === 'Removed') {
        logger.info('leftover removed', { cause, backup });
      }
    } catch (error) {
      signal.throwIfAborted();
      const outcome = isLifeboatError(error, 'Conflict') ? 'Changed' : 'Failed';
      this.#outcomes.set(leftover, { leftover, outcome, message: messageOf(error) });
      logger.warn('a leftover could not be removed', { cause, backup, error: messageOf(error) });
    }
  }

  async #attempt(
    leftover: Leftover,
    signal: AbortSignal,
  ): Promise<Omit<LeftoverOutcome, 'leftover'>> {
    const found = [...this.#present].find((candidate) =>
      isSameLeftover(candidate.leftover, leftover),
    );
    if (found?.leftover.action !== leftover.action) {
      return { outcome: 'Changed', message: 'it is gone, or no longer what was found' };
    }
    if (await this.#isCompleteNow(leftover, signal)) {
      return { outcome: 'Changed', message: 'the backup has been completed meanwhile' };
    }
    if (found.pair !== undefined) {
      await this.#removePair(leftover, found.pair, signal);
    } else if (found.group !== undefined) {
      await this.#removeGroup(leftover, found.group, signal);
    } else if (found.upload !== undefined) {
      await this.#dependencies.store.removeUpload?.(found.upload, { signal });
    } else if (leftover.action === 'FinishDeletion') {
      await deleteBackup(this.#dependencies, leftover.backupName, { signal });
    } else if (this.#hasSnapshots(leftover.backupName)) {
      const message =
        'its snapshots are still in the cluster: they would not be recognised without the files';
      return { outcome: 'Failed', message };
    } else {
      await deleteBackupFiles(this.#dependencies.store, leftover.backupName, { signal });
    }
    this.#present.delete(found);
    return { outcome: 'Removed' };
  }

  // A run that was taken for dead may have come to its end since the search.
  async #isCompleteNow({ cause, backupName }: Leftover, signal: AbortSignal): Promise<boolean> {
    return (
      withoutBackup.includes(cause) &&
      (await backupExists(this.#dependencies.store, backupName, { signal }))
    );
  }

  async #removePair(
    { action, backupName }: Leftover,
    pair: LeftoverPair,
    signal: AbortSignal,
  ): Promise<void> {
    const { cluster, clock } = this.#dependencies;
    const request = { cluster, clock, pair, backupName };
    await (action === 'FreeSnapshot'
      ? freeLeftoverPair(request, { signal })
      : removeLeftoverPair(request, { signal }));
  }

  async #removeGroup(
    { action, backupName }: Leftover,
    group: LeftoverGroup,
    signal: AbortSignal,
  ): Promise<void> {
    const { cluster, clock } = this.#dependencies;
    const request = { cluster, clock, group, backupName };
    await (action === 'FreeSnapshot'
      ? freeLeftoverGroup(request, { signal })
      : removeLeftoverGroup(request, { signal }));
  }

  #hasSnapshots(backupName: string): boolean {
    return [...this.#present].some(
      ({ leftover, pair, group }) =>
        (pair !== undefined || group !== undefined) && leftover.backupName === backupName,
    );
  }
}

const withoutBackup: readonly Leftover['cause'][] = [
  'BackupUnfinished',
  'UnrecognisedFiles',
  'SnapshotOfUnfinishedBackup',
  'UnknownBackup',
  'RetainedByVelero',
];
