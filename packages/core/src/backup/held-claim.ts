import type { KubernetesObject } from '../model/kubernetes.ts';
import type { ReadySnapshot } from '../snapshot/ready-snapshot.ts';

/** How the snapshot of one held claim ended. */
export type VolumeOutcome =
  | {
      readonly claim: KubernetesObject;
      readonly volume: KubernetesObject;
      readonly snapshot: ReadySnapshot;
    }
  | {
      readonly claim: KubernetesObject;
      readonly volume: KubernetesObject;
      readonly error: unknown;
    };

/** A claim that is held back until its snapshot is there. Its promises never reject. */
export interface HeldClaim {
  readonly claim: KubernetesObject;
  /** Settles when the storage has cut the snapshot, or it has failed. */
  readonly cut: Promise<void>;
  readonly outcome: Promise<VolumeOutcome>;
}
