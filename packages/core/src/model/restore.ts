import type { BackupMeta, LabelSelector } from './backup.ts';
import type { JsonObject } from './json.ts';
import type { StringMap } from './kubernetes.ts';
import type { RestorePhase } from './phase.ts';

/** `spec` of a Velero Restore. Unknown fields are kept. */
export interface RestoreSpec extends JsonObject {
  readonly backupName: string;
  readonly includedNamespaces?: readonly string[];
  readonly excludedNamespaces?: readonly string[];
  readonly includedResources?: readonly string[];
  readonly excludedResources?: readonly string[];
  /** `true`: restore every cluster-scoped object; `false`: none; absent: all unless namespaces are selected. */
  readonly includeClusterResources?: boolean;
  readonly labelSelector?: LabelSelector;
  readonly orLabelSelectors?: readonly LabelSelector[];
  /** Namespace in the backup → namespace in the target. */
  readonly namespaceMapping?: StringMap;
  readonly restorePVs?: boolean;
  readonly preserveNodePorts?: boolean;
  readonly existingResourcePolicy?: 'none' | 'update' | '';
  readonly itemOperationTimeout?: string;
}

/** `status` of a Velero Restore. Counters are absent when zero. */
export interface RestoreStatus extends JsonObject {
  readonly phase: RestorePhase;
  readonly startTimestamp?: string;
  readonly completionTimestamp?: string;
  readonly progress?: { readonly totalItems: number; readonly itemsRestored: number };
  readonly warnings?: number;
  readonly errors?: number;
}

/** A Velero Restore. */
export interface Restore extends JsonObject {
  readonly kind: 'Restore';
  readonly apiVersion: 'velero.io/v1';
  readonly metadata: BackupMeta;
  readonly spec: RestoreSpec;
  readonly status: RestoreStatus;
}
