import type { Clock } from '../../../ports/clock.ts';
import { CsiCallFailure, type CsiCallTarget, type CsiFaults } from './csi-faults.ts';
import { fakeCsiDriverName } from './fake-csi-driver.ts';
import type {
  FakeCsiStorage,
  FakeFiles,
  FakeGroup,
  FakeSnapshot,
  FakeVolume,
} from './fake-csi-storage.ts';

/** A volume to make. */
export interface VolumeRequest extends CsiCallTarget {
  readonly name: string;
  readonly sizeBytes: bigint;
  readonly fromSnapshotHandle?: string | undefined;
  readonly fromVolumeHandle?: string | undefined;
}

/** A snapshot to take. */
export interface SnapshotRequest extends CsiCallTarget {
  readonly name: string;
  readonly volumeHandle: string;
}

/** A group of snapshots to take. */
export interface GroupRequest extends CsiCallTarget {
  readonly name: string;
  readonly volumeHandles: readonly string[];
}

/** The calls that the sidecars make to the driver. Each rejects with {@link CsiCallFailure} when it fails. */
export class CsiService {
  /** `csi.fake.lifeboat.dev` */
  readonly driverName: string = fakeCsiDriverName;
  readonly #storage: FakeCsiStorage;
  readonly #faults: CsiFaults;
  readonly #clock: Clock;

  constructor(storage: FakeCsiStorage, faults: CsiFaults, clock: Clock) {
    this.#storage = storage;
    this.#faults = faults;
    this.#clock = clock;
  }

  /** Makes a volume, empty or a copy. */
  async createVolume(request: VolumeRequest, signal: AbortSignal): Promise<FakeVolume> {
    await this.#faults.strike('CreateVolume', request, signal);
    const { name, sizeBytes } = request;
    return this.#storage.addVolume({ name, sizeBytes, files: this.#sourceFiles(request) });
  }

  /** Removes a volume; a missing one is success. */
  async deleteVolume(handle: string, signal: AbortSignal): Promise<void> {
    await this.#faults.strike('DeleteVolume', {}, signal);
    this.#storage.deleteVolume(handle);
  }

  /** Takes a snapshot: what the volume holds at this moment. */
  async createSnapshot(request: SnapshotRequest, signal: AbortSignal): Promise<FakeSnapshot> {
    const fault = await this.#faults.strike('CreateSnapshot', request, signal);
    const volume = this.#storage.volume(request.volumeHandle);
    if (volume === undefined) {
      throw new CsiCallFailure('NotFound', `volume ${request.volumeHandle} does not exist`);
    }
    const createdAt = this.#clock.now();
    const readyAfterMs = fault?.readyAfterMs ?? 0;
    return this.#storage.addSnapshot({
      name: request.name,
      sourceVolumeHandle: volume.handle,
      sizeBytes: volume.sizeBytes,
      createdAt,
      readyAt: Number.isFinite(readyAfterMs)
        ? new Date(createdAt.getTime() + readyAfterMs)
        : undefined,
      files: volume.files,
    });
  }

  /** Removes a snapshot; a missing one is success. */
  async deleteSnapshot(handle: string, signal: AbortSignal): Promise<void> {
    await this.#faults.strike('DeleteSnapshot', {}, signal);
    this.#storage.deleteSnapshot(handle);
  }

  /** Finds a snapshot by its handle. */
  async findSnapshot(handle: string, signal: AbortSignal): Promise<FakeSnapshot> {
    await this.#faults.strike('ListSnapshots', {}, signal);
    const snapshot = this.#storage.snapshot(handle);
    if (snapshot === undefined) {
      throw new CsiCallFailure('NotFound', `snapshot ${handle} does not exist`);
    }
    return snapshot;
  }

  /** Takes the snapshots of several volumes: what they hold at this one moment. */
  async createGroup(request: GroupRequest, signal: AbortSignal): Promise<FakeGroup> {
    const fault = await this.#faults.strike('CreateVolumeGroupSnapshot', request, signal);
    const createdAt = this.#clock.now();
    const readyAfterMs = fault?.readyAfterMs ?? 0;
    const readyAt = Number.isFinite(readyAfterMs)
      ? new Date(createdAt.getTime() + readyAfterMs)
      : undefined;
    const snapshots = request.volumeHandles.map((volumeHandle, index) => {
      const volume = this.#storage.volume(volumeHandle);
      if (volume === undefined) {
        throw new CsiCallFailure('NotFound', `volume ${volumeHandle} does not exist`);
      }
      const { handle: sourceVolumeHandle, sizeBytes, files } = volume;
      const name = `${request.name}-${index}`;
      return { name, sourceVolumeHandle, sizeBytes, createdAt, readyAt, files };
    });
    return this.#storage.addGroup({ name: request.name, createdAt }, snapshots);
  }

  /**
   * Removes a group with its snapshots; a missing one is success. A list of snapshots that is not the group's is refused, as
   * the Container Storage Interface wants it.
   */
  async deleteGroup(
    handle: string,
    snapshotHandles: readonly string[],
    signal: AbortSignal,
  ): Promise<void> {
    await this.#faults.strike('DeleteVolumeGroupSnapshot', {}, signal);
    const members = this.#storage.groups.get(handle)?.snapshots ?? [];
    const isOther = new Set(snapshotHandles).symmetricDifference(
      new Set(members.map((member) => member.handle)),
    );
    if (members.length > 0 && isOther.size > 0) {
      throw new CsiCallFailure('InvalidArgument', `group ${handle} holds other snapshots`);
    }
    this.#storage.deleteGroup(handle);
  }

  /** Finds a group by its handle. */
  async findGroup(handle: string, signal: AbortSignal): Promise<FakeGroup> {
    await this.#faults.strike('GetVolumeGroupSnapshot', {}, signal);
    const group = this.#storage.groups.get(handle);
    if (group === undefined) {
      throw new CsiCallFailure('NotFound', `group ${handle} does not exist`);
    }
    return group;
  }

  /** Milliseconds until a snapshot is ready: zero when it is, `undefined` when it never will be. */
  readyInMs({ readyAt }: FakeSnapshot): number | undefined {
    return readyAt && Math.max(0, readyAt.getTime() - this.#clock.now().getTime());
  }

  #sourceFiles({ fromSnapshotHandle, fromVolumeHandle }: VolumeRequest): FakeFiles {
    if (fromSnapshotHandle === undefined && fromVolumeHandle === undefined) {
      return new Map();
    }
    const source =
      fromSnapshotHandle === undefined
        ? this.#storage.volume(fromVolumeHandle ?? '')
        : this.#storage.snapshot(fromSnapshotHandle);
    if (source === undefined) {
      throw new CsiCallFailure(
        'NotFound',
        `${fromSnapshotHandle ?? fromVolumeHandle ?? ''} does not exist`,
      );
    }
    return source.files;
  }
}
