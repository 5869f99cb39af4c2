import type { Backup } from '../model/backup.ts';
import type { ClaimConsistency } from '../model/claim-consistency.ts';
import type { Issue } from '../model/issue.ts';
import type { CallOptions } from '../ports/object-store.ts';

/** How to verify a backup. */
export interface VerifyOptions extends CallOptions {
  /**
   * Whether to look for the storage snapshots too. That needs a cluster which reaches their storage and the right to create
   * VolumeSnapshotContents in it. @default true
   */
  readonly snapshots?: boolean | undefined;
  /** How long a driver may take to say whether it has a snapshot. @default 60000 */
  readonly snapshotTimeoutMs?: number | undefined;
}

/** What became of a verification. */
export interface VerifyResult {
  readonly backup: Backup;
  /** Whether the backup can be restored as far as it says it can: no issue is an error. */
  readonly intact: boolean;
  /**
   * What the files were held against: the digests of the backup's manifest, or, where there is none, as in a backup made by
   * Velero, only whether they can be read.
   */
  readonly heldAgainst: 'digests' | 'structure';
  /** Objects in the archive. */
  readonly objects: number;
  /** Storage snapshots that were found. */
  readonly snapshots: number;
  /** How consistent the data of each snapshotted claim is, as the manifest says; absent where it does not: in a backup made by Velero. */
  readonly claims?: readonly ClaimConsistency[] | undefined;
  readonly issues: readonly Issue[];
}
