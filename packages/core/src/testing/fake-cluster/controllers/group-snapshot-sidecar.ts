import { messageOf } from '../../../errors.ts';
import { type JsonObject, parseJson } from '../../../model/json.ts';
import type { KubernetesObject } from '../../../model/kubernetes.ts';
import {
  arrayAt,
  booleanAt,
  objectAt,
  objectsAt,
  stringAt,
  withValueAt,
} from '../../../model/object-path.ts';
import type { Clock } from '../../../ports/clock.ts';
import { withFinalizer, withoutFinalizer } from '../admission/set-missing.ts';
import { CsiCallFailure } from '../csi/csi-faults.ts';
import type { CsiService } from '../csi/csi-service.ts';
import type { FakeGroup, FakeSnapshot } from '../csi/fake-csi-storage.ts';
import { type Controller, ownKeys, type Requeue } from './controller.ts';
import type { ControllerClient } from './controller-client.ts';
import {
  GroupContentAnnotation,
  GroupSnapshotFinalizer,
  GroupSnapshotTable,
  groupKeyOf,
} from './group-snapshot-objects.ts';
import { RetryPause } from './retry-pause.ts';
import { withAnnotation, withoutAnnotation, withStatusError } from './snapshot-objects.ts';

/** Has the driver take and delete the groups that VolumeGroupSnapshotContents stand for. */
export class GroupSnapshotSidecar implements Controller {
  readonly name = 'csi-snapshotter-groups';
  readonly triggers: Controller['triggers'] = [ownKeys(GroupSnapshotTable.contents)];
  readonly #csi: CsiService;
  readonly #pause: RetryPause;

  constructor(csi: CsiService, clock: Clock) {
    this.#csi = csi;
    this.#pause = new RetryPause(clock);
  }

  async reconcile(name: string, client: ControllerClient): Promise<Requeue | undefined> {
    const content = client.get(GroupSnapshotTable.contents, name);
    if (content === undefined) {
      return undefined;
    }
    if (content.metadata.deletionTimestamp !== undefined) {
      return isFree(content)
        ? this.#attempt(name, client, () => this.#finishDeletion(content, client))
        : undefined;
    }
    const guarded = withFinalizer(content, GroupSnapshotFinalizer.boundContent);
    const current = client.write(GroupSnapshotTable.contents, content, guarded);
    const isOurs = stringAt(current, ['spec', 'driver']) === this.#csi.driverName;
    return isOurs && booleanAt(current, ['status', 'readyToUse']) !== true
      ? this.#attempt(name, client, () => this.#makeReady(current, client))
      : undefined;
  }

  async #makeReady(
    content: KubernetesObject,
    client: ControllerClient,
  ): Promise<Requeue | undefined> {
    const handle =
      stringAt(content, ['spec', 'source', 'groupSnapshotHandles', 'volumeGroupSnapshotHandle']) ??
      stringAt(content, ['status', 'volumeGroupSnapshotHandle']);
    const group =
      handle === undefined
        ? await this.#take(content, client)
        : await this.#csi.findGroup(handle, client.signal);
    const waits = group.snapshots.map((snapshot) => this.#csi.readyInMs(snapshot));
    const latest = client.get(GroupSnapshotTable.contents, content.metadata.name);
    if (latest !== undefined) {
      const status = statusOf(group, waits);
      client.write(
        GroupSnapshotTable.contents,
        latest,
        withoutAnnotation(
          withValueAt(latest, ['status'], status),
          GroupContentAnnotation.beingCreated,
        ),
      );
    }
    const known = waits.filter((wait) => wait !== undefined);
    const longest = Math.max(0, ...known);
    return known.length < waits.length || longest === 0 ? undefined : { afterMs: longest };
  }

  async #take(content: KubernetesObject, client: ControllerClient): Promise<FakeGroup> {
    const marked = withAnnotation(content, GroupContentAnnotation.beingCreated, 'yes');
    client.write(GroupSnapshotTable.contents, content, marked);
    const uid = stringAt(content, ['spec', 'volumeGroupSnapshotRef', 'uid']) ?? '';
    const key = groupKeyOf(content);
    return this.#csi.createGroup(
      {
        name: `groupsnapshot-${uid}`,
        volumeHandles: arrayAt(content, ['spec', 'source', 'volumeHandles']).map(String),
        namespace: key.slice(0, key.indexOf('/')),
      },
      client.signal,
    );
  }

  async #finishDeletion(
    content: KubernetesObject,
    client: ControllerClient,
  ): Promise<Requeue | undefined> {
    const { name } = content.metadata;
    const handle = stringAt(content, ['status', 'volumeGroupSnapshotHandle']);
    if (stringAt(content, ['spec', 'deletionPolicy']) === 'Delete' && handle !== undefined) {
      await this.#csi.deleteGroup(handle, memberHandlesOf(content), client.signal);
    }
    const latest = client.get(GroupSnapshotTable.contents, name);
    if (latest !== undefined) {
      const released = withoutFinalizer(latest, GroupSnapshotFinalizer.boundContent);
      client.write(GroupSnapshotTable.contents, latest, released);
    }
    return undefined;
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
      const latest = client.get(GroupSnapshotTable.contents, name);
      if (latest !== undefined) {
        const message = `Failed to create group snapshot: ${messageOf(error)}`;
        const reported = withStatusError(latest, message, client.now());
        client.write(
          GroupSnapshotTable.contents,
          latest,
          withoutAnnotation(reported, GroupContentAnnotation.beingCreated),
        );
      }
      return this.#pause.next(name);
    }
  }
}

function isFree(content: KubernetesObject): boolean {
  const uid = stringAt(content, ['spec', 'volumeGroupSnapshotRef', 'uid']) ?? '';
  const isStatic =
    objectAt(content, ['spec', 'source', 'groupSnapshotHandles']) !== undefined && uid === '';
  const { annotations = {} } = content.metadata;
  return (
    isStatic ||
    (annotations[GroupContentAnnotation.beingCreated] === undefined &&
      annotations[GroupContentAnnotation.beingDeleted] !== undefined)
  );
}

function memberHandlesOf(content: KubernetesObject): readonly string[] {
  const known = objectsAt(content, ['status', 'volumeSnapshotInfoList']);
  return known.length > 0
    ? known.map((info) => stringAt(info, ['snapshotHandle']) ?? '')
    : arrayAt(content, ['spec', 'source', 'groupSnapshotHandles', 'volumeSnapshotHandles']).map(
        String,
      );
}

function statusOf(group: FakeGroup, waits: readonly (number | undefined)[]): JsonObject {
  return {
    creationTime: group.createdAt.toISOString(),
    readyToUse: waits.every((wait) => wait === 0),
    volumeGroupSnapshotHandle: group.handle,
    volumeSnapshotInfoList: group.snapshots.map((snapshot, index) =>
      infoOf(snapshot, waits[index] === 0),
    ),
  };
}

function infoOf(snapshot: FakeSnapshot, readyToUse: boolean): JsonObject {
  return {
    // int64 nanoseconds, one of them added so that readers meet a number that JavaScript cannot hold.
    creationTime: parseJson(String(BigInt(snapshot.createdAt.getTime()) * 1_000_000n + 1n)),
    readyToUse,
    restoreSize: parseJson(String(snapshot.sizeBytes)),
    snapshotHandle: snapshot.handle,
    volumeHandle: snapshot.sourceVolumeHandle,
  };
}
