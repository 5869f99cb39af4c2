import type { BackupMeta, LabelSelector } from './backup.ts';
import type { JsonObject } from './json.ts';
import type { StringMap } from './kubernetes.ts';
import type { RestorePhase } from './phase.ts';

/** `spec.restoreStatus` of a Velero Restore: of which resources the status is restored. */
export interface RestoreStatusSpec extends JsonObject {
  /** @default every resource */
  readonly includedResources?: readonly string[];
  readonly excludedResources?: readonly string[];
}

/** A command that runs in a restored pod once its container has started. */
export interface RestoreExecHook extends JsonObject {
  /** @default the pod's first container */
  readonly container?: string;
  /** Program and arguments; no shell is added. */
  readonly command: readonly string[];
  /** What becomes of the pod's other hooks when it fails. @default 'Fail' */
  readonly onError?: 'Continue' | 'Fail';
  /** @default '30s' */
  readonly execTimeout?: string;
  /** How long the container may take to start; `0s` counts as absent. @default as `RestoreOptions.hookWaitTimeoutMs` says */
  readonly waitTimeout?: string;
  /** Wait until the container is ready, not just running. @default false */
  readonly waitForReady?: boolean;
}

/** Containers that run in a restored pod before its own. */
export interface RestoreInitHook extends JsonObject {
  /** As in a pod; each needs `name`, `image` and `command`. */
  readonly initContainers: readonly JsonObject[];
  /** Has no effect, as with Velero, but for a warning of each pod: Kubernetes has no limit for the time of an init container. */
  readonly timeout?: string;
}

/** One hook of a {@link RestoreResourceHook}: one of the two. */
export interface RestoreHookHandler extends JsonObject {
  readonly exec?: RestoreExecHook;
  readonly init?: RestoreInitHook;
}

/** Hooks for the restored pods that all of its filters let in; absent filters let every pod in. Namespaces are those of the target. */
export interface RestoreResourceHook extends JsonObject {
  readonly name: string;
  readonly includedNamespaces?: readonly string[];
  readonly excludedNamespaces?: readonly string[];
  readonly includedResources?: readonly string[];
  readonly excludedResources?: readonly string[];
  readonly labelSelector?: LabelSelector;
  readonly postHooks?: readonly RestoreHookHandler[];
}

/** `spec.hooks` of a Velero Restore. */
export interface RestoreHooksSpec extends JsonObject {
  readonly resources?: readonly RestoreResourceHook[];
}

/** `spec` of a Velero Restore. Unknown fields are kept. */
export interface RestoreSpec extends JsonObject {
  /** Empty when `scheduleName` says which backup is meant. */
  readonly backupName: string;
  /** With an empty `backupName`: restore the latest completed backup of this schedule. */
  readonly scheduleName?: string;
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
  /** A ConfigMap in the namespace of Velero that holds resource modifiers. */
  readonly resourceModifier?: { readonly kind: string; readonly name: string };
  readonly existingResourcePolicy?: 'none' | 'update' | '';
  readonly itemOperationTimeout?: string;
  readonly hooks?: RestoreHooksSpec;
  /** Absent: no status is restored but of objects that are annotated with `velero.io/restore-status: "true"`. */
  readonly restoreStatus?: RestoreStatusSpec | null;
}

/** `status` of a Velero Restore. Counters are absent when zero. */
export interface RestoreStatus extends JsonObject {
  readonly phase: RestorePhase;
  readonly startTimestamp?: string;
  readonly completionTimestamp?: string;
  readonly progress?: { readonly totalItems: number; readonly itemsRestored: number };
  readonly warnings?: number;
  readonly errors?: number;
  /** Operations that item actions have begun. */
  readonly restoreItemOperationsAttempted?: number;
  readonly restoreItemOperationsCompleted?: number;
  readonly restoreItemOperationsFailed?: number;
  readonly hookStatus?: { readonly hooksAttempted?: number; readonly hooksFailed?: number };
}

/** A Velero Restore. */
export interface Restore extends JsonObject {
  readonly kind: 'Restore';
  readonly apiVersion: 'velero.io/v1';
  readonly metadata: BackupMeta;
  readonly spec: RestoreSpec;
  readonly status: RestoreStatus;
}
