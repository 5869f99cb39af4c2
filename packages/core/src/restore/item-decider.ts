import { isLifeboatError, messageOf } from '../errors.ts';
import type { Backup } from '../model/backup.ts';
import type { Issue } from '../model/issue.ts';
import {
  type ApiResource,
  groupResourceOf,
  type KubernetesManifest,
  type KubernetesObject,
  type ObjectReference,
  type ResourceIdentifier,
} from '../model/kubernetes.ts';
import { Resources } from '../model/resources.ts';
import type { Restore } from '../model/restore.ts';
import type { Cluster } from '../ports/cluster.ts';
import type { ItemOperation } from '../ports/item-operation.ts';
import type { BackupContents } from './backup-contents.ts';
import type { SpooledEntry } from './backup-entries.ts';
import type { ClaimOutlook, ClaimOutlooks } from './claim-outlooks.ts';
import type { ClaimSource } from './claim-source.ts';
import { decideItem, type ExistingObjectsPolicy, type ItemDecision } from './decide-item.ts';
import type { LiveObject } from './live-objects.ts';
import { targetNamespaceOf } from './namespace-mapping.ts';
import {
  type AdditionalItemsRequest,
  type BlockedItem,
  type PreparationChange,
  type PreparationStep,
  prepareItem,
} from './prepare-item.ts';
import type { ResourceProblem, TargetResource, TargetResources } from './target-resources.ts';

/** What an {@link ItemDecider} works with. */
export interface ItemDeciderOptions {
  readonly cluster: Cluster;
  readonly backup: Backup;
  readonly restore: Restore;
  readonly contents: BackupContents;
  readonly resources: TargetResources;
  /** `false` when nothing can be restored into the namespace. */
  readonly ensureNamespace: (namespace: string, signal: AbortSignal) => Promise<boolean>;
  readonly outlooks: Pick<ClaimOutlooks, 'of'>;
  /** In the order in which they run. */
  readonly steps: readonly PreparationStep[];
  /** Restores what a step asks for before an entry; resolves with what there is to say. Absent: nobody may ask. */
  readonly restoreBefore:
    | ((
        entry: SpooledEntry,
        wanted: AdditionalItemsRequest,
        step: string,
        signal: AbortSignal,
      ) => Promise<readonly Issue[]>)
    | undefined;
  /** Told of what an action has begun for an object, by its name in the target. Absent: it is only planned. */
  readonly beginOperation?:
    | ((operation: ItemOperation, action: string, target: ResourceIdentifier) => void)
    | undefined;
  readonly policy: ExistingObjectsPolicy;
  /**
   * `when needed`: what is unknown is taken for absent, since whoever creates it will be told. `always`: it is looked at.
   */
  readonly lookUp: 'when needed' | 'always';
  /** Whether what the steps changed is kept. @default false */
  readonly keepsChanges?: boolean | undefined;
  /** Has the last word about each decision. @default what was decided */
  readonly confirm?: ((entry: SpooledEntry, decision: ItemDecision) => ItemDecision) | undefined;
}

/** What is needed to carry out a decision. */
export interface DecidedManifest {
  readonly reference: ObjectReference;
  readonly manifest: KubernetesManifest;
  readonly live: KubernetesObject | undefined;
  /** Where the data comes from; present for a claim that is created. */
  readonly source?: ClaimSource | undefined;
}

/** An entry of the backup and what is to be done about it. */
export interface DecidedItem {
  readonly entry: SpooledEntry;
  readonly target: ResourceIdentifier;
  /** The object as the backup holds it; absent when it could not be read. */
  readonly object?: KubernetesObject | undefined;
  readonly decision: ItemDecision;
  /** Absent when the decision does not depend on them. */
  readonly item?: DecidedManifest | undefined;
  readonly changes: readonly PreparationChange[];
  /** What the steps had to say. */
  readonly issues: readonly Issue[];
}

/** An item of which there is something to write. */
export type WritableItem = DecidedItem & {
  readonly object: KubernetesObject;
  readonly item: DecidedManifest;
};

const persistentVolumeClaims = groupResourceOf(Resources.persistentVolumeClaims);

/** Decides about one entry after another, for a plan as for a restore. Writes nothing. Calls may run concurrently. */
export class ItemDecider {
  readonly #options: ItemDeciderOptions;

  constructor(options: ItemDeciderOptions) {
    this.#options = options;
  }

  /** What is to be done about an entry. What fails is a decision that it is blocked. Rejects only when aborted. */
  async decide(entry: SpooledEntry, live: LiveObject, signal: AbortSignal): Promise<DecidedItem> {
    signal.throwIfAborted();
    const target = this.#targetOf(entry);
    const undecided = { entry, target, changes: [], issues: [] };
    let object: KubernetesObject | undefined;
    try {
      object = await this.#options.contents.read(entry);
      return this.#confirmed(await this.#decideObject({ ...undecided, object }, live, signal));
    } catch (error) {
      signal.throwIfAborted();
      return { ...undecided, object, decision: blocked(failureOf(error)) };
    }
  }

  /** Decides again about an item of which it has turned out that something stands in its place. */
  redecide(decided: WritableItem): DecidedItem {
    const decision = this.#decisionOf(decided.target, decided.object, decided.item);
    return this.#confirmed({ ...decided, decision });
  }

