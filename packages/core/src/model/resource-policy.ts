import type { JsonObject } from './json.ts';
import type { StringMap } from './kubernetes.ts';

/**
 * A resource policy as Velero has it: what becomes of which volumes, and filters of resources that count less than those of
 * the backup. In a cluster it is YAML text in a ConfigMap that `spec.resourcePolicy` of the backup names.
 */
export interface ResourcePolicy extends JsonObject {
  readonly version: 'v1';
  /** The first whose conditions all hold decides about a volume. */
  readonly volumePolicies?: readonly VolumePolicy[] | undefined;
  readonly includeExcludePolicy?: IncludeExcludePolicy | undefined;
}

/** What becomes of the volumes that meet some conditions. */
export interface VolumePolicy extends JsonObject {
  /** Those that are absent hold for every volume. */
  readonly conditions?: VolumeConditions | undefined;
  readonly action: VolumeAction;
}

/** Conditions of a {@link VolumePolicy}. They are about a claim's PersistentVolume, or about a volume that a pod defines. */
export interface VolumeConditions extends JsonObject {
  /** `low,high`, both inclusive; either side may be empty: `10Gi,100Gi`, `,1Ti`. */
  readonly capacity?: string | undefined;
  /** Names of StorageClasses, one of which the volume has. */
  readonly storageClass?: readonly string[] | undefined;
  /** `{}`: any NFS volume. */
  readonly nfs?: NfsCondition | undefined;
  /** `{}`: any volume of a CSI driver. */
  readonly csi?: CsiCondition | undefined;
  /** Names of volume sources, one of which the volume has: `emptyDir`, `nfs`, `csi`, … */
  readonly volumeTypes?: readonly string[] | undefined;
  /** Labels that the claim has, all of them. */
  readonly pvcLabels?: StringMap | undefined;
  /** Phases, one of which the claim is in: `Pending`, `Bound`, `Lost`. */
  readonly pvcPhase?: readonly string[] | undefined;
}

/** A condition about an NFS volume. */
export interface NfsCondition extends JsonObject {
  readonly server?: string | undefined;
  readonly path?: string | undefined;
}

/** A condition about a volume of a CSI driver. */
export interface CsiCondition extends JsonObject {
  readonly driver?: string | undefined;
  /** Needs `driver`. */
  readonly volumeAttributes?: StringMap | undefined;
}

/**
 * What is done with a volume: `snapshot` takes a CSI snapshot, `skip` leaves the data out. File system backups and custom
 * actions are not done by this engine: unless an item action does them, such a volume is left out, with a warning.
 */
export interface VolumeAction extends JsonObject {
  readonly type: 'skip' | 'snapshot' | 'fs-backup' | 'custom';
  readonly parameters?: JsonObject | undefined;
}

/** Filters of resources that count where the backup's own filters say nothing about a resource. */
export interface IncludeExcludePolicy extends JsonObject {
  readonly includedClusterScopedResources?: readonly string[] | undefined;
  readonly excludedClusterScopedResources?: readonly string[] | undefined;
  readonly includedNamespaceScopedResources?: readonly string[] | undefined;
  readonly excludedNamespaceScopedResources?: readonly string[] | undefined;
}
