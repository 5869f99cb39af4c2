import type { RestoreAction } from '../model/event.ts';
import { groupResourceOf, type ObjectReference } from '../model/kubernetes.ts';
import { stringAt } from '../model/object-path.ts';
import { Resources } from '../model/resources.ts';
import type { Restore } from '../model/restore.ts';
import type {
  MissingInTarget,
  PlannedRestoreItem,
  PlannedRestoreVolume,
} from '../model/restore-plan.ts';
import type { Cluster } from '../ports/cluster.ts';
import type { AdditionalItemReason } from './additional-items.ts';
import type { SpooledEntry } from './backup-entries.ts';
import type { PlannedHooks } from './hooks/planned-hooks.ts';
import type { DecidedItem, ItemDecider } from './item-decider.ts';
import type { HandledItem, ItemHandler } from './item-handler.ts';
import type { LiveObject } from './live-objects.ts';
import { MissingParts, missingFor } from './missing-in-target.ts';
import { targetNamespaceOf } from './namespace-mapping.ts';
import type { PlannedCluster } from './planned-cluster.ts';
import { definedResources } from './planned-definition.ts';
import { plannedItem } from './planned-item.ts';
import { plannedVolume } from './planned-volume.ts';
import type { RestoreRecord } from './restore-record.ts';
import { askServer } from './server-check.ts';
import type { TargetResources } from './target-resources.ts';

/** What a {@link RestorePlanner} works with. */
export interface RestorePlannerOptions {
  readonly restore: Restore;
  readonly cluster: PlannedCluster;
  /** Asked for dry runs; absent: it is not. */
  readonly dryRunCluster: Cluster | undefined;
  readonly resources: TargetResources;
  readonly decider: ItemDecider;
  /** Why an entry is restored that was not selected. */
  readonly reasonOf: (entry: SpooledEntry) => AdditionalItemReason | undefined;
  /** Told of every pod that would be created. */
  readonly hooks: PlannedHooks;
  readonly record: RestoreRecord;
}

const claims = groupResourceOf(Resources.persistentVolumeClaims);
const definitions = groupResourceOf(Resources.customResourceDefinitions);
const pods = groupResourceOf(Resources.pods);

/** Writes down what is decided instead of carrying it out; what would be made counts as there in later decisions. */
export class RestorePlanner implements ItemHandler {
  readonly #options: RestorePlannerOptions;
  readonly #items: PlannedRestoreItem[] = [];
  readonly #volumes: PlannedRestoreVolume[] = [];
  readonly #missing = new MissingParts();
  readonly #namespaces = new Map<string, Promise<boolean>>();
  readonly #newNamespaces = new Set<string>();
  readonly #newResources = new Set<string>();
  readonly #targets = new Set<string>();
  #snapshotClasses: Promise<ReadonlySet<string> | undefined> | undefined;

  constructor(options: RestorePlannerOptions) {
    this.#options = options;
  }

  get items(): readonly PlannedRestoreItem[] {
    return this.#items;
  }

  get volumes(): readonly PlannedRestoreVolume[] {
    return this.#volumes;
  }

  get missing(): readonly MissingInTarget[] {
    return this.#missing.all;
  }

  isNew(targetNamespace: string): boolean {
    return this.#newNamespaces.has(targetNamespace);
  }

  async beginNamespace(namespace: string, signal: AbortSignal): Promise<undefined> {
    await this.ensureNamespace(namespace, signal);
  }

