/**
 * What a group of claims got. `group`: snapshots of one moment, cut together by the storage. `volume`: each claim a snapshot of
 * its own, of moments that differ.
 */
export type VolumeGroupConsistency = 'group' | 'volume';

/** Claims of a namespace that belong together, and how consistent their snapshots are with each other. */
export interface VolumeGroup {
  readonly namespace: string;
  /** The value of the label that makes them a group. */
  readonly name: string;
  readonly consistency: VolumeGroupConsistency;
  /** The claims, sorted. With `group`, all whose volumes are in the snapshot. */
  readonly claimNames: readonly string[];
}
