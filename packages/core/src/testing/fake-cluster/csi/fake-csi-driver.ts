import type { KubernetesObject } from '../../../model/kubernetes.ts';
import { stringAt } from '../../../model/object-path.ts';
import type { CsiFault, CsiFaults } from './csi-faults.ts';
import type { FakeCsiStorage, FakeVolume } from './fake-csi-storage.ts';

/** Name of the fake CSI driver, as StorageClasses, PersistentVolumes and VolumeSnapshotClasses give it. */
export const fakeCsiDriverName = 'csi.fake.lifeboat.dev';

/** Names a claim. */
export interface ClaimReference {
  readonly namespace: string;
  readonly name: string;
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
  readonly #findVolume: FindVolume;

  constructor(storage: FakeCsiStorage, faults: CsiFaults, findVolume: FindVolume) {
    this.storage = storage;
    this.#faults = faults;
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
