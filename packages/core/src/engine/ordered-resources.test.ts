import { describe, expect, it } from 'vitest';
import type { BackupSpec } from '../model/backup.ts';
import type { BackupEvent } from '../model/event.ts';
import { describeObject, type KubernetesManifest } from '../model/kubernetes.ts';
import { Resources } from '../model/resources.ts';
import { MemoryObjectStore } from '../stores/memory-object-store.ts';
import { FakeCluster } from '../testing/fake-cluster/fake-cluster.ts';
import { createEngine } from './create-engine.ts';
import { freezing, HookLab, type LabPod } from './hook-lab-fixture.ts';

describe('orderedResources', () => {
  it('puts objects first among those of their resource, in a backup and in its plan', async () => {
    const { stored, planned, issues } = await orderOf({
      includedNamespaces: ['shop', 'other'],
      includedResources: ['configmaps', 'secrets'],
      orderedResources: { cm: 'shop/c, other/z,shop/a', secrets: 'shop/s2' },
    });
    expect(stored).toEqual([
      ...['configmaps shop/c', 'configmaps other/z', 'configmaps shop/a', 'configmaps shop/b'],
      ...['secrets shop/s2', 'secrets shop/s1'],
    ]);
    expect(planned).toEqual(stored);
    expect(issues).toEqual([]);
  });

  it('has no effect, but for warnings, on what the backup does not take', async () => {
    const { stored, planned, issues } = await orderOf({
      includedNamespaces: ['shop'],
      includedResources: ['configmaps'],
      labelSelector: { matchLabels: { tier: 'web' } },
      orderedResources: {
        configmaps: 'shop/gone, shop/a, other/z, b, shop/c',
        secrets: 'shop/s1',
        widgets: 'shop/w',
      },
    });
    expect(stored).toEqual(['configmaps shop/c', 'configmaps shop/b']);
    expect(planned).toEqual(stored);
    const names = 'spec.orderedResources names';
    expect(issues).toEqual([
      `${names} the resource "secrets", which this backup does not list`,
      `${names} the resource "widgets", which this backup does not list`,
      `${names} shop/gone of configmaps, which does not exist`,
      `${names} shop/a of configmaps, which the backup does not select`,
      `${names} other/z of configmaps, which the backup does not select`,
      `${names} b of configmaps, without its namespace`,
    ]);
  });

  it('leaves an object that may not be read by itself to its list', async () => {
    const { stored, issues } = await orderOf(
      {
        includedNamespaces: ['shop'],
        includedResources: ['secrets'],
        orderedResources: { secrets: 'shop/s2' },
      },
      (cluster) =>
        cluster.faults.inject({ operation: 'get', resource: 'secrets', error: 'Forbidden' }),
    );
    expect(stored).toEqual(['secrets shop/s1', 'secrets shop/s2']);
    expect(issues).toEqual([expect.stringContaining('could not be read')]);
  });

  it('refuses what is no order, all at once, before anything is touched', async () => {
    await using cluster = new FakeCluster();
    const store = new MemoryObjectStore();
    const spec = { orderedResources: { pods: 'shop/a,,shop/a', secrets: 'a/b/c' } };
    await expect(
      createEngine({ cluster, store }).backup({ name: 'b', spec }),
    ).rejects.toMatchObject({
      code: 'Validation',
      violations: [
        { path: 'spec.orderedResources.pods', received: '' },
        { path: 'spec.orderedResources.pods', received: 'shop/a' },
        { path: 'spec.orderedResources.secrets', received: 'a/b/c' },
      ],
    });
    expect(await Array.fromAsync(store.list(''))).toEqual([]);
  });
});

