import { randomInt } from 'node:crypto';
import { isLifeboatError, LifeboatError, messageOf } from '../errors.ts';
import { describeObject, type KubernetesObject, referenceTo } from '../model/kubernetes.ts';
import { stringAt } from '../model/object-path.ts';
import { Resources } from '../model/resources.ts';
import type { CallOptions } from '../ports/object-store.ts';
import { createOwnObject } from './create-own-object.ts';
import type { CutSnapshot } from './cut-snapshot.ts';
import { diagnoseSnapshot, type SnapshotDiagnosis } from './diagnose.ts';
import { retainPatch, volumeSnapshotManifest, volumeSnapshotNameOf } from './manifests.ts';
import { type ReadySnapshot, readySnapshot } from './ready-snapshot.ts';
import type { SnapshotContext } from './snapshot-context.ts';
import { gatherSnapshotEvidence } from './snapshot-evidence.ts';
import { explainFailure, snapshotFailure } from './snapshot-failure.ts';
import { type FailedStep, SnapshotWait } from './snapshot-wait.ts';
import type {
  SnapshotDetails,
  SnapshotReport,
  TakeSnapshotRequest,
} from './take-snapshot-request.ts';
import { type PendingSnapshot, undoSnapshot } from './undo-snapshot.ts';

/**
 * Requests the snapshot of a claim's volume, once its driver and its volume have room for it, and resolves when the storage
 * has cut it. What it made is undone before it rejects.
 *
 * @throws {LifeboatError} code SnapshotFailed with the reason, and with what could not be undone.
 */
export async function requestSnapshot(
  context: SnapshotContext,
  request: TakeSnapshotRequest,
  report: (report: SnapshotReport) => void,
  { signal }: CallOptions,
): Promise<CutSnapshot> {
  const driver = stringAt(request.volume, ['spec', 'csi', 'driver']) ?? '';
  const volumeHandle = stringAt(request.volume, ['spec', 'csi', 'volumeHandle']) ?? '';
  using _slot = await context.slots.acquire(
    { driver, volumeHandle, urgent: request.urgent },
    { signal },
  );
  return await new SnapshotAttempt(context, request, report).cut({ signal });
}

/** The one attempt to snapshot a claim: requests, follows, protects, and undoes what it made when it fails. */
class SnapshotAttempt {
  readonly #context: SnapshotContext;
  readonly #request: TakeSnapshotRequest;
  readonly #report: (report: SnapshotReport) => void;
  readonly #driver: string;
  #pending: PendingSnapshot;
  #classDeletionPolicy: 'Delete' | 'Retain' = 'Delete';

  constructor(
    context: SnapshotContext,
    request: TakeSnapshotRequest,
    report: (report: SnapshotReport) => void,
  ) {
    this.#context = context;
    this.#request = request;
    this.#report = report;
    this.#driver = stringAt(request.volume, ['spec', 'csi', 'driver']) ?? '';
    const { namespace = '' } = request.claim.metadata;
    const name = volumeSnapshotNameOf(request.claim, randomSuffix());
    this.#pending = { namespace, name, tracked: context.observer.track(namespace, name) };
  }

