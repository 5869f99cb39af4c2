import { describe, expect, it } from 'vitest';
import { ClusterError } from '../../errors.ts';
import type { Backup } from '../../model/backup.ts';
import type { GroupVersionResource, KubernetesObject } from '../../model/kubernetes.ts';
import { Resources } from '../../model/resources.ts';
import type { Cluster } from '../../ports/cluster.ts';
import { FakeCluster } from '../../testing/fake-cluster/fake-cluster.ts';
import { createServiceAccountAction } from './service-account.ts';

const rbac = 'rbac.authorization.k8s.io/v1';
const { signal } = new AbortController();

function backupNamed(name: string): Backup {
  return {
    kind: 'Backup',
    apiVersion: 'velero.io/v1',
    metadata: { name },
    spec: {},
    status: { version: 1, formatVersion: '1.1.0', phase: 'InProgress' },
  };
}

function account(namespace: string, name: string): KubernetesObject {
  return { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { namespace, name } };
}

interface Subject {
  readonly kind: string;
  readonly name: string;
  readonly namespace?: string;
}

async function bind(
  cluster: Cluster,
  name: string,
  roleRef: { readonly kind: string; readonly name: string },
  subjects: readonly Subject[],
): Promise<void> {
  await cluster.create(Resources.clusterRoleBindings, {
    apiVersion: rbac,
    kind: 'ClusterRoleBinding',
    metadata: { name },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', ...roleRef },
    subjects: subjects.map((subject) => ({ ...subject })),
  });
}

/** Counts how often bindings are listed, and can forbid it. */
class WatchedCluster extends FakeCluster {
  lists = 0;
  forbidden = false;

  override list(
    resource: GroupVersionResource,
    options?: Parameters<FakeCluster['list']>[1],
  ): AsyncIterable<KubernetesObject> {
    if (resource.resource === 'clusterrolebindings') {
      this.lists += 1;
      if (this.forbidden) {
        throw new ClusterError('no', { code: 'Forbidden', operation: 'list', httpStatus: 403 });
      }
    }
    return super.list(resource, options);
  }
}

async function clusterWithBindings(): Promise<WatchedCluster> {
  const cluster = new WatchedCluster();
  const web = { kind: 'ServiceAccount', namespace: 'shop', name: 'web' };
  await bind(cluster, 'web-reads', { kind: 'ClusterRole', name: 'reader' }, [
    web,
    { kind: 'ServiceAccount', namespace: 'other', name: 'web' },
  ]);
  await bind(cluster, 'web-writes', { kind: 'ClusterRole', name: 'writer' }, [web, web]);
  await bind(cluster, 'people', { kind: 'ClusterRole', name: 'admin' }, [
    { kind: 'User', name: 'web' },
    { kind: 'Group', name: 'web' },
  ]);
  return cluster;
}

describe('the bindings of a ServiceAccount', () => {
  it('come along with their ClusterRoles, once each, and those of others do not', async () => {
    await using cluster = await clusterWithBindings();
    const action = createServiceAccountAction();
    const backup = backupNamed('b');
    const output = await action.execute({ item: account('shop', 'web'), backup, cluster, signal });
    expect(output.additionalItems).toEqual([
      { ...Resources.clusterRoleBindings, name: 'web-reads' },
      { ...Resources.clusterRoles, name: 'reader' },
      { ...Resources.clusterRoleBindings, name: 'web-writes' },
      { ...Resources.clusterRoles, name: 'writer' },
    ]);
    const none = await action.execute({
      item: account('shop', 'default'),
      backup,
      cluster,
      signal,
    });
    expect(none).toEqual({ additionalItems: [], issues: [] });
  });

  it('are listed once for each backup', async () => {
    await using cluster = await clusterWithBindings();
    const action = createServiceAccountAction();
    for (const backup of [backupNamed('a'), backupNamed('b')]) {
      for (const name of ['web', 'default', 'other']) {
        await action.execute({ item: account('shop', name), backup, cluster, signal });
      }
    }
    expect(cluster.lists).toBe(2);
  });

  it('are one warning for a user who may not list them', async () => {
    await using cluster = await clusterWithBindings();
    cluster.forbidden = true;
    const action = createServiceAccountAction();
    const backup = backupNamed('b');
    const issues = [];
    for (const name of ['web', 'default']) {
      const output = await action.execute({ item: account('shop', name), backup, cluster, signal });
      expect(output.additionalItems).toEqual([]);
      issues.push(...(output.issues ?? []));
    }
    expect(issues).toMatchObject([{ severity: 'warning', reason: 'ClusterRoleBindingsNotRead' }]);
  });
});
