import type { RestoreAction } from '../model/event.ts';
import type { ResourceIdentifier } from '../model/kubernetes.ts';
import type { SpooledEntry } from './backup-entries.ts';
import type { LiveObject } from './live-objects.ts';

/** What is done with the entries of a backup, one after another: a restore carries them out, a plan writes them down. */
export interface ItemHandler {
  /**
   * Begins to make ready the namespace that one of the backup is restored as, and resolves when that is done; with an
   * {@link EndingNamespace} when it is to wait for one that is being deleted.
   */
  beginNamespace(namespace: string, signal: AbortSignal): Promise<EndingNamespace | undefined>;
  /** Makes ready such a namespace within work that the pool has begun; `false` when that fails. */
  ensureNamespace(namespace: string, signal: AbortSignal): Promise<boolean>;
  /** Whether a target namespace is known to hold nothing. */
  isNew(targetNamespace: string): boolean;
  handle(entry: SpooledEntry, live: LiveObject, signal: AbortSignal): Promise<HandledItem>;
  /** Called once all definitions were handled. */
  definitionsHandled(definitions: HandledDefinitions, signal: AbortSignal): Promise<void>;
}

/** What became of an entry. */
export interface HandledItem {
  readonly action: RestoreAction;
  /** What stands in the target for it; absent when nothing does. */
  readonly target: ResourceIdentifier | undefined;
}

/** Names of definitions, which are the group resources that they define. */
export interface HandledDefinitions {
  readonly changed: readonly string[];
  /** The changed ones, and those that exist. */
  readonly names: readonly string[];
}

/** A namespace that is being deleted, and has to go before objects can be restored into it. */
export interface EndingNamespace {
  /** Resolves when it has gone and was made anew; `false` when that fails. */
  readonly isReady: Promise<boolean>;
}
