import type { UnstoredFilter } from '../catalog/artifacts/backup-manifest.ts';
import { LifeboatError } from '../errors.ts';
import type { BackupEvent } from '../model/event.ts';
import type { HookResult } from '../model/hook.ts';
import type { Issue } from '../model/issue.ts';
import type { JsonObject } from '../model/json.ts';
import {
  identifierKey,
  type KubernetesObject,
  type ResourceIdentifier,
} from '../model/kubernetes.ts';
import type { SkippedItem } from '../model/skipped-item.ts';
import type { VolumeGroup } from '../model/volume-group.ts';
import type { Logger } from '../ports/logger.ts';
import type { NamedClaim } from './claim-volumes.ts';
import { StoredNames } from './stored-names.ts';

/**
 * What a run has done so far, for the files beside the archive and for the result. It grows with names and problems, never
 * with the content of objects.
 */
export class BackupRecord {
  readonly #issues: Issue[] = [];
  readonly #names = new StoredNames();
  readonly #skipped = new Map<string, SkippedItem>();
  readonly #volumes: JsonObject[] = [];
  readonly #operations: JsonObject[] = [];
  readonly #volumeGroups: VolumeGroup[] = [];
  readonly #hooks: HookResult[] = [];
  readonly #quiesced = new Set<string>();
  readonly #unstoredFilters = new Set<UnstoredFilter>();
  readonly #onEvent: (event: BackupEvent) => void;
  readonly #log: Logger;
  readonly #storedNamespaces = new Set<string>();
  #firstCause: { readonly cause: unknown } | undefined;
  #stored = 0;
  #snapshotsAttempted = 0;

  constructor(onEvent: (event: BackupEvent) => void, log: Logger) {
    this.#onEvent = onEvent;
    this.#log = log;
  }

  get issues(): readonly Issue[] {
    return this.#issues;
  }

  get errors(): readonly Issue[] {
    return this.#issues.filter(({ severity }) => severity === 'error');
  }

  get warnings(): readonly Issue[] {
    return this.#issues.filter(({ severity }) => severity === 'warning');
  }

  /** How many objects are in the archive. */
  get stored(): number {
    return this.#stored;
  }

  /** The namespaces of what is in the archive, and of the claims that wait for their snapshots. */
  get storedNamespaces(): ReadonlySet<string> {
    return this.#storedNamespaces;
  }

  /** `<apiVersion>/<Kind>` → names, for the resource list. */
  get names(): Iterable<readonly [kind: string, names: Iterable<string>]> {
    return this.#names;
  }

  /** Entries for the volume information file. */
  get volumes(): readonly JsonObject[] {
    return this.#volumes;
  }

  /** Entries for the item operations file. */
  get operations(): readonly JsonObject[] {
    return this.#operations;
  }

  /** The volume groups that were met, and what they got. */
  get volumeGroups(): readonly VolumeGroup[] {
    return this.#volumeGroups;
  }

  /** The hooks that ran or should have, in the order in which they ended. */
  get hooks(): readonly HookResult[] {
    return this.#hooks;
  }

  /** `<namespace>/<name>` of the claims whose snapshots were cut while the applications that mount them stood still. */
  get quiesced(): ReadonlySet<string> {
    return this.#quiesced;
  }

  /** What had a say in which objects are taken, beside the spec. */
  get unstoredFilters(): readonly UnstoredFilter[] {
    return [...this.#unstoredFilters];
  }

  /** Notes a filter of which the backup keeps no more than that there was one. */
  addUnstoredFilter(filter: UnstoredFilter): void {
    this.#unstoredFilters.add(filter);
  }

  /** What item actions kept out, in the order in which they did. */
  get skipped(): readonly SkippedItem[] {
    return [...this.#skipped.values()];
  }

  /** Whether an item action has kept an object out. */
  hasSkipped(identifier: ResourceIdentifier): boolean {
    return this.#skipped.has(identifierKey(identifier));
  }

  /** Adds an object that an item action keeps out. */
  addSkipped(item: SkippedItem): void {
    const { action, reason, ...object } = item;
    this.#skipped.set(identifierKey(object), item);
    this.addUnstoredFilter('itemAction');
    const { groupResource: resource, namespace, name } = object;
    this.#log.info('an item action keeps an object out of the backup', {
      ...{ resource, namespace, name, action, reason },
    });
    this.#onEvent({ type: 'item', object, action: 'skipped', reason: `${action}: ${reason}` });
  }

