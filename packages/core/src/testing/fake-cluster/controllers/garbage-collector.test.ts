import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { KubernetesManifest } from '../../../model/kubernetes.ts';
import { FakeCluster } from '../fake-cluster.ts';

const configMaps = { group: '', version: 'v1', resource: 'configmaps' };

function configMap(name: string, ...owners: readonly string[]): KubernetesManifest {
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: {
      name,
      namespace: 'default',
      ownerReferences: owners.map((uid) => ({
        apiVersion: 'v1',
        kind: 'ConfigMap',
        name: uid,
        uid,
      })),
    },
  };
}

describe('GarbageCollector', () => {
  let cluster: FakeCluster;
  beforeEach(() => {
    cluster = new FakeCluster();
  });
  afterEach(async () => {
    await cluster.close();
  });
  const exists = async (name: string): Promise<boolean> =>
    (await cluster.get({ ...configMaps, namespace: 'default', name })) !== undefined;
  const createOwner = async (name: string): Promise<string> =>
    (await cluster.create(configMaps, configMap(name))).metadata.uid ?? '';

  it('deletes what is created with an owner that does not exist', async () => {
    await cluster.create(configMaps, configMap('orphan', 'no-such-uid'));
    await cluster.settle();
    expect(await exists('orphan')).toBe(false);
  });

  it('keeps what has one owner left', async () => {
    const [first, second] = [await createOwner('first'), await createOwner('second')];
    await cluster.create(configMaps, configMap('shared', first, second));
    await cluster.delete({ ...configMaps, namespace: 'default', name: 'first' });
    await cluster.settle();
    expect(await exists('shared')).toBe(true);
    await cluster.delete({ ...configMaps, namespace: 'default', name: 'second' });
    await cluster.settle();
    expect(await exists('shared')).toBe(false);
  });

  it('deletes the dependents of dependents', async () => {
    const owner = await createOwner('owner');
    const child = await cluster.create(configMaps, configMap('child', owner));
    await cluster.create(configMaps, configMap('grandchild', child.metadata.uid ?? ''));
    await cluster.delete({ ...configMaps, namespace: 'default', name: 'owner' });
    await cluster.settle();
    expect(await exists('grandchild')).toBe(false);
  });
});
