import { isLifeboatError, isServerUnreachable, messageOf } from '../errors.ts';
import type { Issue } from '../model/issue.ts';
import { compareCodePoints } from '../model/json.ts';
import { groupResourceOf } from '../model/kubernetes.ts';
import { Resources } from '../model/resources.ts';
import type { SyncPlan } from './plan-sync.ts';
import type {
  SkippedSnapshot,
  SyncedSnapshot,
  SyncSkipReason,
  SyncSnapshotsResult,
} from './sync-request.ts';

const groupResource = groupResourceOf(Resources.volumeSnapshotContents);

/** What became of the contents of one sync so far. */
export class SyncRecord {
  readonly #created: SyncedSnapshot[] = [];
  readonly #removed: SyncedSnapshot[] = [];
  readonly #kept: readonly SyncedSnapshot[];
  readonly #skipped: SkippedSnapshot[];
  readonly #issues: Issue[];

  constructor({ kept, skipped }: Pick<SyncPlan, 'kept' | 'skipped'>, issues: readonly Issue[]) {
    this.#kept = kept;
    this.#skipped = [...skipped];
    this.#issues = [...issues];
  }

  /** Does the work for one content and notes how it ended; what fails for one does not stop the others. */
  async collect(
    snapshot: SyncedSnapshot,
    done: 'created' | 'removed',
    work: () => Promise<SyncSkipReason | undefined>,
    signal: AbortSignal,
  ): Promise<void> {
    try {
      const reason = await work();
      if (reason === undefined) {
        (done === 'created' ? this.#created : this.#removed).push(snapshot);
      } else {
        this.#skipped.push({ ...snapshot, reason });
      }
    } catch (error) {
      signal.throwIfAborted();
      if (isServerUnreachable(error)) {
        throw error;
      }
      this.#issues.push({
        severity: 'error',
        reason: isLifeboatError(error) ? error.code : 'Unknown',
        message: messageOf(error),
        object: { groupResource, name: snapshot.volumeSnapshotContentName },
      });
    }
  }

  /** Everything in the order of backups and contents. */
  result(): SyncSnapshotsResult {
    return {
      created: this.#created.toSorted(compare),
      removed: this.#removed.toSorted(compare),
      kept: this.#kept.toSorted(compare),
      skipped: this.#skipped.toSorted(compare),
      issues: this.#issues,
    };
  }
}

function compare(left: SyncedSnapshot, right: SyncedSnapshot): number {
  return (
    compareCodePoints(left.backupName, right.backupName) ||
    compareCodePoints(left.volumeSnapshotContentName, right.volumeSnapshotContentName)
  );
}