  ensureNamespace(namespace: string, signal: AbortSignal): Promise<boolean> {
    const target = targetNamespaceOf(this.#options.restore.spec, namespace);
    const ensured = this.#namespaces.get(target) ?? this.#planNamespace(namespace, target, signal);
    this.#namespaces.set(target, ensured);
    return ensured;
  }

  async handle(entry: SpooledEntry, live: LiveObject, signal: AbortSignal): Promise<HandledItem> {
    const { decider, record } = this.#options;
    const decided = this.#withPlace(await decider.decide(entry, live, signal));
    decided.issues.forEach((issue) => record.addIssue(issue));
    const planned = await this.#checked(decided, signal);
    this.#items.push(planned);
    await this.#note(decided, planned, signal);
    record.addDone();
    return { action: actionOf(planned), target: decided.target };
  }

  async definitionsHandled(): Promise<void> {
    // What they define was taken note of one by one.
  }

  async #planNamespace(namespace: string, target: string, signal: AbortSignal): Promise<boolean> {
    const live = await this.#options.cluster.get(
      { ...Resources.namespaces, name: target },
      { signal },
    );
    if (live !== undefined && live.metadata.deletionTimestamp === undefined) {
      return true;
    }
    this.#newNamespaces.add(target);
    const waits = 'it is being deleted; it is made anew when it has gone';
    this.#items.push({
      source: { groupResource: 'namespaces', name: namespace },
      target: { groupResource: 'namespaces', name: target },
      apiVersion: 'v1',
      kind: 'Namespace',
      action: 'create',
      ...(live === undefined ? {} : { reason: waits }),
      transforms: [],
    });
    return true;
  }

  /** An item whose place another item of the plan takes already cannot be created. */
  #withPlace(decided: DecidedItem): DecidedItem {
    const { groupResource, namespace = '', name } = decided.target;
    const key = `${groupResource}/${namespace}/${name}`;
    if (decided.decision.action !== 'create' || !this.#targets.has(key)) {
      this.#targets.add(key);
      return decided;
    }
    const reason = 'another object of the backup is restored in its place; it is left out';
    return { ...decided, decision: { action: 'conflict', code: 'ExistsAndDiffers', reason } };
  }

  async #checked(decided: DecidedItem, signal: AbortSignal): Promise<PlannedRestoreItem> {
    const { dryRunCluster, reasonOf } = this.#options;
    const planned = plannedItem(decided, reasonOf(decided.entry));
    if (dryRunCluster === undefined) {
      return planned;
    }
    const isPlace =
      !this.isNew(decided.target.namespace ?? '') &&
      !this.#newResources.has(decided.target.groupResource);
    const verdict = isPlace
      ? await askServer(decided, dryRunCluster, signal)
      : ({ kind: 'not asked' } as const);
    if (verdict.kind !== 'refused') {
      return { ...planned, isCheckedByServer: verdict.kind === 'accepted' };
    }
    const { code, message } = verdict;
    const refused = { code, reason: message, isCheckedByServer: true };
    // A patch that is refused leaves the object as it is, but for its labels.
    return planned.action === 'update'
      ? { ...planned, ...refused, action: 'conflict' }
      : { ...planned, ...refused, action: 'blocked' };
  }

  async #note(
    decided: DecidedItem,
    planned: PlannedRestoreItem,
    signal: AbortSignal,
  ): Promise<void> {
    const { record, resources } = this.#options;
    this.#reportIssue(decided, planned);
    const missing = missingFor(decided, (name) => resources.serves(name));
    if (missing !== undefined) {
      this.#missing.add(missing.what, missing.name, decided.target);
    }
    if (decided.entry.groupResource === claims) {
      const volume = plannedVolume(decided);
      if (volume !== undefined) {
        this.#volumes.push(volume);
        await this.#noteSnapshotClass(decided, signal);
      }
      if (
        planned.action === 'create' &&
        volume?.from === 'new volume' &&
        volume.message !== undefined
      ) {
        const { message } = volume;
        record.addIssue({
          severity: 'warning',
          reason: 'VolumeNotInBackup',
          message,
          object: decided.target,
        });
      }
    }
    if (decided.entry.groupResource === pods) {
      this.#noteHooks(decided, planned);
    }
    if (planned.action === 'create' && decided.item !== undefined) {
      this.#expect(decided.item.reference, decided);
    }
  }

  #reportIssue({ decision, target: object }: DecidedItem, planned: PlannedRestoreItem): void {
    const { record } = this.#options;
    const { action, code: reason, reason: message } = planned;
    if (
      reason === undefined ||
      message === undefined ||
      (action !== 'conflict' && action !== 'blocked')
    ) {
      return;
    }
    const severity =
      decision.action === 'blocked'
        ? (decision.blocked.severity ?? 'error')
        : action === 'blocked'
          ? 'error'
          : 'warning';
    if (severity !== 'none') {
      record.addIssue({ severity, reason, message, object });
    }
  }

  #noteHooks({ item, target }: DecidedItem, { action }: PlannedRestoreItem): void {
    if (item === undefined || (action !== 'create' && action !== 'recreate')) {
      return;
    }
    const { hooks, record } = this.#options;
    const { namespace = '', name } = target;
    const { manifest } = item;
    const pod = { ...manifest, metadata: { ...manifest.metadata, namespace, name } };
    hooks.add(pod).forEach((issue) => record.addIssue(issue));
  }

  #expect(reference: ObjectReference, { item, entry }: DecidedItem): void {
    if (item === undefined) {
      return;
    }
    this.#options.cluster.expect(reference, item.manifest);
    if (entry.groupResource === definitions) {
      const defined = definedResources(item.manifest);
      this.#options.resources.expect(defined);
      defined.forEach((resource) => this.#newResources.add(groupResourceOf(resource)));
    }
  }

  async #noteSnapshotClass({ item, target }: DecidedItem, signal: AbortSignal): Promise<void> {
    if (item?.source?.kind !== 'snapshot') {
      return;
    }
    const { volumeSnapshot } = item.source.snapshot;
    const name = stringAt(volumeSnapshot, ['spec', 'volumeSnapshotClassName']);
    if (name === undefined) {
      return;
    }
    this.#snapshotClasses ??= this.#readSnapshotClasses(signal);
    const known = await this.#snapshotClasses;
    if (known?.has(name) === false) {
      this.#missing.add('VolumeSnapshotClass', name, target);
    }
  }

  // By the time of the claims, the classes of the backup count as there.
  async #readSnapshotClasses(signal: AbortSignal): Promise<ReadonlySet<string> | undefined> {
    const names = new Set<string>();
    try {
      for await (const { metadata } of this.#options.cluster.list(Resources.volumeSnapshotClasses, {
        signal,
      })) {
        names.add(metadata.name);
      }
      return names;
    } catch {
      signal.throwIfAborted();
      return undefined;
    }
  }
}

function actionOf({ action }: PlannedRestoreItem): RestoreAction {
  switch (action) {
    case 'create':
      return 'created';
    case 'update':
      return 'updated';
    case 'recreate':
      return 'recreated';
    case 'blocked':
      return 'failed';
    default:
      return 'skipped';
  }
}
