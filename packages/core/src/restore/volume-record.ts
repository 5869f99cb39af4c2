import type { JsonObject } from '../model/json.ts';
import { booleanAt, numberAt, stringAt } from '../model/object-path.ts';
import { type OriginalVolume, originalOfRecord } from './original-volume.ts';

/** What a backup's volume information says of one volume. Velero writes it since 1.13. */
export interface VolumeRecord {
  readonly backupMethod: string | undefined;
  /** Whether the data was moved into a repository. */
  readonly dataMoved: boolean;
  readonly driver: string | undefined;
  readonly snapshotHandle: string | undefined;
  readonly volumeSnapshotContentName: string | undefined;
  readonly sizeBytes: number | undefined;
  readonly original: OriginalVolume | undefined;
}

// Written where the data was moved: the snapshot is gone.
const unknown = 'unknown';

/** Reads an entry of the volume information. */
export function volumeRecordOf(entry: JsonObject): VolumeRecord {
  const text = (field: string): string | undefined => {
    const value = stringAt(entry, ['csiSnapshotInfo', field]);
    return value === '' || value === unknown ? undefined : value;
  };
  return {
    backupMethod: stringAt(entry, ['backupMethod']),
    dataMoved: booleanAt(entry, ['snapshotDataMoved']) === true,
    driver: text('driver'),
    snapshotHandle: text('snapshotHandle'),
    volumeSnapshotContentName: text('vscName'),
    sizeBytes: numberAt(entry, ['csiSnapshotInfo', 'size']),
    original: originalOfRecord(entry),
  };
}

/** The records of a backup, found by volume or by claim. */
export class VolumeRecords {
  readonly #byVolume = new Map<string, VolumeRecord>();
  readonly #byClaim = new Map<string, VolumeRecord>();

  /** @param volumeInfo the entries of the file; of two for one volume the last counts, as for Velero. */
  constructor(volumeInfo: readonly JsonObject[]) {
    for (const entry of volumeInfo) {
      const record = volumeRecordOf(entry);
      const volumeName = stringAt(entry, ['pvName']) ?? '';
      const claimName = stringAt(entry, ['pvcName']) ?? '';
      if (volumeName !== '') {
        this.#byVolume.set(volumeName, record);
      }
      if (claimName !== '') {
        this.#byClaim.set(`${stringAt(entry, ['pvcNamespace']) ?? ''}/${claimName}`, record);
      }
    }
  }

  /** The record of a volume. */
  ofVolume(name: string): VolumeRecord | undefined {
    return this.#byVolume.get(name);
  }

  /** The record of the volume that a claim names, or, if it names none or an unknown one, of the claim itself. */
  ofClaim(
    namespace: string | undefined,
    name: string,
    volumeName: string | undefined,
  ): VolumeRecord | undefined {
    return (
      (volumeName === undefined ? undefined : this.#byVolume.get(volumeName)) ??
      this.#byClaim.get(`${namespace ?? ''}/${name}`)
    );
  }
}
