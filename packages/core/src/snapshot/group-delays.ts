import { messageOf } from '../errors.ts';
import type { CallOptions } from '../ports/object-store.ts';
import { diagnoseSnapshot, type SnapshotDiagnosis } from './diagnose.ts';
import { driverErrorKindOf, isPassing } from './driver-error.ts';
import type { GroupObjects } from './group-objects.ts';
import type { GroupSnapshotContext } from './group-snapshot-context.ts';
import { groupErrorOf, groupHandleOf } from './group-snapshot-step.ts';
import { gatherSnapshotEvidence } from './snapshot-evidence.ts';

/** What {@link GroupDelays} works with. */
export interface GroupDelaysOptions {
  readonly context: GroupSnapshotContext;
  readonly driver: string;
  readonly onDelay?: ((diagnosis: SnapshotDiagnosis) => void) | undefined;
}

/**
 * Looks after a group that is not cut yet: tells its driver's slots when the driver refuses it, and looks into why it does not
 * come after `diagnoseAfterMs`, and again after twice, four times, … as long.
 */
export class GroupDelays {
  readonly #options: GroupDelaysOptions;
  readonly #startedMs: number;
  #afterMs: number;

  constructor(options: GroupDelaysOptions) {
    const { clock, diagnoseAfterMs } = options.context;
    this.#options = options;
    this.#startedMs = clock.now().getTime();
    this.#afterMs = diagnoseAfterMs;
  }

  /** When it is looked into next, in milliseconds since the epoch. */
  get nextLookMs(): number {
    return this.#startedMs + this.#afterMs;
  }

  /** Takes how the objects of the group stand now. Aborted: rejects with `signal.reason`. */
  async look(objects: GroupObjects, { signal }: CallOptions): Promise<void> {
    const { context, driver, onDelay } = this.#options;
    const nowMs = context.clock.now().getTime();
    const error = groupErrorOf(objects);
    if (error !== undefined && isPassing(driverErrorKindOf(error))) {
      context.slots.reportRefusal(driver, nowMs);
    }
    if (nowMs < this.nextLookMs) {
      return;
    }
    this.#afterMs *= 2;
    const diagnosis = await this.#diagnose(objects, { signal });
    try {
      onDelay?.(diagnosis);
    } catch (listenerError) {
      context.logger.warn('a listener for delayed snapshots has thrown', {
        error: messageOf(listenerError),
      });
    }
  }

  async #diagnose(objects: GroupObjects, options: CallOptions): Promise<SnapshotDiagnosis> {
    const { context, driver } = this.#options;
    const { groupSnapshot: volumeSnapshot, content: volumeSnapshotContent } = objects;
    const tracked = { volumeSnapshot, volumeSnapshotContent };
    const evidence = await gatherSnapshotEvidence(context, { tracked, driver }, options);
    const isCut = volumeSnapshotContent && groupHandleOf(volumeSnapshotContent) !== undefined;
    return isCut === true && groupErrorOf(objects) === undefined
      ? {
          cause: 'ControllerBusy',
          finding:
            'the storage has cut the group, and the snapshot-controller has not made the VolumeSnapshots of all its claims yet',
          advice: 'Look at its log',
        }
      : diagnoseSnapshot(evidence);
  }
}