  #confirmed(decided: DecidedItem): DecidedItem {
    const { confirm } = this.#options;
    return confirm === undefined
      ? decided
      : { ...decided, decision: confirm(decided.entry, decided.decision) };
  }

  async #decideObject(
    undecided: Omit<DecidedItem, 'decision'> & { readonly object: KubernetesObject },
    live: LiveObject,
    signal: AbortSignal,
  ): Promise<DecidedItem> {
    const { entry, object } = undecided;
    const { steps, restore, backup, cluster, resources } = this.#options;
    const { restoreBefore, beginOperation, keepsChanges } = this.#options;
    const before = resources.resourceOf(entry, object);
    if (
      before.problem !== undefined &&
      (before.problem.reason !== 'ResourceNotServed' || restoreBefore === undefined)
    ) {
      return { ...undecided, decision: blocked(obstacleToResource(before.problem)) };
    }
    const { target } = undecided;
    const prepared = await prepareItem(steps, {
      ...{ target, itemFromBackup: object, restore, backup, cluster, signal },
      groupResource: entry.groupResource,
      restoreBefore:
        restoreBefore && ((wanted, step) => restoreBefore(entry, wanted, step, signal)),
      beginOperation,
      keepsChanges,
    });
    const { issues } = prepared;
    switch (prepared.kind) {
      case 'skip':
        return { ...undecided, issues, decision: { action: 'skip', reason: prepared.reason } };
      case 'blocked':
        return { ...undecided, issues, decision: blocked(prepared.blocked) };
      case 'manifest': {
        const { resource, problem } = this.#resourceOf(entry, object, prepared.manifest);
        if (resource === undefined) {
          return { ...undecided, issues, decision: blocked(obstacleToResource(problem)) };
        }
        const located = { ...prepared.target, groupResource: groupResourceOf(resource) };
        const decided = { ...undecided, ...prepared, target: located, object };
        return this.#decidePrepared(decided, resource, live, signal);
      }
    }
  }

  // A step may have had the definition of the resource restored, or have made an object of another kind.
  #resourceOf(
    entry: SpooledEntry,
    object: KubernetesObject,
    manifest: KubernetesManifest,
  ): TargetResource {
    const { resources } = this.#options;
    return manifest.apiVersion === object.apiVersion && manifest.kind === object.kind
      ? resources.resourceOf(entry, object)
      : resources.resourceOfKind(manifest, { namespaced: entry.namespace !== undefined });
  }

  async #decidePrepared(
    prepared: Omit<DecidedItem, 'decision'> & {
      readonly object: KubernetesObject;
      readonly manifest: KubernetesManifest;
    },
    { group, version, resource }: ApiResource,
    live: LiveObject,
    signal: AbortSignal,
  ): Promise<DecidedItem> {
    const { manifest, ...undecided } = prepared;
    const { entry, target, object } = undecided;
    const { namespace, name } = target;
    if (
      entry.namespace !== undefined &&
      !(await this.#options.ensureNamespace(entry.namespace, signal))
    ) {
      // The namespace has an issue of its own, which is told once.
      const message = `namespace ${namespace ?? ''} could not be made ready`;
      return {
        ...undecided,
        decision: blocked({ reason: 'ItemFailed', message, severity: 'none' }),
      };
    }
    const reference: ObjectReference = { group, version, resource, namespace, name };
    const found = await this.#liveObject(undecided, reference, manifest, live, signal);
    const item: DecidedManifest = { reference, manifest, live: found };
    const decision = this.#decisionOf(target, object, item);
    if (decision.action !== 'create' || entry.groupResource !== persistentVolumeClaims) {
      return { ...undecided, item, decision };
    }
    const outlook = await this.#options.outlooks.of(reference, manifest, object, signal);
    return {
      ...undecided,
      item: { ...item, source: outlook.source },
      decision: outlook.obstacle === undefined ? decision : blocked(obstacleOf(outlook.obstacle)),
    };
  }

  #decisionOf(
    { groupResource }: ResourceIdentifier,
    itemFromBackup: KubernetesObject,
    { manifest, live }: DecidedManifest,
  ): ItemDecision {
    const { restore, policy } = this.#options;
    return decideItem({ groupResource, manifest, live, itemFromBackup, restore, policy });
  }

  async #liveObject(
    { entry, target }: Pick<DecidedItem, 'entry' | 'target'>,
    reference: ObjectReference,
    manifest: KubernetesManifest,
    live: LiveObject,
    signal: AbortSignal,
  ): Promise<KubernetesObject | undefined> {
    const expected = this.#targetOf(entry);
    const isElsewhere =
      target.name !== expected.name ||
      target.namespace !== expected.namespace ||
      target.groupResource !== expected.groupResource;
    if (typeof live === 'object' && !isElsewhere && live.apiVersion === manifest.apiVersion) {
      return live;
    }
    if (live === 'absent' && !isElsewhere) {
      return undefined;
    }
    // The snapshot of a claim is imported before the claim is created: too much to do in vain.
    const isNeeded =
      this.#options.lookUp === 'always' || entry.groupResource === persistentVolumeClaims;
    return isNeeded ? this.#options.cluster.get(reference, { signal }) : undefined;
  }

  #targetOf({ groupResource, namespace, name }: SpooledEntry): ResourceIdentifier {
    return namespace === undefined
      ? { groupResource, name }
      : {
          groupResource,
          namespace: targetNamespaceOf(this.#options.restore.spec, namespace),
          name,
        };
  }
}

function blocked(item: BlockedItem): ItemDecision {
  return { action: 'blocked', blocked: item };
}

// Velero, too, completes a restore whose target lacks a resource.
function obstacleToResource(problem: ResourceProblem): BlockedItem {
  return { ...problem, severity: problem.reason === 'ResourceNotServed' ? 'warning' : 'error' };
}

function obstacleOf({ reason, message }: NonNullable<ClaimOutlook['obstacle']>): BlockedItem {
  return { reason, message: `${message}; the claim is not created` };
}

/** What failed, as the reason why an object is not created. */
export function failureOf(error: unknown): BlockedItem {
  return {
    reason: isLifeboatError(error) ? error.code : 'ItemFailed',
    message: messageOf(error),
  };
}
