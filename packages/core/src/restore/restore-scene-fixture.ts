import { silentLogger } from '../internal/silent-logger.ts';
import { systemClock } from '../internal/system-clock.ts';
import type { RestorePlan } from '../model/restore-plan.ts';
import type { Clock } from '../ports/clock.ts';
import type { RestoreItemAction } from '../ports/item-action.ts';
import { MemoryObjectStore } from '../stores/memory-object-store.ts';
import { FakeCluster } from '../testing/fake-cluster/fake-cluster.ts';
import type { ManualClock } from '../testing/manual-clock.ts';
import { type PlanRestoreOptions, planRestore } from './plan-restore.ts';
import type { RestoreOptions, RestoreRequest, RestoreResult } from './request.ts';
import { type RestoreDependencies, runRestore } from './run-restore.ts';
import { type StoredBackup, storeBackup } from './stored-backup-fixture.ts';

/** Of the engine that restores in a scene. */
export interface SceneEngine {
  readonly actions?: readonly RestoreItemAction[] | undefined;
  readonly concurrency?: number | undefined;
}

/** A cluster and a store that tests restore from one into the other. Dispose it. */
export class RestoreScene<SceneClock extends Clock = Clock> implements AsyncDisposable {
  readonly cluster: FakeCluster = new FakeCluster();
  readonly store: MemoryObjectStore = new MemoryObjectStore();
  readonly clock: SceneClock;

  private constructor(clock: SceneClock) {
    this.clock = clock;
  }

  static open(): RestoreScene;
  static open<SceneClock extends Clock>(clock: SceneClock): RestoreScene<SceneClock>;
  static open(clock: Clock = systemClock): RestoreScene {
    return new RestoreScene(clock);
  }

  storeBackup(name: string, objects: StoredBackup['objects']): Promise<void> {
    return storeBackup(this.store, { name, objects });
  }

  restore(
    request: RestoreRequest | RestorePlan,
    options: RestoreOptions & SceneEngine = {},
  ): Promise<RestoreResult> {
    const { actions, concurrency, ...rest } = options;
    return runRestore(this.#dependencies({ actions, concurrency }), request, rest);
  }

  plan(
    request: RestoreRequest,
    options: PlanRestoreOptions & SceneEngine = {},
  ): Promise<RestorePlan> {
    const { actions, concurrency, ...rest } = options;
    return planRestore(this.#dependencies({ actions, concurrency }), request, rest);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.cluster.close();
    await this.store.close();
  }

  #dependencies({ actions = [], concurrency = 4 }: SceneEngine): RestoreDependencies {
    const { cluster, store, clock } = this;
    return { cluster, store, clock, logger: silentLogger, actions, concurrency };
  }
}

/** Turns the clock until a restore is done. */
export async function untilDone(
  clock: ManualClock,
  restored: Promise<RestoreResult>,
  stepMs = 500,
): Promise<RestoreResult> {
  const done = new AbortController();
  const finished = restored.finally(() => done.abort());
  while (!done.signal.aborted) {
    await clock.advance(stepMs);
  }
  return finished;
}
