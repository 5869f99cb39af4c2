import { isLifeboatError, messageOf } from '../errors.ts';
import type { AdaptivePool } from '../internal/adaptive-pool.ts';
import type { DeletionObserver } from '../internal/deletion-observer.ts';
import { unlessAborted } from '../internal/unless-aborted.ts';
import type { KubernetesObject } from '../model/kubernetes.ts';
import { Resources } from '../model/resources.ts';
import type { Restore } from '../model/restore.ts';
import type { Clock } from '../ports/clock.ts';
import type { Cluster } from '../ports/cluster.ts';
import type { BackupContents } from './backup-contents.ts';
import type { EndingNamespace } from './item-handler.ts';
import { namespaceManifest } from './namespace-manifest.ts';
import { targetNamespaceOf } from './namespace-mapping.ts';
import type { RestoreRecord } from './restore-record.ts';
import { waitUntilGone } from './wait-until-gone.ts';
import { writeDeadline } from './write-deadline.ts';

/** What {@link TargetNamespaces} works with. */
export interface TargetNamespacesOptions {
  readonly cluster: Cluster;
  readonly clock: Clock;
  readonly contents: BackupContents;
  readonly restore: Restore;
  readonly record: RestoreRecord;
  /** How long a terminating namespace may take to go away. */
  readonly timeoutMs: number;
  readonly deletions: DeletionObserver;
  /** Has begun the work in which objects are restored. */
  readonly pool: Pick<AdaptivePool, 'pause'>;
  /** Ends what is done for namespaces, whoever has asked for it. */
  readonly signal: AbortSignal;
}

interface EnsuredNamespace {
  /** Resolves as soon as it is known: whether the namespace is being deleted, and has to go first. */
  readonly isEnding: Promise<boolean>;
  readonly isReady: Promise<boolean>;
}

/** The namespaces that a restore needs in the target: each is looked at, and made if it is missing, once. */
export class TargetNamespaces {
  readonly #options: TargetNamespacesOptions;
  readonly #ensured = new Map<string, EnsuredNamespace>();
  readonly #created = new Set<string>();

  constructor(options: TargetNamespacesOptions) {
    this.#options = options;
  }

  /**
   * Begins to see to it that the namespace exists which a backed-up one is restored as, and resolves when that is done. One that is
   * being deleted is not waited for: then it resolves with what will be done when the namespace has gone and was made anew.
   */
  async begin(namespace: string): Promise<EndingNamespace | undefined> {
    const { isEnding, isReady } = this.#begun(namespace);
    return (await isEnding) ? { isReady } : undefined;
  }

  /**
   * Sees to it that the namespace exists which a backed-up one is restored as, within work that the pool has begun: while it waits for
   * one that is being deleted, other work has its place. `false` when that failed: an issue of the namespace says why, once, and nothing
   * can be restored into it. An existing namespace is left as it is.
   */
  async ensure(namespace: string, signal: AbortSignal): Promise<boolean> {
    const { isEnding, isReady } = this.#begun(namespace);
    return (await isEnding)
      ? this.#options.pool.pause(() => unlessAborted(isReady, signal))
      : isReady;
  }

  /** Whether a target namespace was made by this restore, and so holds nothing but what is made in every namespace. */
  isNew(target: string): boolean {
    return this.#created.has(target);
  }

  #begun(namespace: string): EnsuredNamespace {
    const target = targetNamespaceOf(this.#options.restore.spec, namespace);
    const known = this.#ensured.get(target);
    if (known !== undefined) {
      return known;
    }
    const { promise: isEnding, resolve: tell } = Promise.withResolvers<boolean>();
    const isReady = this.#getOrCreate(namespace, target, () => tell(true));
    this.#ensured.set(target, { isEnding, isReady });
    const over = (): void => {
      tell(false);
      this.#ensured.set(target, { isEnding: Promise.resolve(false), isReady });
    };
    isReady.then(over, over);
    return { isEnding, isReady };
  }

  async #getOrCreate(namespace: string, target: string, onEnding: () => void): Promise<boolean> {
    const { record, signal } = this.#options;
    const object = { groupResource: 'namespaces', name: target };
    try {
      const existing = await this.#get(target, signal);
      if (existing !== undefined && !isTerminating(existing)) {
        return true;
      }
      if (existing !== undefined) {
        onEnding();
        if (!(await this.#waitUntilGone(existing))) {
          const message = `the namespace is being deleted and was still there after ${this.#options.timeoutMs} ms; see which finalizers hold its objects back, then restore again`;
          record.addIssue({ severity: 'error', reason: 'NamespaceTerminating', message, object });
          return false;
        }
      }
      await this.#create(namespace, target, signal);
      return true;
    } catch (error) {
      signal.throwIfAborted();
      const reason = isLifeboatError(error) ? error.code : 'ItemFailed';
      record.addIssue({ severity: 'error', reason, message: messageOf(error), object });
      return false;
    }
  }

  async #create(namespace: string, target: string, signal: AbortSignal): Promise<void> {
    const { cluster, clock, contents, restore, record } = this.#options;
    const archived = await contents.get({ groupResource: 'namespaces', name: namespace });
    const manifest = namespaceManifest(archived, target, restore);
    signal.throwIfAborted();
    using deadline = writeDeadline(clock);
    try {
      await cluster.create(Resources.namespaces, manifest, { signal: deadline.signal });
    } catch (error) {
      // Somebody else was faster: as good.
      if (!isLifeboatError(error, 'AlreadyExists')) {
        throw error;
      }
      return;
    }
    this.#created.add(target);
    record.addOutcome({ groupResource: 'namespaces', name: target }, manifest, 'created');
  }

  #waitUntilGone({ metadata: { name, uid } }: KubernetesObject): Promise<boolean> {
    return waitUntilGone({ ...Resources.namespaces, name }, uid, this.#options);
  }

  #get(name: string, signal: AbortSignal): Promise<KubernetesObject | undefined> {
    return this.#options.cluster.get({ ...Resources.namespaces, name }, { signal });
  }
}

function isTerminating(namespace: KubernetesObject): boolean {
  return namespace.metadata.deletionTimestamp !== undefined;
}
