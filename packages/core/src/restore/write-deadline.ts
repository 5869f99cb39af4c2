import { type Deadline, withDeadline } from '../internal/with-deadline.ts';
import type { Clock } from '../ports/clock.ts';

const writeTimeoutMs = 60_000;

/**
 * A deadline for one write that an abort of the run does not cut: a write that is cut may have happened or not, one that is
 * finished is known.
 */
export function writeDeadline(clock: Clock): Deadline {
  return withDeadline(undefined, writeTimeoutMs, clock);
}

const sharedForMs = 1_000;

/** What several writes have in common. */
interface SharedDeadline {
  readonly deadline: Deadline;
  readonly startedAt: number;
  writes: number;
}

/**
 * Deadlines as of {@link writeDeadline} for many writes: those that begin within a second share one timer and one signal, so that each
 * has a second more at most. A timer ends with the last write that shares it.
 */
export class WriteDeadlines {
  readonly #clock: Clock;
  #latest: SharedDeadline | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Begins a write; dispose the deadline when it is over, once. */
  begin(): Deadline {
    const now = this.#clock.now().getTime();
    const latest = this.#latest;
    const ageMs = now - (latest?.startedAt ?? 0);
    const isShared = latest !== undefined && latest.writes > 0 && ageMs >= 0 && ageMs < sharedForMs;
    const shared = isShared ? latest : this.#start(now);
    shared.writes += 1;
    return new WriteDeadline(shared);
  }

  #start(startedAt: number): SharedDeadline {
    const deadline = withDeadline(undefined, writeTimeoutMs + sharedForMs, this.#clock);
    this.#latest = { deadline, startedAt, writes: 0 };
    return this.#latest;
  }
}

// A class: what it has in common with the others is not made for each write anew.
class WriteDeadline implements Deadline {
  readonly #shared: SharedDeadline;

  constructor(shared: SharedDeadline) {
    this.#shared = shared;
  }

  get signal(): AbortSignal {
    return this.#shared.deadline.signal;
  }

  get expired(): boolean {
    return this.#shared.deadline.expired;
  }

  [Symbol.dispose](): void {
    this.#shared.writes -= 1;
    if (this.#shared.writes === 0) {
      this.#shared.deadline[Symbol.dispose]();
    }
  }
}
