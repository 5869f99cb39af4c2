import type { Backup } from '../model/backup.ts';
import type { KubernetesManifest, KubernetesObject } from '../model/kubernetes.ts';
import type { Restore } from '../model/restore.ts';

/** What a {@link RestoreTransform} knows besides the object. */
export interface TransformContext {
  /** `<resource>` or `<resource>.<group>`. */
  readonly groupResource: string;
  /** In the backup; absent for a cluster-scoped object. */
  readonly originalNamespace: string | undefined;
  /** In the backup. */
  readonly originalName: string;
  /** Where the object is restored; absent for a cluster-scoped object. */
  readonly targetNamespace: string | undefined;
  /** The object as the backup holds it, with its status. */
  readonly itemFromBackup: KubernetesObject;
  readonly backup: Backup;
  readonly restore: Restore;
  readonly signal: AbortSignal;
}

/** Why a transform leaves an object out. */
export interface TransformSkip {
  /** For the result, for people. */
  readonly skip: string;
}

/** What a transform makes of an object: another one in its place, or none. */
export type TransformResult = KubernetesManifest | TransformSkip;

/**
 * Changes an object on its way out of a backup. It gets a copy, after item actions and resource modifiers, with the namespace that it
 * has in the backup.
 *
 * - The name may change; what refers to the object by its name is not changed with it.
 * - apiVersion, kind and namespace must stay: a restore whose transform changes them fails the object, as one that throws does.
 * - Planning calls it too, and applying a plan calls it again: it must depend on nothing but what it is given.
 */
export type RestoreTransform = (
  object: KubernetesManifest,
  context: TransformContext,
) => TransformResult | Promise<TransformResult>;
