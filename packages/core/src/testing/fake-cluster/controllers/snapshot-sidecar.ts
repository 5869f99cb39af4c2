import { messageOf } from '../../../errors.ts';
import { type JsonObject, parseJson } from '../../../model/json.ts';
import type { KubernetesObject } from '../../../model/kubernetes.ts';
import { arrayAt, booleanAt, stringAt, withValueAt } from '../../../model/object-path.ts';
import type { Clock } from '../../../ports/clock.ts';
import { withFinalizer, withoutFinalizer } from '../admission/set-missing.ts';
import { CsiCallFailure } from '../csi/csi-faults.ts';
import type { CsiService } from '../csi/csi-service.ts';
import type { FakeSnapshot } from '../csi/fake-csi-storage.ts';
import type { TableChange } from '../object-table.ts';
import { type Controller, ownKeys, type Requeue } from './controller.ts';
import type { ControllerClient } from './controller-client.ts';
import { RetryPause } from './retry-pause.ts';
import {
  ContentAnnotation,
  contentNameOf,
  SnapshotFinalizer,
  SnapshotTable,
  snapshotKeyOf,
  withAnnotation,
  withoutAnnotation,
  withStatusError,
} from './snapshot-objects.ts';

/** Has the driver take and delete the snapshots that VolumeSnapshotContents stand for. */
export class SnapshotSidecar implements Controller {
  readonly name = 'csi-snapshotter';
  readonly triggers: Controller['triggers'] = [
    ownKeys(SnapshotTable.contents),
    {
      table: SnapshotTable.snapshots,
      keys: ({ object }: TableChange): readonly string[] => [contentNameOf(object)],
    },
  ];
  readonly #csi: CsiService;
  readonly #pause: RetryPause;

  constructor(csi: CsiService, clock: Clock) {
    this.#csi = csi;
    this.#pause = new RetryPause(clock);
  }

  async reconcile(name: string, client: ControllerClient): Promise<Requeue | undefined> {
    const content = client.get(SnapshotTable.contents, name);
    if (content === undefined) {
      return undefined;
    }
    const isOurs = stringAt(content, ['spec', 'driver']) === this.#csi.driverName;
    if (content.metadata.deletionTimestamp !== undefined) {
      return isOurs ? this.#finishDeletion(content, client) : undefined;
    }
    if (!isOurs) {
      guardBound(content, client);
      return undefined;
    }
    const guarded = withFinalizer(content, SnapshotFinalizer.boundContent);
    const current = client.write(SnapshotTable.contents, content, guarded);
    if (isReady(current)) {
      return undefined;
    }
    return this.#attempt(name, client, () => this.#makeReady(current, client));
  }

  async #makeReady(
    content: KubernetesObject,
    client: ControllerClient,
  ): Promise<Requeue | undefined> {
    const handle =
      stringAt(content, ['spec', 'source', 'snapshotHandle']) ??
      stringAt(content, ['status', 'snapshotHandle']);
    const snapshot =
      handle === undefined
        ? await this.#take(content, client)
        : await this.#csi.findSnapshot(handle, client.signal);
    const readyInMs = this.#csi.readyInMs(snapshot);
    const latest = client.get(SnapshotTable.contents, content.metadata.name);
    if (latest !== undefined) {
      const written = withValueAt(latest, ['status'], statusOf(snapshot, readyInMs === 0));
      client.write(
        SnapshotTable.contents,
        latest,
        withoutAnnotation(written, ContentAnnotation.beingCreated),
      );
    }
    return readyInMs === undefined || readyInMs === 0 ? undefined : { afterMs: readyInMs };
  }

  async #take(content: KubernetesObject, client: ControllerClient): Promise<FakeSnapshot> {
    const marked = withAnnotation(content, ContentAnnotation.beingCreated, 'yes');
    client.write(SnapshotTable.contents, content, marked);
    const snapshotKey = snapshotKeyOf(content);
    const snapshot = client.get(SnapshotTable.snapshots, snapshotKey);
    return this.#csi.createSnapshot(
      {
        name: `snapshot-${stringAt(content, ['spec', 'volumeSnapshotRef', 'uid']) ?? ''}`,
        volumeHandle: stringAt(content, ['spec', 'source', 'volumeHandle']) ?? '',
        namespace: snapshotKey.slice(0, snapshotKey.indexOf('/')),
        claimName: snapshot && stringAt(snapshot, ['spec', 'source', 'persistentVolumeClaimName']),
      },
      client.signal,
    );
  }

  async #finishDeletion(
    content: KubernetesObject,
    client: ControllerClient,
  ): Promise<Requeue | undefined> {
    const { name } = content.metadata;
    const isGuarded = arrayAt(content, ['metadata', 'finalizers']).includes(
      SnapshotFinalizer.boundContent,
    );
    if (!isGuarded || !isFree(content)) {
      return undefined;
    }
    return this.#attempt(name, client, async () => {
      const handle =
        stringAt(content, ['status', 'snapshotHandle']) ??
        stringAt(content, ['spec', 'source', 'snapshotHandle']);
      const isDeleting = stringAt(content, ['spec', 'deletionPolicy']) === 'Delete';
      // A member is deleted with its group, so the driver is not asked.
      const isMember = stringAt(content, ['status', 'volumeGroupSnapshotHandle']) !== undefined;
      if (isDeleting && handle !== undefined && !isMember) {
        await this.#csi.deleteSnapshot(handle, client.signal);
      }
      const latest = client.get(SnapshotTable.contents, name);
      if (latest !== undefined) {
        const released = withoutFinalizer(latest, SnapshotFinalizer.boundContent);
        client.write(SnapshotTable.contents, latest, released);
      }
      return undefined;
    });
  }

  async #attempt(
    name: string,
    client: ControllerClient,
    work: () => Promise<Requeue | undefined>,
  ): Promise<Requeue | undefined> {
    const pause = this.#pause.current(name);
    if (pause !== undefined) {
      return pause;
    }
    try {
      const requeue = await work();
      this.#pause.reset(name);
      return requeue;
    } catch (error) {
      if (!(error instanceof CsiCallFailure)) {
        throw error;
      }
      const latest = client.get(SnapshotTable.contents, name);
      if (latest !== undefined) {
        reportFailure(latest, error, client);
      }
      return this.#pause.next(name);
    }
  }
}