  /** Creates the VolumeSnapshot and resolves when the storage has cut it; its point in time is fixed then. */
  async cut({ signal }: CallOptions): Promise<CutSnapshot> {
    return this.#orUndo(signal, async () => {
      await this.#create(signal);
      this.#report({ type: 'Requested', details: this.#details() });
      const wait = this.#startWait();
      const failed = await wait.cut({ signal });
      if (failed !== undefined) {
        throw await this.#failureOf(failed, signal);
      }
      return this.#cutSnapshot(wait);
    });
  }

  #cutSnapshot(wait: SnapshotWait): CutSnapshot {
    const { claim } = this.#request;
    const { volumeSnapshotContentName = '', snapshotHandle = '' } = this.#details();
    let ready: Promise<ReadySnapshot> | undefined;
    return {
      claimNamespace: this.#pending.namespace,
      claimName: claim.metadata.name,
      driver: this.#driver,
      volumeSnapshotName: this.#pending.name,
      volumeSnapshotContentName,
      snapshotHandle,
      ready: ({ signal } = {}) => (ready ??= this.#ready(wait, signal)),
      discard: () => this.#discard(),
    };
  }

  async #ready(wait: SnapshotWait, signal: AbortSignal | undefined): Promise<ReadySnapshot> {
    return this.#orUndo(signal, async () => {
      const step = await wait.ready({ signal });
      if (step.type === 'failed') {
        throw await this.#failureOf(step, signal);
      }
      this.#report({ type: 'ReadyToUse', details: this.#details() });
      return readySnapshot(this.#request, step, this.#classDeletionPolicy);
    });
  }

  async #discard(): Promise<void> {
    const note = await undoSnapshot(this.#context, this.#pending, undefined);
    if (note !== undefined) {
      throw snapshotFailure('discard', this.#target(), { reason: note });
    }
  }

  async #orUndo<T>(signal: AbortSignal | undefined, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      const note = await undoSnapshot(this.#context, this.#pending, error);
      this.#report({ type: 'Failed', details: this.#details() });
      if (signal?.aborted && note !== undefined) {
        const { namespace, name } = this.#pending;
        const fields = { namespace, name, note };
        this.#context.logger.warn('an aborted snapshot could not be removed', fields);
      }
      signal?.throwIfAborted();
      throw snapshotFailure('snapshot', this.#target(), {
        reason: messageOf(error),
        cause: isLifeboatError(error, 'SnapshotFailed') ? error.cause : error,
        note,
      });
    }
  }

  async #create(signal: AbortSignal | undefined): Promise<void> {
    const { backupName, runId } = this.#context;
    const { claim, snapshotClass } = this.#request;
    const { name, tracked } = this.#pending;
    const manifest = volumeSnapshotManifest({ claim, snapshotClass, name, backupName, runId });
    const created = await createOwnObject(this.#context, Resources.volumeSnapshots, manifest, {
      signal,
    });
    tracked.seed('volumeSnapshot', created);
    this.#pending = { ...this.#pending, created };
  }

  #startWait(): SnapshotWait {
    const { clock, slots, errorGraceMs, diagnoseAfterMs } = this.#context;
    const { handleTimeoutMs = 600_000, readyTimeoutMs = 14_400_000 } = this.#request;
    const driver = this.#driver;
    return new SnapshotWait({
      tracked: this.#pending.tracked,
      limits: { handleTimeoutMs, readyTimeoutMs, errorGraceMs },
      clock,
      retain: (content, signal) => this.#retain(content, signal),
      onState: (state) => {
        this.#report({ type: state, details: this.#details() });
        if (state === 'HandleAssigned') {
          slots.reportSuccess(driver);
        }
      },
      refusingSinceMs: () => slots.refusingSinceMs(driver),
      onRefusal: () => {
        slots.reportRefusal(driver, clock.now().getTime());
      },
      diagnose: async (signal) => {
        this.#report({
          type: 'Delayed',
          diagnosis: await this.#diagnose(signal),
          details: this.#details(),
        });
      },
      diagnoseAfterMs,
    });
  }

  async #retain(content: KubernetesObject, signal: AbortSignal | undefined): Promise<void> {
    const { cluster, backupName, runId } = this.#context;
    this.#classDeletionPolicy =
      stringAt(content, ['spec', 'deletionPolicy']) === 'Retain' ? 'Retain' : 'Delete';
    const reference = referenceTo(Resources.volumeSnapshotContents, content);
    const patch = retainPatch(backupName, runId);
    try {
      await cluster.patch(reference, { type: 'merge', patch }, { signal });
    } catch (error) {
      // Whether somebody has deleted the VolumeSnapshot or its content is told by the next look.
      if (!isLifeboatError(error, 'NotFound')) {
        throw error;
      }
    }
  }

  async #diagnose(signal: AbortSignal | undefined): Promise<SnapshotDiagnosis> {
    const about = { tracked: this.#pending.tracked, driver: this.#driver };
    return diagnoseSnapshot(await gatherSnapshotEvidence(this.#context, about, { signal }));
  }

  async #failureOf(
    { reason, needsDiagnosis }: FailedStep,
    signal: AbortSignal | undefined,
  ): Promise<LifeboatError> {
    const why = needsDiagnosis ? explainFailure(reason, await this.#diagnose(signal)) : reason;
    return new LifeboatError(why, { code: 'SnapshotFailed', operation: 'snapshot' });
  }

  #details(): SnapshotDetails {
    const { name, tracked } = this.#pending;
    const content = tracked.volumeSnapshotContent;
    return {
      volumeSnapshotName: name,
      volumeSnapshotContentName: content?.metadata.name,
      snapshotHandle: content && stringAt(content, ['status', 'snapshotHandle']),
    };
  }

  #target(): string {
    return describeObject(referenceTo(Resources.persistentVolumeClaims, this.#request.claim));
  }
}

// The characters that the API server itself appends to a generateName: no vowels, so no words.
const suffixCharacters = 'bcdfghjklmnpqrstvwxz2456789';
const suffixLength = 5;

function randomSuffix(): string {
  return Array.from({ length: suffixLength }, () =>
    suffixCharacters.charAt(randomInt(suffixCharacters.length)),
  ).join('');
}
