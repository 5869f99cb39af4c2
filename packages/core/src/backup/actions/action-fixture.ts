import type { Backup } from '../../model/backup.ts';
import type { KubernetesObject } from '../../model/kubernetes.ts';
import type { BackupItemInput } from '../../ports/item-action.ts';
import type { FakeCluster } from '../../testing/fake-cluster/fake-cluster.ts';

/** A backup that is under way. */
export function backupNamed(name: string): Backup {
  return {
    kind: 'Backup',
    apiVersion: 'velero.io/v1',
    metadata: { name },
    spec: {},
    status: { version: 1, formatVersion: '1.1.0', phase: 'InProgress' },
  };
}

/** How often a resource has been listed. */
export function listsOf(cluster: FakeCluster, resource: string): number {
  return cluster.requests.filter(
    (request) => request.operation === 'list' && request.resource === resource,
  ).length;
}

/** What an action is given for an object of a backup. */
export function inputFor(
  item: KubernetesObject,
  backup: Backup,
  cluster: FakeCluster,
): BackupItemInput {
  const { signal } = new AbortController();
  return { item, purpose: 'backup', volumeDemands: [], backup, cluster, signal };
}
