import type { Clock } from '../../../ports/clock.ts';
import { CsiCallFailure, type CsiCallTarget, type CsiFaults } from './csi-faults.ts';
import { fakeCsiDriverName } from './fake-csi-driver.ts';
import type { FakeCsiStorage, FakeFiles, FakeSnapshot, FakeVolume } from './fake-csi-storage.ts';

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
