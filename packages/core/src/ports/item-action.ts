import type { Backup } from '../model/backup.ts';
import type { Issue } from '../model/issue.ts';
import type { KubernetesManifest, KubernetesObject, ObjectReference } from '../model/kubernetes.ts';
import type { Restore } from '../model/restore.ts';
import type { Cluster } from './cluster.ts';

/** Which objects an action is asked about. */
export interface ItemActionScope {
  /** `<resource>` or `<resource>.<group>`, exact; absent: every resource. */
  readonly resources?: readonly string[] | undefined;
}

/** What a backup action is given: an object as the API server sent it, after the actions before it. */
export interface BackupItemInput {
  readonly item: KubernetesObject;
  readonly backup: Backup;
  readonly cluster: Cluster;
  readonly signal: AbortSignal;
}

/** What a backup action decides. */
export interface BackupItemOutput {
  /** The object to store. @default the object as it came in */
  readonly item?: KubernetesObject | undefined;
  /** Objects to store too. One that does not exist is a warning. */
  readonly additionalItems?: readonly ObjectReference[] | undefined;
  readonly issues?: readonly Issue[] | undefined;
}

/**
 * Changes objects on their way into a backup, or pulls others along. Actions run in order of name; one that rejects keeps
 * its object out of the backup and makes an error issue.
 */
export interface BackupItemAction {
  /** Unique, with the domain of its author: `example.com/strip-status`. */
  readonly name: string;
  readonly appliesTo: ItemActionScope;
  execute(input: BackupItemInput): Promise<BackupItemOutput>;
}

/** What a restore action is given. */
export interface RestoreItemInput {
  /** The object to create, after metadata reset and the actions before it; its namespace is still the one in the backup. */
  readonly item: KubernetesManifest;
  /** The object as the backup holds it, with its status. */
  readonly itemFromBackup: KubernetesObject;
  readonly targetNamespace: string | undefined;
  readonly restore: Restore;
  readonly backup: Backup;
  readonly cluster: Cluster;
  readonly signal: AbortSignal;
}

/** What a restore action decides. */
export interface RestoreItemOutput {
  /** The object to create. @default the object as it came in */
  readonly item?: KubernetesManifest | undefined;
  /** Do not create it, and why, for the result. */
  readonly skip?: string | undefined;
  readonly issues?: readonly Issue[] | undefined;
}

/**
 * Changes objects on their way out of a backup, or keeps them from being restored. Actions run in order of name; one that
 * rejects fails its object with an error issue.
 */
export interface RestoreItemAction {
  /** Unique, with the domain of its author: `example.com/change-ingress-host`. */
  readonly name: string;
  readonly appliesTo: ItemActionScope;
  execute(input: RestoreItemInput): Promise<RestoreItemOutput>;
}
