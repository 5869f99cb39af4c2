import { isLifeboatError, messageOf } from '../errors.ts';
import type { Backup } from '../model/backup.ts';
import type { RestoreAction } from '../model/event.ts';
import type { Issue } from '../model/issue.ts';
import {
  type ApiResource,
  groupResourceOf,
  identifierOf,
  type KubernetesManifest,
  type KubernetesObject,
  type ObjectReference,
  type ResourceIdentifier,
} from '../model/kubernetes.ts';
import { Resources } from '../model/resources.ts';
import type { Restore } from '../model/restore.ts';
import type { Cluster } from '../ports/cluster.ts';
import type { AfterCreation } from './after-creation.ts';
import type { BackupContents, SpooledEntry } from './backup-contents.ts';
import type { ClaimRestorer } from './claim-restorer.ts';
import type { ItemOutcome, ItemWriter } from './item-writer.ts';
import { targetNamespaceOf } from './namespace-mapping.ts';
import { type PreparationStep, type PreparedItem, prepareItem } from './prepare-item.ts';
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
  readonly steps: readonly PreparationStep[];
  /** Done with each object that was created, in this order. */
  readonly afterCreation: readonly AfterCreation[];
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
      outcome = { action: 'failed', reason: messageOf(error), issue: issueOf(error, target) };
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
    const prepared = await this.#prepare(entry.groupResource, target, object, signal);
    switch (prepared.kind) {
      case 'skip':
        return { action: 'skipped', reason: prepared.reason };
      case 'blocked': {
        const { reason, message, severity = 'error' } = prepared.blocked;
        const issue: Issue = { severity, reason, message, object: target };
        return { action: 'failed', reason: message, issue };
      }
      case 'manifest': {
        const { manifest } = prepared;
        const outcome = await this.#write(resource, prepared.target, manifest, object, signal);
        await this.#afterCreation(resource, entry, prepared.target, object, outcome, signal);
        return outcome;
      }
    }
  }

  async #prepare(
    groupResource: string,
    target: ResourceIdentifier,
    itemFromBackup: KubernetesObject,
    signal: AbortSignal,
  ): Promise<PreparedItem> {
    const { steps, restore, backup, cluster, record } = this.#options;
    const prepared = await prepareItem(steps, {
      ...{ groupResource, target, itemFromBackup, restore, backup, cluster, signal },
    });
    for (const issue of prepared.issues) {
      record.addIssue(issue);
    }
    return prepared;
  }

  async #write(
    { group, version, resource }: ApiResource,
    { groupResource, namespace, name }: ResourceIdentifier,
    manifest: KubernetesManifest,
    object: KubernetesObject,
    signal: AbortSignal,
  ): Promise<ItemOutcome> {
    const { cluster, writer, claims } = this.#options;
    const reference: ObjectReference = { group, version, resource, namespace, name };
    if (groupResource !== persistentVolumeClaims) {
      return writer.createOrCompare(reference, manifest, object, signal);
    }
    const existing = await cluster.get(reference, { signal });
    if (existing !== undefined) {
      return writer.compare(reference, existing, manifest, object, signal);
    }
    const { source, obstacle } = await claims.outlook(reference, manifest, object, signal);
    if (obstacle === undefined) {
      return claims.create(reference, manifest, source, signal);
    }
    const { reason, message } = obstacle;
    const issue: Issue = {
      severity: 'error',
      reason,
      message: `${message}; the claim was not created`,
      object: identifierOf(reference),
    };
    return { action: 'failed', reason: message, issue };
  }

  async #afterCreation(
    { group, version, resource }: ApiResource,
    entry: SpooledEntry,
    target: ResourceIdentifier,
    itemFromBackup: KubernetesObject,
    { created }: ItemOutcome,
    signal: AbortSignal,
  ): Promise<void> {
    if (created === undefined) {
      return;
    }
    const { namespace, name } = target;
    const reference: ObjectReference = { group, version, resource, namespace, name };
    const { afterCreation, record } = this.#options;
    for (const step of afterCreation) {
      try {
        const issues = await step({ reference, created, entry, itemFromBackup }, signal);
        issues.forEach((issue) => record.addIssue(issue));
      } catch (error) {
        signal.throwIfAborted();
        record.addIssue(issueOf(error, target));
      }
    }
  }
}

function issueOf(error: unknown, object: ResourceIdentifier): Issue {
  const reason = isLifeboatError(error) ? error.code : 'ItemFailed';
  return { severity: 'error', reason, message: messageOf(error), object };
}
