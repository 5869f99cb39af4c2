import type { Issue } from '../model/issue.ts';
import type { KubernetesObject, ObjectReference } from '../model/kubernetes.ts';
import type { SpooledEntry } from './backup-entries.ts';

/** An object that a restore has just created. */
export interface CreatedItem {
  readonly reference: ObjectReference;
  /** As the API server returned it. */
  readonly created: KubernetesObject;
  readonly entry: SpooledEntry;
  /** The object as the backup holds it, with its status. */
  readonly itemFromBackup: KubernetesObject;
}

/** An object of the backup whose place an object of the target had already, which is the same or was made so. */
export interface ExistingItem {
  readonly reference: ObjectReference;
  readonly existing: KubernetesObject;
  /** The object as the backup holds it, with its status. */
  readonly itemFromBackup: KubernetesObject;
}

/**
 * Something to do with each object that was created: restore its status, start its hooks. It runs in the object's place of the
 * bounded concurrency, so what takes long is started here and awaited elsewhere. Returns what went wrong; one that rejects
 * makes an error issue of the object, which stays created.
 */
export type AfterCreation = (item: CreatedItem, signal: AbortSignal) => Promise<readonly Issue[]>;
