import type { KubernetesObject } from '../model/kubernetes.ts';

/** Names a claim. */
export interface NamedClaim {
  readonly metadata: { readonly namespace?: string | undefined; readonly name: string };
}

/** Options of {@link ClaimVolumes.holdBack}. */
export interface HoldBackOptions {
  /** The item action that saves the data as a volume policy asks, if the policy asks for what this engine does not do. */
  readonly handledBy?: string | undefined;
  /** @default false */
  readonly urgent?: boolean | undefined;
}

/** What becomes of the volumes of the claims that go into a backup: they are snapshotted, or it is only said how they would be. */
export interface ClaimVolumes {
  /**
   * Takes a claim over when its volume has to be snapshotted first; `false` when the claim can be stored at once. An urgent
   * snapshot, for which an application stands still, goes before others that wait for the driver.
   *
   * @throws LifeboatError code SnapshotFailed when the volume should be snapshotted but cannot be.
   */
  holdBack(claim: KubernetesObject, options?: HoldBackOptions): Promise<boolean>;
  /** Resolves when the data of these claims may change again, with those of which there is a snapshot or an attempt. Never rejects. */
  untilCut(claims: readonly NamedClaim[]): Promise<readonly NamedClaim[]>;
}
