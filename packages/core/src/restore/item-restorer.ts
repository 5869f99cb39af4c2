import { isLifeboatError, messageOf } from '../errors.ts';
import type { Backup } from '../model/backup.ts';
import type { RestoreAction } from '../model/event.ts';
import type { Issue } from '../model/issue.ts';
import {
  type ApiResource,
  groupResourceOf,
  type KubernetesManifest,
  type KubernetesObject,
  type ObjectReference,
  type ResourceIdentifier,
} from '../model/kubernetes.ts';
import { withValueAt } from '../model/object-path.ts';
import { Resources } from '../model/resources.ts';
import type { Restore } from '../model/restore.ts';
import type { Cluster } from '../ports/cluster.ts';
import type { RestoreItemAction } from '../ports/item-action.ts';
import type { BackupContents, SpooledEntry } from './backup-contents.ts';
import type { ClaimRestorer } from './claim-restorer.ts';
import type { ItemOutcome, ItemWriter } from './item-writer.ts';
import { targetNamespaceOf } from './namespace-mapping.ts';
import { resetMetadata } from './reset-metadata.ts';
import { withRestoreLabels } from './restore-labels.ts';
import type { RestoreRecord } from './restore-record.ts';
import type { TargetNamespaces } from './target-namespaces.ts';
import type { TargetResources } from './target-resources.ts';

/** What an {@link ItemRestorer} works with. */
export interface ItemRestorerOptions {
  readonly cluster: Cluster;
  readonly backup: Backup;
  readonly restore: Restore;
  readonly contents: BackupContents;
  readonly resources: TargetResources;
  readonly namespaces: TargetNamespaces;
  readonly writer: ItemWriter;
  readonly claims: ClaimRestorer;
  /** In the order in which they run. */
  readonly actions: readonly RestoreItemAction[];
  readonly record: RestoreRecord;
}

const persistentVolumeClaims = groupResourceOf(Resources.persistentVolumeClaims);

/**
 * Restores one object after another: its namespace, item actions, labels, then the object itself. What fails for one object becomes an issue of that object. Calls may run concurrently.
 */
export class ItemRestorer {
  readonly #options: ItemRestorerOptions;

  constructor(options: ItemRestorerOptions) {
    this.#options = options;
  }

  /** Restores an entry of the backup and says what became of it. Rejects only when aborted. */
  async restore(entry: SpooledEntry, signal: AbortSignal): Promise<RestoreAction> {
    const { contents, record, restore } = this.#options;
    signal.throwIfAborted();
    const target: ResourceIdentifier =
      entry.namespace === undefined
        ? { groupResource: entry.groupResource, name: entry.name }
        : {
            groupResource: entry.groupResource,
            namespace: targetNamespaceOf(restore.spec, entry.namespace),
            name: entry.name,
          };
    let object: KubernetesObject | undefined;
    let outcome: ItemOutcome;
    try {
      object = await contents.read(entry);
      outcome = await this.#restoreObject(entry, target, object, signal);
    } catch (error) {
      signal.throwIfAborted();
      const message = messageOf(error);
      const reason = isLifeboatError(error) ? error.code : 'ItemFailed';
      outcome = {
        action: 'failed',
        reason: message,
        issue: { severity: 'error', reason, message, object: target },
      };
    }
    if (outcome.issue !== undefined) {
      record.addIssue(outcome.issue);
    }
    if (object !== undefined) {
      record.addOutcome(target, object, outcome.action, outcome.reason);
    }
    record.addDone();
    return outcome.action;
  }

  async #restoreObject(
    entry: SpooledEntry,
    target: ResourceIdentifier,
    object: KubernetesObject,
    signal: AbortSignal,
  ): Promise<ItemOutcome> {
    const { resource, problem } = this.#options.resources.resourceOf(entry, object);
    if (resource === undefined) {
      const { reason, message } = problem;
      // Velero, too, completes a restore whose target lacks a resource.
      const severity = reason === 'ResourceNotServed' ? 'warning' : 'error';
      const issue: Issue = { severity, reason, message, object: target };
      return { action: 'failed', reason: message, issue };
    }
    if (
      entry.namespace !== undefined &&
      !(await this.#options.namespaces.ensure(entry.namespace, signal))
    ) {
      return {
        action: 'failed',
        reason: `namespace ${target.namespace ?? ''} could not be made ready`,
      };
    }
    const prepared = await this.#runActions(entry.groupResource, target, object, signal);
    return typeof prepared === 'string'
      ? { action: 'skipped', reason: prepared }
      : this.#write(resource, target, prepared, object, signal);
  }

  #write(
    { group, version, resource }: ApiResource,
    { groupResource, namespace, name }: ResourceIdentifier,
    item: KubernetesManifest,
    object: KubernetesObject,
    signal: AbortSignal,
  ): Promise<ItemOutcome> {
    const reference: ObjectReference = { group, version, resource, namespace, name };
    const located =
      namespace === undefined ? item : withValueAt(item, ['metadata', 'namespace'], namespace);
    const manifest = withRestoreLabels(located, this.#options.restore);
    return groupResource === persistentVolumeClaims
      ? this.#options.claims.restore(reference, manifest, object, signal)
      : this.#options.writer.createOrCompare(reference, manifest, object, signal);
  }

  /** The object to create, or why it is not created. */
  async #runActions(
    groupResource: string,
    target: ResourceIdentifier,
    itemFromBackup: KubernetesObject,
    signal: AbortSignal,
  ): Promise<KubernetesManifest | string> {
    const { actions, restore, backup, cluster, record } = this.#options;
    const targetNamespace = target.namespace;
    let item = resetMetadata(itemFromBackup);
    for (const action of actions) {
      const { resources } = action.appliesTo;
      if (resources !== undefined && !resources.includes(groupResource)) {
        continue;
      }
      const input = { item, itemFromBackup, targetNamespace, restore, backup, cluster, signal };
      const output = await action.execute(input);
      for (const issue of output.issues ?? []) {
        record.addIssue(issue);
      }
      if (output.skip !== undefined) {
        return output.skip;
      }
      item = output.item ?? item;
    }
    return item;
  }
}
