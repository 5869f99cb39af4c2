import type { ImportedSnapshot } from '../snapshot/imported-snapshot.ts';
import type { OriginalVolume } from './original-volume.ts';

/** A restored claim that should get a volume. */
export interface AwaitedClaim {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  /** Whether its class waits for a pod that uses the claim. */
  readonly waitsForConsumer: boolean;
  /** The snapshot objects that it is filled from. */
  readonly imported?: ImportedSnapshot | undefined;
  /** What its new volume should have of the one it had. */
  readonly original?: OriginalVolume | undefined;
}
