import { describe, expect, it } from 'vitest';
import type { KubernetesObject } from '../../model/kubernetes.ts';
import { Resources } from '../../model/resources.ts';
import type { Cluster } from '../../ports/cluster.ts';
import { FakeCluster } from '../../testing/fake-cluster/fake-cluster.ts';
import { backupNamed, inputFor, listsOf } from './action-fixture.ts';
import { createServiceAccountAction } from './service-account.ts';

const rbac = 'rbac.authorization.k8s.io/v1';
const bindings = 'clusterrolebindings.rbac.authorization.k8s.io';

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

async function clusterWithBindings(): Promise<FakeCluster> {
  const cluster = new FakeCluster();
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
    const output = await action.execute(inputFor(account('shop', 'web'), backup, cluster));
    expect(output.additionalItems).toEqual([
      { ...Resources.clusterRoleBindings, name: 'web-reads' },
      { ...Resources.clusterRoles, name: 'reader' },
      { ...Resources.clusterRoleBindings, name: 'web-writes' },
      { ...Resources.clusterRoles, name: 'writer' },
    ]);
    const none = await action.execute(inputFor(account('shop', 'default'), backup, cluster));
    expect(none).toEqual({ additionalItems: [], issues: [] });
  });

  it('are listed once for each backup', async () => {
    await using cluster = await clusterWithBindings();
    const action = createServiceAccountAction();
    for (const backup of [backupNamed('a'), backupNamed('b')]) {
      for (const name of ['web', 'default', 'other']) {
        await action.execute(inputFor(account('shop', name), backup, cluster));
      }
    }
    expect(listsOf(cluster, bindings)).toBe(2);
  });

  it('are one warning for a user who may not list them', async () => {
    await using cluster = await clusterWithBindings();
    cluster.faults.inject({ operation: 'list', resource: bindings, error: 'Forbidden' });
    const action = createServiceAccountAction();
    const backup = backupNamed('b');
    const issues = [];
    for (const name of ['web', 'default']) {
      const output = await action.execute(inputFor(account('shop', name), backup, cluster));
      expect(output.additionalItems).toEqual([]);
      issues.push(...(output.issues ?? []));
    }
    expect(issues).toMatchObject([{ severity: 'warning', reason: 'ClusterRoleBindingsNotRead' }]);
  });
});
