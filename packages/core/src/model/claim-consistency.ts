/** As of which moment, and in which state, a backup has the data of a claim. */
export interface ClaimConsistency {
  readonly namespace: string;
  readonly claimName: string;
  /**
   * `application`: the snapshot was cut while the pre hooks of every pod that mounts the claim, as far as the backup takes it, had
   * succeeded and the post hooks had not begun. `crash`: as after a power cut.
   */
  readonly level: 'application' | 'crash';
  /** The volume group with whose claims it shares the moment; absent: the moment is its own. */
  readonly volumeGroup?: string | undefined;
}
