import { randomUUID } from 'node:crypto';
import type { Violation } from '../errors.ts';
import type { RestoredItem, RestoreEvent } from '../model/event.ts';
import type { HookResult } from '../model/hook.ts';
import type { Issue } from '../model/issue.ts';
import { isJsonObject, type JsonValue } from '../model/json.ts';
import type { StringMap } from '../model/kubernetes.ts';
import { objectsAt } from '../model/object-path.ts';
import type { Restore, RestoreSpec } from '../model/restore.ts';
import { formatTimestamp } from '../model/timestamp.ts';
import type { CallOptions } from '../ports/object-store.ts';
import type { PodExec } from '../ports/pod-exec.ts';
import { nonRestorableResources } from './non-restorable.ts';
import type { ObjectChangeOptions } from './object-change-options.ts';
import { validateRestoreRequest } from './request-rules.ts';
import type { SelectionOptions } from './selection-options.ts';
import type { VersionOptions } from './version-options.ts';

/** What to restore. */
export interface RestoreRequest {
  /** Name of the restore: a DNS-1123 subdomain. @default `<backup>-<yyyymmddhhmmss>` */
  readonly name?: string | undefined;
  /** As in a Velero Restore; absent fields get Velero's defaults. */
  readonly spec: RestoreSpec;
  readonly metadata?: RestoreRequestMetadata | undefined;
}

/** What the Restore's metadata says besides its name. */
export interface RestoreRequestMetadata {
  /** Namespace of Velero. @default 'velero' */
  readonly namespace?: string | undefined;
  /** Names of imported snapshots derive from it. @default a random UUID */
  readonly uid?: string | undefined;
  readonly labels?: StringMap | undefined;
  readonly annotations?: StringMap | undefined;
}

/** How the operations that item actions begin are followed. */
export interface RestoreItemOperationOptions {
  /** How long after one round of questions the next one follows, in milliseconds; at least 1. @default 10,000, as Velero */
  readonly pollIntervalMs?: number | undefined;
}

/** How to run a restore. */
export interface RestoreOptions
  extends CallOptions,
    ObjectChangeOptions,
    SelectionOptions,
    VersionOptions {
  /** Receives reports while the restore runs. What it throws is logged and ignored. */
  readonly onEvent?: ((event: RestoreEvent) => void) | undefined;
  /**
   * Folder for one private temporary file that holds the selected objects, compressed; it has no name while it is in use.
   * @default the temporary folder of the machine
   */
  readonly tempDirectory?: string | undefined;
  /**
   * Files and directories that the archive may hold, one or two for each object. One that holds more is refused before anything is
   * restored: all names are in memory, some 500 bytes for each object. @default 1000000
   */
  readonly maximumArchiveEntries?: number | undefined;
  /** How long the restored claims may take to bind, in milliseconds. @default 600000 */
  readonly claimBoundTimeoutMs?: number | undefined;
  /**
   * How long the cluster may take to find a snapshot in its storage before the claim that is filled from it is given up, in
   * milliseconds. @default 120000
   */
  readonly snapshotImportTimeoutMs?: number | undefined;
  /**
   * Objects that may wait at a time, beyond those that are being restored: claims for the cluster to find their snapshots, objects for
   * what their item actions have asked for, or for those that they are created in place of. Each is in memory. When there are more, no
   * more objects are begun. @default 1000
   */
  readonly maximumWaitingObjects?: number | undefined;
  /**
   * Let claims whose volumeMode is not that of their snapshot be filled all the same, which the provisioner refuses otherwise.
   * @default as the backup says
   */
  readonly allowVolumeModeChange?: boolean | undefined;
  /**
   * How long a restore hook that sets no `waitTimeout` may wait for its container, in milliseconds, from the creation of its pod.
   * @default 600000
   */
  readonly hookWaitTimeoutMs?: number | undefined;
  /**
   * What happens to objects that exist and differ, in place of `spec.existingResourcePolicy`: `recreate` deletes them, what they own
   * excepted, and creates them again once they have gone. Claims, volumes, namespaces and definitions are never deleted: they count as
   * with policy `none`. `rollback` makes them as in the backup, as policy `update` does, and once everything is restored deletes what the
   * backup does not have: only from a plan, only in namespaces that `spec.includedNamespaces` names, only what backup and restore would
   * have taken, and nothing that holds data, belongs to a controller or is made by the cluster itself. `include` is asked about these
   * objects too, as they are in the target, and has to be given if the backup was made with a predicate.
   */
  readonly existingObjects?: 'recreate' | 'rollback' | undefined;
  /** How long an object that is created again may take to go away first, in milliseconds. @default 120000 */
  readonly recreateTimeoutMs?: number | undefined;
  /**
   * The order of resources, as Velero's `--restore-resource-priorities` has it: those before an entry `-` first, one after another,
   * those after it last, everything else between them at the same time. @default Velero's order, cut into waves, with webhooks,
   * admission policies and aggregated APIs last
   */
  readonly resourcePriorities?: readonly string[] | undefined;
  /**
   * Point objects at their owners again, as far as the restore has both, so that what an owner owned is deleted with it. Velero does not;
   * controllers then adopt what their selectors match, and what they do not adopt outlives its owner. Takes two requests per owned
   * object. @default false
   */
  readonly relinkOwners?: boolean | undefined;
  /**
   * Give objects that the restore creates the `managedFields` they had, as Velero does: which tool set which field, for those that go
   * by it, such as `kubectl apply --server-side`. Never of claims and volumes, whose binding it would delay. Takes a request per
   * object. @default false, the restore has set all fields
   */
  readonly restoreManagedFields?: boolean | undefined;
  /** How the operations that item actions begin are followed. Each may take as long as `spec.itemOperationTimeout` says. */
  readonly itemOperations?: RestoreItemOperationOptions | undefined;
  /**
   * How long a terminating namespace may take to go away before it is made anew, in milliseconds. Its objects wait, and what comes last in
   * the order of resources; others do not. @default 600000
   */
  readonly namespaceTimeoutMs?: number | undefined;
  /**
   * What becomes of the VolumeSnapshot and VolumeSnapshotContent that a claim was filled from once it is bound: `remove`
   * deletes both; `keep` leaves them, as Velero does. The storage snapshot stays either way. @default 'remove'
   */
  readonly importedSnapshots?: 'remove' | 'keep' | undefined;
}

