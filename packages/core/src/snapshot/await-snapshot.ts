import { AbortScope } from '../internal/abort-scope.ts';
import type { KubernetesObject } from '../model/kubernetes.ts';
import type { Clock } from '../ports/clock.ts';
import type { CallOptions } from '../ports/object-store.ts';
import {
  nextSnapshotStep,
  requestedSnapshot,
  type SnapshotLimits,
  type SnapshotProgress,
  type SnapshotStep,
} from './snapshot-step.ts';
import type { TrackedSnapshot } from './tracked-snapshot.ts';

/** How {@link awaitSnapshot} ended. */
export type SnapshotOutcome = Extract<SnapshotStep, { readonly type: 'ready' | 'failed' }>;

/** What {@link awaitSnapshot} waits with. */
export interface AwaitSnapshotOptions {
  readonly tracked: TrackedSnapshot;
  readonly limits: SnapshotLimits;
  readonly clock: Clock;
  /** Carries out the step `retain`; called once. */
  readonly retain: (volumeSnapshotContent: KubernetesObject) => Promise<void>;
  /** Called for every state on the way, in order, none left out. */
  readonly onState: (state: 'Bound' | 'HandleAssigned') => void;
}

/** Follows a requested snapshot until it is ready or has failed. Aborted: rejects with `signal.reason`. */
export async function awaitSnapshot(
  { tracked, limits, clock, retain, onState }: AwaitSnapshotOptions,
  { signal }: CallOptions,
): Promise<SnapshotOutcome> {
  let progress = requestedSnapshot(clock.now().getTime(), limits);
  for (;;) {
    const { volumeSnapshot, volumeSnapshotContent } = tracked;
    const nowMs = clock.now().getTime();
    const next = nextSnapshotStep(
      progress,
      { volumeSnapshot, volumeSnapshotContent, nowMs },
      limits,
    );
    reportStates(progress.state, next.progress.state, onState);
    progress = next.progress;
    switch (next.step.type) {
      case 'retain':
        await retain(next.step.volumeSnapshotContent);
        progress = { ...progress, retained: true };
        break;
      case 'wait':
        await reportOrMoment(tracked, next.step.untilMs, clock, signal);
        break;
      case 'ready':
      case 'failed':
        return next.step;
      default:
        next.step satisfies never;
    }
  }
}

/** Waits for the next report of a watch, at the latest until a moment. */
export async function reportOrMoment(
  tracked: TrackedSnapshot,
  untilMs: number,
  clock: Clock,
  signal: AbortSignal | undefined,
): Promise<void> {
  using scope = new AbortScope(signal);
  try {
    await Promise.race([
      tracked.changed({ signal: scope.signal }),
      clock.sleep(Math.max(0, untilMs - clock.now().getTime()), scope.signal),
    ]);
  } finally {
    scope.abort(undefined);
  }
}

const states: readonly SnapshotProgress['state'][] = ['Requested', 'Bound', 'HandleAssigned'];

function reportStates(
  before: SnapshotProgress['state'],
  after: SnapshotProgress['state'],
  onState: AwaitSnapshotOptions['onState'],
): void {
  for (const state of states.slice(states.indexOf(before) + 1, states.indexOf(after) + 1)) {
    if (state !== 'Requested') {
      onState(state);
    }
  }
}
