import type { KubernetesObject } from '../../../model/kubernetes.ts';
import { stringAt } from '../../../model/object-path.ts';
import type { Clock } from '../../../ports/clock.ts';
import { CsiCallFailure, type CsiCallTarget, type CsiFault, CsiFaults } from './csi-faults.ts';
import type { FakeCsiStorage, FakeFiles, FakeSnapshot, FakeVolume } from './fake-csi-storage.ts';

/** Name of the fake CSI driver, as StorageClasses, PersistentVolumes and VolumeSnapshotClasses give it. */
export const fakeCsiDriverName = 'csi.fake.lifeboat.dev';

/** Names a claim. */
export interface ClaimReference {
  readonly namespace: string;
  readonly name: string;
}

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

/** How the driver finds the PersistentVolume that a claim is bound to. */
export type FindVolume = (claim: ClaimReference) => KubernetesObject | undefined;

/** The CSI driver of a FakeCluster: what is in its volumes, what is on its storage, and what goes wrong in it. */
export class FakeCsiDriver {
  /** `csi.fake.lifeboat.dev` */
  readonly name: string = fakeCsiDriverName;
  /** The volumes and snapshots; shared by the clusters that were given the same one. */
  readonly storage: FakeCsiStorage;
  readonly #faults: CsiFaults;
  readonly #clock: Clock;
  readonly #findVolume: FindVolume;

  constructor(storage: FakeCsiStorage, clock: Clock, findVolume: FindVolume) {
    this.storage = storage;
    this.#clock = clock;
    this.#faults = new CsiFaults(clock);
    this.#findVolume = findVolume;
  }

  /**
   * Makes fitting calls of the driver fail, wait, or take snapshots that are not ready at once, until the fault has hit as
   * often as it says or is disposed.
   */
  inject(fault: CsiFault): Disposable {
    return this.#faults.inject(fault);
  }

  /** Removes every fault. */
  clearFaults(): void {
    this.#faults.clear();
  }

  /**
   * Writes a file into the volume of a claim; text as UTF-8.
   *
   * @throws TypeError when the claim is not bound to a volume of this driver.
   */
  writeFile(claim: ClaimReference, path: string, content: Uint8Array | string): void {
    const bytes = typeof content === 'string' ? Buffer.from(content) : content;
    this.storage.writeFile(this.#volumeOf(claim).handle, path, bytes);
  }

  /**
   * Reads a file from the volume of a claim; `undefined` when it is missing.
   *
   * @throws TypeError when the claim is not bound to a volume of this driver.
   */
  readFile(claim: ClaimReference, path: string): Uint8Array | undefined {
    const bytes = this.#volumeOf(claim).files.get(path);
    return bytes && Uint8Array.from(bytes);
  }

  /**
   * The paths of the files in the volume of a claim, sorted.
   *
   * @throws TypeError when the claim is not bound to a volume of this driver.
   */
  listFiles(claim: ClaimReference): readonly string[] {
    return [...this.#volumeOf(claim).files.keys()].sort();
  }

  /** @internal */
  async createVolume(request: VolumeRequest, signal: AbortSignal): Promise<FakeVolume> {
    await this.#faults.strike('CreateVolume', request, signal);
    const { name, sizeBytes } = request;
    return this.storage.addVolume({ name, sizeBytes, files: this.#sourceFiles(request) });
  }

  /** @internal */
  async deleteVolume(handle: string, signal: AbortSignal): Promise<void> {
    await this.#faults.strike('DeleteVolume', {}, signal);
    this.storage.deleteVolume(handle);
  }

  /** @internal */
  async createSnapshot(request: SnapshotRequest, signal: AbortSignal): Promise<FakeSnapshot> {
    const fault = await this.#faults.strike('CreateSnapshot', request, signal);
    const volume = this.storage.volume(request.volumeHandle);
    if (volume === undefined) {
      throw new CsiCallFailure('NotFound', `volume ${request.volumeHandle} does not exist`);
    }
    const createdAt = this.#clock.now();
    const readyAfterMs = fault?.readyAfterMs ?? 0;
    return this.storage.addSnapshot({
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

  /** @internal */
  async deleteSnapshot(handle: string, signal: AbortSignal): Promise<void> {
    await this.#faults.strike('DeleteSnapshot', {}, signal);
    this.storage.deleteSnapshot(handle);
  }

  /** @internal */
  async findSnapshot(handle: string, signal: AbortSignal): Promise<FakeSnapshot> {
    await this.#faults.strike('ListSnapshots', {}, signal);
    const snapshot = this.storage.snapshot(handle);
    if (snapshot === undefined) {
      throw new CsiCallFailure('NotFound', `snapshot ${handle} does not exist`);
    }
    return snapshot;
  }

  /**
   * Milliseconds until a snapshot is ready: zero when it is, `undefined` when it never will be.
   *
   * @internal
   */
  readyInMs({ readyAt }: FakeSnapshot): number | undefined {
    return readyAt && Math.max(0, readyAt.getTime() - this.#clock.now().getTime());
  }

  #sourceFiles({ fromSnapshotHandle, fromVolumeHandle }: VolumeRequest): FakeFiles {
    if (fromSnapshotHandle === undefined && fromVolumeHandle === undefined) {
      return new Map();
    }
    const source =
      fromSnapshotHandle === undefined
        ? this.storage.volume(fromVolumeHandle ?? '')
        : this.storage.snapshot(fromSnapshotHandle);
    if (source === undefined) {
      throw new CsiCallFailure(
        'NotFound',
        `${fromSnapshotHandle ?? fromVolumeHandle ?? ''} does not exist`,
      );
    }
    return source.files;
  }

  #volumeOf(claim: ClaimReference): FakeVolume {
    const handle = stringAt(this.#findVolume(claim) ?? {}, ['spec', 'csi', 'volumeHandle']);
    const volume = handle === undefined ? undefined : this.storage.volume(handle);
    if (volume === undefined) {
      throw new TypeError(
        `The claim ${claim.namespace}/${claim.name} is not bound to a volume of ${this.name}; await settle() first`,
      );
    }
    return volume;
  }
}
