import {
  type ApiResource,
  describeObject,
  type GroupVersionResource,
  groupResourceOf,
  identifierOf,
  type KubernetesObject,
  type ObjectReference,
  referenceTo,
} from '../model/kubernetes.ts';
import type { Cluster } from '../ports/cluster.ts';
import type { BackupRecord } from './backup-record.ts';
import type { BackupScope } from './backup-scope.ts';
import type { Pull } from './item-actions.ts';
import type { ItemsAhead } from './items-ahead.ts';

/** Puts an object into the archive, now or later. */
export type StoreObject = (
  resource: GroupVersionResource,
  object: KubernetesObject,
) => Promise<void>;

/** What an object is backed up for, known when it is its turn. */
export interface Turn {
  /** Where the object and what it pulls along go; a claim that is held back goes nowhere yet. @default the archive */
  readonly store?: StoreObject | undefined;
  /** Whether an application stands still for it. @default false */
  readonly urgent?: boolean | undefined;
  /** The action that pulls it along. @default none does */
  readonly pull?: Pull | undefined;
}

/** What {@link PulledItems} work with. */
export interface PulledItemsOptions {
  readonly cluster: Cluster;
  readonly scope: BackupScope;
  readonly record: BackupRecord;
  /** What is worked on before its turn. */
  readonly ahead: ItemsAhead<Turn>;
  /** Whether listing has met an object already, so that pulling it along would store it twice. */
  readonly hasPassed: (reference: ObjectReference, object: KubernetesObject) => boolean;
  /** Whether an object was stored, held back, or kept out by an action. May take long. */
  readonly isDone: (reference: ObjectReference, object: KubernetesObject) => boolean;
  /** Whether actions may take long for objects of a resource. */
  readonly takesLong: (resource: GroupVersionResource) => boolean;
  readonly backUp: (
    resource: ApiResource,
    object: KubernetesObject,
    turn: Turn | Promise<Turn>,
  ) => Promise<void>;
  /** Backs up a pod that another object pulls along. @default as any other object */
  readonly backUpPulledPod?:
    | ((resource: ApiResource, pod: KubernetesObject) => Promise<void>)
    | undefined;
  /** Told of each object that an action pulls along, before it is stored. */
  readonly onPulledAlong?: ((pull: Pull) => void) | undefined;
  readonly signal: AbortSignal;
}

/** The objects that others pull along: each is backed up once, whoever asks for it, and whether or not a list meets it. */
export class PulledItems {
  readonly #options: PulledItemsOptions;
  // Only what is pulled along: listing by itself never meets an object twice.
  readonly #pulled = new Set<string>();
  /** What the filters left out when it was pulled along: others may ask for it whatever they say. */
  readonly #leftOut = new Set<string>();

  constructor(options: PulledItemsOptions) {
    this.#options = options;
  }

  /** Takes an object, so that nobody pulls it along any more and the list that meets it leaves it alone; `false` when it is taken. */
  reserve(reference: ObjectReference): boolean {
    const key = itemKey(reference);
    const isFree = !this.#pulled.has(key);
    this.#pulled.add(key);
    return isFree;
  }

  /** Whether an object that a list meets is taken. To be asked once: the list does not meet it again. */
  release(reference: ObjectReference): boolean {
    return this.#pulled.delete(itemKey(reference));
  }

  /** Begins with an object that will be pulled along, if that may take long, there is room, and nobody else does. */
  begin(pull: Pull): void {
    const { ahead, takesLong } = this.#options;
    const { reference, mustInclude = false } = pull;
    // A pod may have a window to itself, which opens when it is its turn. Whether the filters count is decided by whose turn comes first.
    const mayBegin = groupResourceOf(reference) !== 'pods' && !mustInclude && takesLong(reference);
    const key = itemKey(reference);
    if (mayBegin && ahead.hasRoom && !ahead.has(key) && this.reserve(reference)) {
      ahead.begin(key, (turn) => this.#pull(pull, turn));
    }
  }

  /** Backs an object up that another one needs, unless it is backed up already, or somebody does so. */
  async pullAlong(pull: Pull, options: Turn): Promise<void> {
    const { ahead, signal } = this.#options;
    const { reference, mustInclude = false } = pull;
    const key = itemKey(reference);
    const turn: Turn = { ...options, pull };
    const begun = ahead.take(key, turn);
    if (begun !== undefined) {
      await begun;
      signal.throwIfAborted();
    }
    const isFree = begun === undefined && !ahead.has(key) && this.reserve(reference);
    if (isFree || (mustInclude && this.#leftOut.has(key))) {
      this.reserve(reference);
      await this.#pull(pull, turn);
    }
  }

  async #pull({ reference, mustInclude = false }: Pull, turn: Turn | Promise<Turn>): Promise<void> {
    const { cluster, record, scope, signal } = this.#options;
    const resource = scope.findResource(groupResourceOf(reference));
    const key = itemKey(reference);
    const object =
      resource && (await cluster.get({ ...reference, version: resource.version }, { signal }));
    if (resource === undefined || object === undefined) {
      const { pull } = await turn;
      this.#pulled.delete(key);
      record.addWarning({
        reason: 'NotFound',
        message: `${describeObject(pull?.parent ?? reference)} refers to it, but it does not exist`,
        object: identifierOf(reference),
      });
      return;
    }
    if (this.#isDoneByList(resource, object, mustInclude)) {
      this.#pulled.delete(key);
    } else if (scope.filter.exclusionOf(resource, object, { mustInclude }) === undefined) {
      this.#leftOut.delete(key);
      await this.#backUp(resource, object, turn);
    } else if (!mustInclude) {
      this.#leftOut.add(key);
    }
  }

  /** Whether a list has met an object and has done with it what was to be done. */
  #isDoneByList(resource: ApiResource, object: KubernetesObject, mustInclude: boolean): boolean {
    const { scope, hasPassed, isDone } = this.#options;
    const reference = referenceTo(resource, object);
    const key = itemKey(reference);
    // A list that met it meanwhile has left it to this call.
    const isLeftToUs = !this.#pulled.has(key) || this.#leftOut.has(key);
    if (isLeftToUs || !hasPassed(reference, object)) {
      return false;
    }
    return (
      !mustInclude ||
      scope.filter.exclusionOf(resource, object) === undefined ||
      isDone(reference, object)
    );
  }

  async #backUp(
    resource: ApiResource,
    object: KubernetesObject,
    turn: Turn | Promise<Turn>,
  ): Promise<void> {
    const { backUp, backUpPulledPod, onPulledAlong } = this.#options;
    const tell = async (): Promise<Turn> => {
      const come = await turn;
      if (come.pull !== undefined) {
        onPulledAlong?.(come.pull);
      }
      return come;
    };
    if (backUpPulledPod !== undefined && groupResourceOf(resource) === 'pods') {
      await tell();
      await backUpPulledPod(resource, object);
    } else {
      await backUp(resource, object, tell());
    }
  }
}

/** The key of an object, whatever the version of its API. */
export function itemKey(reference: ObjectReference): string {
  return `${groupResourceOf(reference)}/${reference.namespace ?? ''}/${reference.name}`;
}
