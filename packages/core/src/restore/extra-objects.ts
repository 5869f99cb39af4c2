import { runAll } from '../internal/run-all.ts';
import { compareCodePoints } from '../model/json.ts';
import {
  type ApiResource,
  groupResourceOf,
  identifierKey,
  type KubernetesObject,
  type OwnerReference,
  type ResourceIdentifier,
} from '../model/kubernetes.ts';
import { Resources } from '../model/resources.ts';
import type { PlannedRestoreItem } from '../model/restore-plan.ts';
import type { Cluster } from '../ports/cluster.ts';
import { protectionOf } from './protected-object.ts';
import type { RollbackScope, RolledBackNamespace } from './rollback-scope.ts';
import type { TargetResources } from './target-resources.ts';
import { type WaveOrder, wavesOf } from './waves.ts';

/** What {@link extraObjects} works with. */
export interface ExtraObjectsOptions {
  readonly cluster: Cluster;
  readonly resources: TargetResources;
  readonly scope: RollbackScope;
  /** What the plan restores; such an object is never deleted, whatever its name in the backup. */
  readonly restored: readonly PlannedRestoreItem[];
  readonly order: WaveOrder | undefined;
  readonly signal: AbortSignal;
}

interface ExtraObject {
  readonly source: ResourceIdentifier;
  readonly target: ResourceIdentifier;
  readonly apiVersion: string;
  readonly kind: string;
  readonly uid: string;
  readonly resourceVersion: string;
  readonly owners: readonly string[];
  readonly protection: string | undefined;
}

const listsAtATime = 4;
const claims = groupResourceOf(Resources.persistentVolumeClaims);

/**
 * The objects of the target that a rollback deletes because the backup does not have them, in the order in which it does, and those it
 * spares, with the reason. Looks through the resources that are restored and those that the request names.
 *
 * @throws {ClusterError} when the objects of a resource cannot be listed: what is missing in the backup cannot be told then.
 */
export async function extraObjects(
  options: ExtraObjectsOptions,
): Promise<readonly PlannedRestoreItem[]> {
  const { resources, scope, restored, order, signal } = options;
  const names = restored.map(({ source }) => source.groupResource);
  const listed = [...new Set([...names, ...scope.namedResources, claims])]
    .map((name) => resources.preferred(name))
    .filter((resource) => resource !== undefined)
    .filter(({ namespaced, verbs }) => namespaced && verbs.includes('list'));
  const lists = listed.flatMap((resource) =>
    scope.namespaces.map((namespace) => ({ resource, namespace })),
  );
  const found = new FoundObjects(options);
  await runAll(
    lists,
    ({ resource, namespace }, listSignal) => found.read(resource, namespace, listSignal),
    { concurrency: listsAtATime, signal },
  );
  found.spreadNeed();
  const waves = wavesOf(
    found.extras.map(({ target }) => target.groupResource),
    order,
  ).toReversed();
  return waves.flatMap((wave) =>
    found.extras
      .filter(({ target }) => wave.resources.includes(target.groupResource))
      .toSorted((left, right) =>
        compareCodePoints(identifierKey(left.target), identifierKey(right.target)),
      )
      .map((extra) => plannedExtra(extra, extra.protection ?? found.needOf(extra))),
  );
}

/** What the lists have shown: the extra objects, and the owners whose deletion would take others along. */
class FoundObjects {
  readonly #options: ExtraObjectsOptions;
  readonly #restored: ReadonlySet<string>;
  readonly #needed = new Map<string, string>();
  readonly extras: ExtraObject[] = [];

  constructor(options: ExtraObjectsOptions) {
    this.#options = options;
    this.#restored = new Set(options.restored.map(({ target }) => identifierKey(target)));
  }

  async read(
    resource: ApiResource,
    namespace: RolledBackNamespace,
    signal: AbortSignal,
  ): Promise<void> {
    const { cluster } = this.#options;
    for await (const object of cluster.list(resource, { namespace: namespace.target, signal })) {
      this.#add(resource, namespace, object);
    }
  }

  /** Why an object is not deleted for the sake of what it owns, directly or not. */
  needOf({ uid }: ExtraObject): string | undefined {
    return this.#needed.get(uid);
  }

  #add(resource: ApiResource, names: RolledBackNamespace, object: KubernetesObject): void {
    const groupResource = groupResourceOf(resource);
    const { name, uid = '', resourceVersion = '', ownerReferences = [] } = object.metadata;
    const target = { groupResource, namespace: names.target, name };
    const source = { groupResource, namespace: names.source, name };
    if (groupResource === claims) {
      // An ephemeral volume is meant to go with its pod.
      this.#need(
        ownerReferences.filter(({ kind }) => kind !== 'Pod'),
        `the claim ${name} would be deleted with it`,
      );
    }
    const { scope } = this.#options;
    if (scope.holds(target) || this.#restored.has(identifierKey(target))) {
      this.#need(
        ownerReferences,
        `${groupResource} ${name}, which the backup has, would be deleted with it`,
      );
    } else if (scope.takes(resource, source, object)) {
      this.extras.push({
        ...{ source, target, uid, resourceVersion },
        apiVersion: object.apiVersion,
        kind: object.kind,
        owners: ownerReferences.map((owner) => owner.uid),
        protection: protectionOf(groupResource, object),
      });
    }
  }

  #need(owners: readonly OwnerReference[], reason: string): void {
    owners.forEach(({ uid }) => this.#needed.set(uid, reason));
  }

  /** To be called once everything is read: an owner of an owner takes all of it along. */
  spreadNeed(): void {
    let before: number;
    do {
      before = this.#needed.size;
      for (const { uid, owners } of this.extras) {
        const reason = this.#needed.get(uid);
        for (const owner of reason === undefined ? [] : owners) {
          if (reason !== undefined && !this.#needed.has(owner)) {
            this.#needed.set(owner, reason);
          }
        }
      }
    } while (this.#needed.size > before);
  }
}

function plannedExtra(extra: ExtraObject, kept: string | undefined): PlannedRestoreItem {
  const { source, target, apiVersion, kind, uid, resourceVersion } = extra;
  const item = { source, target, apiVersion, kind, transforms: [], isMissingInBackup: true };
  return kept === undefined
    ? {
        ...item,
        action: 'delete',
        reason: 'the backup does not have it',
        live: { uid, resourceVersion },
      }
    : { ...item, action: 'skip', reason: `the backup does not have it; it stays, for ${kept}` };
}