  /** Adds a problem that leaves the backup usable as far as it goes. */
  addWarning(issue: Omit<Issue, 'severity'>): void {
    this.#add({ ...issue, severity: 'warning' });
  }

  /** Adds a problem that makes the backup PartiallyFailed, with the error behind it. */
  addError(issue: Omit<Issue, 'severity'>, cause: unknown): void {
    this.#firstCause ??= { cause };
    this.#add({ ...issue, severity: 'error' });
  }

  /** Adds an issue that an item action made. */
  addIssue(issue: Issue): void {
    if (issue.severity === 'error') {
      this.addError(
        issue,
        new LifeboatError(issue.message, { code: 'Unknown', operation: 'backup' }),
      );
    } else {
      this.addWarning(issue);
    }
  }

  /** @throws the first error when there were errors and not one object could be stored: such a backup is of no use. */
  throwIfUseless(): void {
    if (this.#stored === 0 && this.#firstCause !== undefined) {
      throw this.#firstCause.cause;
    }
  }

  /** Whether the archive holds an object. Takes time in proportion to the objects of its kind. */
  hasStored(object: KubernetesObject): boolean {
    return this.#names.has(kindOf(object), listedName(object));
  }

  /** Adds an object that the archive now holds. */
  addStored(identifier: ResourceIdentifier, object: KubernetesObject): void {
    const { namespace } = object.metadata;
    if (namespace !== undefined) {
      this.#storedNamespaces.add(namespace);
    }
    this.#names.add(kindOf(object), listedName(object));
    this.#stored += 1;
    this.#onEvent({ type: 'item', object: identifier, action: 'stored' });
    this.#onEvent({ type: 'progress', done: this.#stored });
  }

  #add(issue: Issue): void {
    this.#issues.push(issue);
    const fields = {
      reason: issue.reason,
      resource: issue.object?.groupResource,
      namespace: issue.object?.namespace,
      name: issue.object?.name,
    };
    this.#log[issue.severity === 'error' ? 'error' : 'warn'](issue.message, fields);
    this.#onEvent({ type: 'issue', issue });
  }

  /** Adds what became of a claim's volume. */
  addVolume(entry: JsonObject): void {
    this.#volumes.push(entry);
  }

  /** Adds an item operation that has ended: of an item action, or a snapshot. */
  addOperation(entry: JsonObject): void {
    this.#operations.push(entry);
  }

  /** Adds how a hook ended. */
  addHook(hook: HookResult): void {
    this.#hooks.push(hook);
    this.#onEvent({ type: 'hook', state: hook.outcome, hook });
  }

  /** Adds a claim whose snapshot was cut while the applications that mount it stood still. */
  addQuiesced({ metadata: { namespace = '', name } }: NamedClaim): void {
    this.#quiesced.add(`${namespace}/${name}`);
  }

  /** Adds what a volume group got. */
  addVolumeGroup(group: VolumeGroup): void {
    this.#volumeGroups.push(group);
    this.#onEvent({ type: 'volumeGroup', group });
  }

  /** Counts a snapshot that was asked for. Its claim will be stored when it is ready. */
  addSnapshotAttempt({ metadata: { namespace } }: KubernetesObject): void {
    this.#snapshotsAttempted += 1;
    if (namespace !== undefined) {
      this.#storedNamespaces.add(namespace);
    }
  }

  /** How many snapshots were asked for, whether or not they were taken. */
  get snapshotsAttempted(): number {
    return this.#snapshotsAttempted;
  }
}

function kindOf({ apiVersion, kind }: KubernetesObject): string {
  return `${apiVersion}/${kind}`;
}

function listedName({ metadata: { namespace, name } }: KubernetesObject): string {
  return namespace === undefined ? name : `${namespace}/${name}`;
}
