import { withDeadline } from '../internal/with-deadline.ts';
import type { KubernetesObject } from '../model/kubernetes.ts';
import { labelValueOf, VeleroLabel } from '../model/labels.ts';
import { objectsAt, stringAt } from '../model/object-path.ts';
import { Resources } from '../model/resources.ts';
import type { Clock } from '../ports/clock.ts';
import type { Cluster } from '../ports/cluster.ts';
import type { TargetResources } from './target-resources.ts';

const timeoutMs = 60_000;
const discoveryIntervalMs = 250;

/**
 * Waits until the resources of restored definitions are served, so that their objects can be created. After a minute it goes
 * on without: the objects of what is still missing then say so themselves.
 */
export async function waitForDefinitions(options: {
  readonly cluster: Cluster;
  readonly clock: Clock;
  readonly resources: TargetResources;
  readonly restoreName: string;
  /** Names of the definitions that were created or changed, which are the group resources that they define. */
  readonly changed: readonly string[];
  /** Those of all definitions whose resources are to be served. */
  readonly names: readonly string[];
  readonly signal: AbortSignal;
}): Promise<void> {
  const { cluster, clock, resources, restoreName, changed, names, signal } = options;
  using deadline = withDeadline(signal, timeoutMs, clock);
  try {
    if (changed.length > 0) {
      await untilEstablished(cluster, restoreName, new Set(changed), deadline.signal);
    }
    await resources.refresh({ signal: deadline.signal });
    // A definition is established a moment before discovery tells of it.
    while (!names.every((name) => resources.serves(name))) {
      await clock.sleep(discoveryIntervalMs, deadline.signal);
      await resources.refresh({ signal: deadline.signal });
    }
  } catch (error) {
    if (!deadline.expired) {
      throw error;
    }
  }
}

async function untilEstablished(
  cluster: Cluster,
  restoreName: string,
  pending: Set<string>,
  signal: AbortSignal,
): Promise<void> {
  const events = cluster.watch(Resources.customResourceDefinitions, {
    labelSelector: `${VeleroLabel.restoreName}=${labelValueOf(restoreName)}`,
    signal,
  });
  for await (const event of events) {
    if ((event.type === 'added' || event.type === 'modified') && isEstablished(event.object)) {
      pending.delete(event.object.metadata.name);
    }
    if (pending.size === 0) {
      return;
    }
  }
}

function isEstablished(definition: KubernetesObject): boolean {
  const conditions = objectsAt(definition, ['status', 'conditions']);
  return ['Established', 'NamesAccepted'].every((type) =>
    conditions.some(
      (condition) =>
        stringAt(condition, ['type']) === type && stringAt(condition, ['status']) === 'True',
    ),
  );
}