/** A finished restore. Its phase is `Completed`, or `PartiallyFailed` when an issue is an error. */
export interface RestoreResult {
  readonly restore: Restore;
  /** What became of each object, in the order in which it did: names, not content. */
  readonly items: readonly RestoredItem[];
  readonly issues: readonly Issue[];
  /** The hooks that ran in restored pods or should have, in the order in which they ended. */
  readonly hooks: readonly HookResult[];
}

/** Everything that is wrong with a request. */
export function restoreRequestViolations(
  request: RestoreRequest,
  { podExec }: { readonly podExec?: PodExec | undefined },
): readonly Violation[] {
  const violations = validateRestoreRequest(request);
  const rule = 'needs an engine that can run commands in pods: give createEngine a podExec';
  return podExec === undefined && hasExecHook(request.spec)
    ? [...violations, { path: 'spec.hooks', rule }]
    : violations;
}

/** The Restore that a valid request asks for, defaults filled in, in phase InProgress. */
export function acceptRestoreRequest(request: RestoreRequest, startedAt: Date): Restore {
  const { namespace = 'velero', uid = randomUUID(), labels, annotations } = request.metadata ?? {};
  const { name = defaultName(request.spec.backupName, startedAt) } = request;
  return {
    kind: 'Restore',
    apiVersion: 'velero.io/v1',
    metadata: {
      name,
      namespace,
      uid,
      creationTimestamp: formatTimestamp(startedAt),
      ...(labels === undefined ? {} : { labels }),
      ...(annotations === undefined ? {} : { annotations }),
    },
    spec: withDefaults(request.spec),
    status: { phase: 'InProgress', startTimestamp: formatTimestamp(startedAt) },
  };
}

// Of a spec that may be malformed.
function hasExecHook(spec: JsonValue | undefined): boolean {
  return objectsAt(spec !== undefined && isJsonObject(spec) ? spec : {}, ['hooks', 'resources'])
    .flatMap((entry) => objectsAt(entry, ['postHooks']))
    .some((hook) => (hook['exec'] ?? null) !== null);
}

function withDefaults(spec: RestoreSpec): RestoreSpec {
  const { excludedResources = [], itemOperationTimeout = '4h0m0s' } = spec;
  return {
    ...spec,
    excludedResources: [...new Set([...excludedResources, ...nonRestorableResources])],
    itemOperationTimeout,
  };
}

function defaultName(backupName: string, startedAt: Date): string {
  return `${backupName}-${startedAt.toISOString().replaceAll(/[-T:]/g, '').slice(0, 14)}`;
}