// The snapshot-controller does it for every driver, once a content is bound; only the sidecar of its driver takes it off again.
function guardBound(content: KubernetesObject, client: ControllerClient): void {
  if ((stringAt(content, ['spec', 'volumeSnapshotRef', 'uid']) ?? '') !== '') {
    const guarded = withFinalizer(content, SnapshotFinalizer.boundContent);
    client.write(SnapshotTable.contents, content, guarded);
  }
}

function reportFailure(content: KubernetesObject, error: Error, client: ControllerClient): void {
  const isGoing = content.metadata.deletionTimestamp !== undefined;
  const message = isGoing
    ? `Failed to delete snapshot: ${messageOf(error)}`
    : `Failed to check and update snapshot content: failed to take snapshot of the volume ${
        stringAt(content, ['spec', 'source', 'volumeHandle']) ?? 'of the content'
      }: ${JSON.stringify(messageOf(error))}`;
  const reason = isGoing ? 'SnapshotDeleteError' : 'SnapshotContentCheckandUpdateFailed';
  client.note(content, { type: 'Warning', reason, message });
  client.write(
    SnapshotTable.contents,
    content,
    withoutAnnotation(
      withStatusError(content, message, client.now()),
      ContentAnnotation.beingCreated,
    ),
  );
}

/** Whether a content that is being deleted may go: nothing is bound to it, or its VolumeSnapshot was deleted before it. */
function isFree(content: KubernetesObject): boolean {
  const uid = stringAt(content, ['spec', 'volumeSnapshotRef', 'uid']) ?? '';
  if (isStatic(content) && uid === '') {
    return true;
  }
  const isMarked = (name: string): boolean =>
    stringAt(content, ['metadata', 'annotations', name]) !== undefined;
  return !isMarked(ContentAnnotation.beingCreated) && isMarked(ContentAnnotation.beingDeleted);
}

function isStatic(content: KubernetesObject): boolean {
  return stringAt(content, ['spec', 'source', 'snapshotHandle']) !== undefined;
}

function isReady(content: KubernetesObject): boolean {
  return booleanAt(content, ['status', 'readyToUse']) === true;
}

function statusOf(snapshot: FakeSnapshot, isReadyNow: boolean): JsonObject {
  return {
    // int64 nanoseconds, one of them added so that readers meet a number that JavaScript cannot hold.
    creationTime: parseJson(String(BigInt(snapshot.createdAt.getTime()) * 1_000_000n + 1n)),
    readyToUse: isReadyNow,
    restoreSize: parseJson(String(snapshot.sizeBytes)),
    snapshotHandle: snapshot.handle,
    ...(snapshot.groupHandle !== undefined && { volumeGroupSnapshotHandle: snapshot.groupHandle }),
  };
}
