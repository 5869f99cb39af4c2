import { randomUUID } from 'node:crypto';

/** Files of a volume or a snapshot by path. */
export type FakeFiles = ReadonlyMap<string, Uint8Array>;

/** A volume on the storage. */
export interface FakeVolume {
  /** `spec.csi.volumeHandle` of its PersistentVolume. */
  readonly handle: string;
  /** The name that the driver was asked for: of the PersistentVolume. */
  readonly name: string;
  readonly sizeBytes: bigint;
  readonly files: FakeFiles;
}

/** A snapshot on the storage. It outlives the volume and every Kubernetes object. */
export interface FakeSnapshot {
  /** `status.snapshotHandle` of its VolumeSnapshotContent. */
  readonly handle: string;
  readonly name: string;
  readonly sourceVolumeHandle: string;
  /** What a volume made from it has to hold at least. */
  readonly sizeBytes: bigint;
  readonly createdAt: Date;
  /** `undefined` for one that never becomes ready. */
  readonly readyAt: Date | undefined;
  readonly files: FakeFiles;
  /** The group it was cut with. Such a snapshot is deleted with its group only. */
  readonly groupHandle?: string | undefined;
}

/** A group of snapshots that were cut at one moment. */
export interface FakeGroup {
  /** `status.volumeGroupSnapshotHandle` of its VolumeGroupSnapshotContent. */
  readonly handle: string;
  readonly name: string;
  readonly createdAt: Date;
  readonly snapshots: readonly FakeSnapshot[];
}

/**
 * The storage behind a fake CSI driver. Two clusters that are given the same one see each other's snapshots, as clusters
 * on one cloud account do.
 */
export class FakeCsiStorage {
  readonly #volumes: Map<string, FakeVolume> = new Map();
  readonly #snapshots: Map<string, FakeSnapshot> = new Map();
  readonly #groups: Map<string, FakeGroup> = new Map();

  /** The volumes that exist now, by handle. */
  get volumes(): ReadonlyMap<string, FakeVolume> {
    return new Map(this.#volumes);
  }

  /** The snapshots that exist now, by handle. */
  get snapshots(): ReadonlyMap<string, FakeSnapshot> {
    return new Map(this.#snapshots);
  }

  /** The groups of snapshots that exist now, by handle. */
  get groups(): ReadonlyMap<string, FakeGroup> {
    return new Map(this.#groups);
  }

  /** Finds a volume. */
  volume(handle: string): FakeVolume | undefined {
    return this.#volumes.get(handle);
  }

  /** Finds a snapshot. */
  snapshot(handle: string): FakeSnapshot | undefined {
    return this.#snapshots.get(handle);
  }

  /** Makes a volume; the one of that name when it exists. */
  addVolume(volume: Omit<FakeVolume, 'handle'>): FakeVolume {
    const known = this.#volumes.values().find(({ name }) => name === volume.name);
    const added = known ?? { ...volume, handle: randomUUID() };
    this.#volumes.set(added.handle, added);
    return added;
  }

  /** Makes a snapshot; the one of that name when it exists. */
  addSnapshot(snapshot: Omit<FakeSnapshot, 'handle'>): FakeSnapshot {
    const known = this.#snapshots.values().find(({ name }) => name === snapshot.name);
    const added = known ?? { ...snapshot, handle: randomUUID() };
    this.#snapshots.set(added.handle, added);
    return added;
  }

  /** Makes a group with its snapshots; the one of that name when it exists. */
  addGroup(
    { name, createdAt }: Pick<FakeGroup, 'name' | 'createdAt'>,
    snapshots: readonly Omit<FakeSnapshot, 'handle' | 'groupHandle'>[],
  ): FakeGroup {
    const known = this.#groups.values().find((group) => group.name === name);
    if (known !== undefined) {
      return known;
    }
    const handle = randomUUID();
    const members = snapshots.map((snapshot) =>
      this.addSnapshot({ ...snapshot, groupHandle: handle }),
    );
    const group = { handle, name, createdAt, snapshots: members };
    this.#groups.set(handle, group);
    return group;
  }

  /** Removes a group with its snapshots; a missing one is success. */
  deleteGroup(handle: string): void {
    this.#groups.get(handle)?.snapshots.forEach((member) => this.#snapshots.delete(member.handle));
    this.#groups.delete(handle);
  }

  /** Removes a volume; a missing one is success. */
  deleteVolume(handle: string): void {
    this.#volumes.delete(handle);
  }

  /** Removes a snapshot; a missing one is success. */
  deleteSnapshot(handle: string): void {
    this.#snapshots.delete(handle);
  }

  /** Stores a file in a volume, a copy of the bytes. */
  writeFile(handle: string, path: string, bytes: Uint8Array): void {
    const volume = this.#volumes.get(handle);
    if (volume === undefined) {
      throw new TypeError(`The storage has no volume ${handle}`);
    }
    const files = new Map(volume.files).set(path, Uint8Array.from(bytes));
    this.#volumes.set(handle, { ...volume, files });
  }
}
