import type { KubernetesObject } from '../model/kubernetes.ts';
import type { Clock } from '../ports/clock.ts';
import type { CallOptions } from '../ports/object-store.ts';
import { driverErrorKindOf, isPassing } from './driver-error.ts';
import { reportOrMoment } from './report-or-moment.ts';
import {
  errorOf,
  handleOf,
  nextSnapshotStep,
  requestedSnapshot,
  type SnapshotLimits,
  type SnapshotProgress,
  type SnapshotStep,
} from './snapshot-step.ts';
import type { TrackedSnapshot } from './tracked-snapshot.ts';

/** What a {@link SnapshotWait} works with. */
export interface SnapshotWaitOptions {
  readonly tracked: TrackedSnapshot;
  readonly limits: SnapshotLimits;
  readonly clock: Clock;
  /** Carries out the step `retain`; called once. */
  readonly retain: (volumeSnapshotContent: KubernetesObject, signal?: AbortSignal) => Promise<void>;
  /** Called for every state on the way, in order, none left out; with `Bound` before `retain`, with `HandleAssigned` after. */
  readonly onState: (state: 'Bound' | 'HandleAssigned') => void;
  /** Since when the driver has refused every snapshot because of its load. */
  readonly refusingSinceMs: () => number | undefined;
  /** Called when an error is seen that is likely to pass. */
  readonly onRefusal: () => void;
  /** Called while there is no handle, after `diagnoseAfterMs`, and again after twice, four times, … as long. */
  readonly diagnose: (signal?: AbortSignal) => Promise<void>;
  readonly diagnoseAfterMs: number;
}

/** Follows one snapshot from now on, first until it is cut, then until it is ready to use. Aborted: rejects with the reason. */
export class SnapshotWait {
  readonly #options: SnapshotWaitOptions;
  readonly #startedMs: number;
  #progress: SnapshotProgress;
  #reported: SnapshotProgress['state'] = 'Requested';

  constructor(options: SnapshotWaitOptions) {
    this.#options = options;
    this.#startedMs = options.clock.now().getTime();
    this.#progress = requestedSnapshot(this.#startedMs, options.limits);
  }

  /** Resolves with `undefined` when the storage has cut the snapshot, or with why it will not. */
  async cut({ signal }: CallOptions): Promise<FailedStep | undefined> {
    const { clock, diagnose } = this.#options;
    let { diagnoseAfterMs } = this.#options;
    for (;;) {
      const step = await this.#look(signal);
      if (step.type === 'failed') {
        return step;
      }
      if (step.type === 'ready' || this.#progress.state === 'HandleAssigned') {
        return undefined;
      }
      if (clock.now().getTime() - this.#startedMs >= diagnoseAfterMs) {
        diagnoseAfterMs *= 2;
        await diagnose(signal);
        // Something may have been reported meanwhile.
        continue;
      }
      await this.#pause(Math.min(step.untilMs, this.#startedMs + diagnoseAfterMs), signal);
    }
  }

  /** Resolves when the snapshot is ready to use, or with why it will not be. */
  async ready({ signal }: CallOptions): Promise<FailedStep | ReadyStep> {
    for (;;) {
      const step = await this.#look(signal);
      if (step.type !== 'wait') {
        return step;
      }
      await this.#pause(step.untilMs, signal);
    }
  }

  async #look(signal: AbortSignal | undefined): Promise<FailedStep | ReadyStep | WaitStep> {
    const { tracked, limits, clock, retain, refusingSinceMs } = this.#options;
    for (;;) {
      signal?.throwIfAborted();
      this.#reportRefusal();
      const { volumeSnapshot, volumeSnapshotContent } = tracked;
      const { progress, step } = nextSnapshotStep(
        this.#progress,
        {
          ...{ volumeSnapshot, volumeSnapshotContent },
          nowMs: clock.now().getTime(),
          refusingSinceMs: refusingSinceMs(),
        },
        limits,
      );
      this.#progress = progress;
      // A snapshot that is known to be cut is one that nobody's deletion of the VolumeSnapshot takes along.
      this.#report(step.type === 'retain' ? 'Bound' : progress.state);
      if (step.type !== 'retain') {
        return step;
      }
      await retain(step.volumeSnapshotContent, signal);
      this.#progress = { ...progress, retained: true };
    }
  }

  #report(state: SnapshotProgress['state']): void {
    for (const next of states.slice(
      states.indexOf(this.#reported) + 1,
      states.indexOf(state) + 1,
    )) {
      this.#reported = next;
      if (next !== 'Requested') {
        this.#options.onState(next);
      }
    }
  }

  // An error that stood when the handle came may be left in the status although it is over.
  #reportRefusal(): void {
    const { tracked, onRefusal } = this.#options;
    const content = tracked.volumeSnapshotContent;
    const error = content && handleOf(content) === undefined ? errorOf(content) : undefined;
    if (error !== undefined && isPassing(driverErrorKindOf(error))) {
      onRefusal();
    }
  }

  #pause(untilMs: number, signal: AbortSignal | undefined): Promise<void> {
    return reportOrMoment(this.#options.tracked, untilMs, this.#options.clock, signal);
  }
}

/** Why a snapshot failed. */
export type FailedStep = Extract<SnapshotStep, { readonly type: 'failed' }>;

/** A snapshot that is ready to use. */
export type ReadyStep = Extract<SnapshotStep, { readonly type: 'ready' }>;

type WaitStep = Extract<SnapshotStep, { readonly type: 'wait' }>;

const states: readonly SnapshotProgress['state'][] = ['Requested', 'Bound', 'HandleAssigned'];
