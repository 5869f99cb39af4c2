import type { RestoreAction, RestoredItem, RestoreEvent } from '../model/event.ts';
import type { HookResult } from '../model/hook.ts';
import type { Issue } from '../model/issue.ts';
import type { JsonObject } from '../model/json.ts';
import {
  describeObject,
  type KubernetesManifest,
  type ResourceIdentifier,
} from '../model/kubernetes.ts';
import type { Logger } from '../ports/logger.ts';
import { RestoredItems } from './restored-items.ts';

/**
 * What a restore has done so far, for its files and its result. It grows with names and problems, never with the content of
 * objects.
 */
export class RestoreRecord {
  readonly #issues: Issue[] = [];
  readonly #items = new RestoredItems();
  readonly #volumes: JsonObject[] = [];
  readonly #operations: JsonObject[] = [];
  readonly #hooks: HookResult[] = [];
  readonly #onEvent: (event: RestoreEvent) => void;
  readonly #logger: Logger;
  #total = 0;
  #done = 0;

  /** @param onEvent must not throw. */
  constructor(onEvent: (event: RestoreEvent) => void, logger: Logger) {
    this.#onEvent = onEvent;
    this.#logger = logger;
  }

  get issues(): readonly Issue[] {
    return this.#issues;
  }

  get errors(): number {
    return this.#issues.filter(({ severity }) => severity === 'error').length;
  }

  get warnings(): number {
    return this.#issues.length - this.errors;
  }

  /** Objects that were handled, whatever became of them. */
  get done(): number {
    return this.#done;
  }

  /** `<apiVersion>/<Kind>` → `<name>(<action>)`, for the resource list. */
  get outcomes(): Iterable<readonly [kind: string, names: Iterable<string>]> {
    return this.#items.outcomes();
  }

  /** What became of each object, in the order in which it did. Made anew whenever it is asked for. */
  get items(): readonly RestoredItem[] {
    return [...this.#items];
  }

  /** Entries for the volume information file. */
  get volumes(): readonly JsonObject[] {
    return this.#volumes;
  }

  /** Entries for the item operations file. */
  get operations(): readonly JsonObject[] {
    return this.#operations;
  }

  /** The hooks that ran or should have, in the order in which they ended. */
  get hooks(): readonly HookResult[] {
    return this.#hooks;
  }

  report(event: RestoreEvent): void {
    this.#onEvent(event);
  }

  addIssue(issue: Issue): void {
    this.#issues.push(issue);
    const { reason, message, object } = issue;
    const fields = { reason, object: object === undefined ? undefined : describeObject(object) };
    if (issue.severity === 'error') {
      this.#logger.error(message, fields);
    } else {
      this.#logger.warn(message, fields);
    }
    this.#onEvent({ type: 'issue', issue });
  }

  /** Announces objects that will be handled. */
  expect(count: number): void {
    this.#total += count;
  }

  /** Adds what became of an object; `object` names it as it is in the target. */
  addOutcome(
    object: ResourceIdentifier,
    { apiVersion, kind }: Pick<KubernetesManifest, 'apiVersion' | 'kind'>,
    action: RestoreAction,
    reason?: string,
  ): void {
    this.#items.add({ object, action, reason }, `${apiVersion}/${kind}`);
    this.#onEvent({ type: 'item', object, action, reason });
  }

  /** Counts an expected object as handled. */
  addDone(): void {
    this.#done += 1;
    this.#total = Math.max(this.#total, this.#done);
    this.#onEvent({ type: 'progress', done: this.#done, total: this.#total });
  }

  /** Adds how a hook ended. */
  addHook(hook: HookResult): void {
    this.#hooks.push(hook);
    this.#onEvent({ type: 'hook', state: hook.outcome, hook });
  }

  /** Adds an operation of an item action that has ended. */
  addOperation(entry: JsonObject): void {
    this.#operations.push(entry);
  }

  addVolume(entry: JsonObject): void {
    this.#volumes.push(entry);
  }
}
