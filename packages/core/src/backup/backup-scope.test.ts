import { describe, expect, it } from 'vitest';
import { silentLogger } from '../internal/silent-logger.ts';
import type { BackupSpec } from '../model/backup.ts';
import { Resources } from '../model/resources.ts';
import type { BackupCandidate } from '../selection/backup-candidate.ts';
import { FakeCluster } from '../testing/fake-cluster/fake-cluster.ts';
import { BackupRecord } from './backup-record.ts';
import { type BackupScope, type ScopeOptions, scopeOf } from './backup-scope.ts';
import { acceptBackupRequest } from './request.ts';

describe('scopeOf', () => {
  it.each<[string, BackupSpec]>([
    ['by name', { includedNamespaces: ['gone', 'shop'] }],
    ['beside a pattern', { includedNamespaces: ['gone', 'sh*'] }],
  ])('reports a missing namespace that is included %s', async (_how, spec) => {
    await using cluster = await clusterWithNamespaces();
    const { scope, record } = await decide(cluster, spec);
    expect(scope.namespaces).toEqual(['shop']);
    expect(record.errors).toMatchObject([
      { reason: 'NotFound', object: { groupResource: 'namespaces', name: 'gone' } },
    ]);
  });

  it('does not miss a namespace that a pattern excludes, nor one that a pattern might have meant', async () => {
    await using cluster = await clusterWithNamespaces();
    const { record } = await decide(cluster, {
      includedNamespaces: ['gone', 'shop', 'x*'],
      excludedNamespaces: ['go*'],
    });
    expect(record.issues).toEqual([]);
  });

  it('takes no namespace with the label, and says so in the spec', async () => {
    await using cluster = await clusterWithNamespaces();
    const { scope } = await decide(cluster, {});
    expect(scope.backup.spec.excludedNamespaces).toEqual(['hidden']);
    expect(scope.namespaces).not.toContain('hidden');
    expect(scope.namespaces).toContain('shop');
  });

  it('leaves out a Namespace object that the predicate does not want, and what it fails for', async () => {
    await using cluster = await clusterWithNamespaces();
    const spec = { includedNamespaces: ['other', 'shop', 'third'] };
    const { scope, record } = await decide(cluster, spec, {
      include: ({ kind, name }) => {
        if (name === 'third') {
          throw new Error('no idea');
        }
        return !(kind === 'Namespace' && name === 'shop');
      },
    });
    expect(scope.namespaceObjects.map(({ metadata }) => metadata.name)).toEqual(['other']);
    expect(record.errors).toMatchObject([
      { reason: 'ItemFailed', object: { groupResource: 'namespaces', name: 'third' } },
    ]);
    expect(record.errors[0]?.message).toContain('no idea');
  });

  it('takes a promise of an answer for no answer', async () => {
    await using cluster = await clusterWithNamespaces();
    const slow = (() => Promise.resolve(true)) as unknown as (one: BackupCandidate) => boolean;
    const { scope, record } = await decide(
      cluster,
      { includedNamespaces: ['shop'] },
      { include: slow },
    );
    expect(scope.namespaceObjects).toEqual([]);
    expect(record.errors[0]?.message).toContain('did not return true or false');
  });

  it('lists what the resource policy and the spec say together', async () => {
    await using cluster = await clusterWithNamespaces();
    const { scope } = await decide(
      cluster,
      { includedNamespaces: ['shop'], includedClusterScopedResources: ['storageclasses'] },
      {
        policy: {
          excludedNamespaceScopedResources: ['secrets'],
          includedClusterScopedResources: ['priorityclasses'],
        },
      },
    );
    const names = scope.resources.map(({ resource }) => resource);
    expect(names).toEqual(expect.arrayContaining(['pods', 'storageclasses', 'priorityclasses']));
    expect(names).not.toContain('secrets');
    expect(names).not.toContain('clusterroles');
  });
});

async function decide(
  cluster: FakeCluster,
  spec: BackupSpec,
  options: Partial<ScopeOptions> = {},
): Promise<{ readonly scope: BackupScope; readonly record: BackupRecord }> {
  const { signal } = new AbortController();
  const record = new BackupRecord(() => {}, silentLogger);
  const backup = acceptBackupRequest({ name: 'test', spec }, new Date(0));
  return { scope: await scopeOf({ cluster, backup, record, signal, ...options }), record };
}

async function clusterWithNamespaces(): Promise<FakeCluster> {
  const cluster = new FakeCluster();
  for (const name of ['shop', 'other', 'third', 'hidden']) {
    const labels = name === 'hidden' ? { 'velero.io/exclude-from-backup': 'true' } : {};
    await cluster.create(Resources.namespaces, {
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name, labels },
    });
  }
  await cluster.settle();
  return cluster;
}