describe('orderedResources of pods', () => {
  const pod = (name: string, claims: readonly string[], annotations = freezing): LabPod => ({
    name,
    claims,
    annotations,
  });

  it('hold them in one window, and request their snapshots in order', async () => {
    const { commands, requested, pods } = await backUpPods(
      [pod('a', ['of-a']), pod('b', ['of-b']), pod('c', ['of-c'])],
      'shop/c,shop/a',
    );
    expect(commands.slice(0, 2)).toEqual(['freeze c', 'freeze a']);
    expect(commands.indexOf('freeze b')).toBeGreaterThan(1);
    expect(requested).toEqual(['of-c', 'of-a', 'of-b']);
    expect(pods).toEqual(['c', 'a', 'b']);
  });

  it('take along into their window who shares a claim with them', async () => {
    const { commands, requested, pods } = await backUpPods(
      [pod('a', ['shared', 'of-a']), pod('b', ['of-b']), pod('c', ['shared'])],
      'shop/c',
    );
    expect(commands.slice(0, 2)).toEqual(['freeze c', 'freeze a']);
    expect(requested).toEqual(['shared', 'of-a', 'of-b']);
    expect(pods).toEqual(['c', 'a', 'b']);
  });

  it('come first without hooks too', async () => {
    const { requested, pods } = await backUpPods(
      [pod('a', ['of-a'], {}), pod('b', [], {}), pod('c', ['of-c'], {})],
      'shop/c, shop/b',
    );
    expect(requested).toEqual(['of-c', 'of-a']);
    expect(pods).toEqual(['c', 'b', 'a']);
  });

  async function backUpPods(
    pods: readonly LabPod[],
    order: string,
  ): Promise<Record<'commands' | 'requested' | 'pods', readonly string[]>> {
    await using lab = await HookLab.open(pods, { concurrency: { hookedPods: 1 } });
    const spec = { includedNamespaces: ['shop'], orderedResources: { pods: order } };
    const { backup } = await lab.engine.backup({ name: 'ordered', spec }, { onEvent: lab.onEvent });
    expect(backup.status.phase).toBe('Completed');
    return {
      commands: lab.commands,
      requested: lab.events.flatMap((event) =>
        event.type === 'snapshot' && event.state === 'Requested' ? [event.claimName] : [],
      ),
      pods: lab.events.flatMap((event) =>
        event.type === 'item' && event.object.groupResource === 'pods' ? [event.object.name] : [],
      ),
    };
  }
});

async function orderOf(
  spec: BackupSpec,
  prepare: (cluster: FakeCluster) => unknown = () => undefined,
): Promise<Record<'stored' | 'planned' | 'issues', readonly string[]>> {
  await using cluster = new FakeCluster();
  for (const name of ['shop', 'other']) {
    const metadata = { name };
    await cluster.create(Resources.namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata });
  }
  await cluster.settle();
  cluster.seed([
    object('ConfigMap', 'shop', 'a'),
    object('ConfigMap', 'shop', 'b', { tier: 'web' }),
    object('ConfigMap', 'shop', 'c', { tier: 'web' }),
    object('ConfigMap', 'other', 'z', { tier: 'web' }),
    object('Secret', 'shop', 's1'),
    object('Secret', 'shop', 's2'),
  ]);
  prepare(cluster);
  const engine = createEngine({ cluster, store: new MemoryObjectStore() });
  const include = ({ kind, name }: { readonly kind: string; readonly name: string }): boolean =>
    kind !== 'Namespace' && name !== 'kube-root-ca.crt';
  const stored: string[] = [];
  const onEvent = (event: BackupEvent): void => {
    if (event.type === 'item') {
      stored.push(describeObject(event.object));
    }
  };
  const plan = await engine.planBackup({ name: 'b', spec }, { include });
  const { issues } = await engine.backup({ name: 'b', spec }, { include, onEvent });
  expect(plan.issues).toEqual(issues);
  return {
    stored,
    planned: plan.items.map(describeObject),
    issues: issues.map(({ message }) => message),
  };
}

function object(kind: string, namespace: string, name: string, labels = {}): KubernetesManifest {
  return { apiVersion: 'v1', kind, metadata: { name, namespace, labels } };
}
