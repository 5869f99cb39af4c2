import { expect, it } from 'vitest';
import type { JsonObject } from '../model/json.ts';
import { Resources } from '../model/resources.ts';
import { serveOnlyV1beta1 } from '../snapshot/v1beta1-cluster-fixture.ts';
import { MemoryObjectStore } from '../stores/memory-object-store.ts';
import { FakeCluster } from '../testing/fake-cluster/fake-cluster.ts';
import { createEngine } from './create-engine.ts';

const request = { name: 'old', spec: { includedNamespaces: ['shop'] } };

async function clusterWithClaim(): Promise<FakeCluster> {
  const cluster = new FakeCluster();
  const claim: JsonObject & { apiVersion: string; kind: string; metadata: JsonObject } = {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: { name: 'data', namespace: 'shop' },
    spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Mi' } } },
  };
  cluster.seed([{ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop' } }]);
  await cluster.create(Resources.persistentVolumeClaims, claim);
  await cluster.settle();
  cluster.csi.writeFile({ namespace: 'shop', name: 'data' }, 'file', 'treasure');
  return cluster;
}

function fileOf(cluster: FakeCluster, namespace: string): string {
  const bytes = cluster.csi.readFile({ namespace, name: 'data' }, 'file');
  return Buffer.from(bytes ?? []).toString();
}

it('a cluster with the snapshot API in v1beta1 only is backed up, restored, and freed of the backup', async () => {
  await using cluster = await clusterWithClaim();
  await serveOnlyV1beta1(cluster);
  const engine = createEngine({ cluster, store: new MemoryObjectStore() });
  const { backup, issues } = await engine.backup(request);
  expect(issues).toEqual([]);
  expect(backup.status).toMatchObject({ phase: 'Completed', csiVolumeSnapshotsCompleted: 1 });

  const spec = { backupName: 'old', namespaceMapping: { shop: 'copy' } };
  expect(await engine.restore({ spec })).toMatchObject({
    restore: { status: { phase: 'Completed' } },
    issues: [],
  });
  expect(fileOf(cluster, 'copy')).toBe('treasure');
  expect(cluster.csi.storage.snapshots.size).toBe(1);

  await createEngine({ cluster, store: new MemoryObjectStore() }).deleteBackup('missing');
  await engine.deleteBackup('old');
  expect(cluster.csi.storage.snapshots.size).toBe(0);
});

it('backups cross between clusters of both versions', async () => {
  const store = new MemoryObjectStore();
  await using old = await clusterWithClaim();
  await serveOnlyV1beta1(old);
  await using present = new FakeCluster({ csiStorage: old.csi.storage });
  await createEngine({ cluster: old, store }).backup(request);
  const there = createEngine({ cluster: present, store });
  expect(await there.restore({ spec: { backupName: 'old' } })).toMatchObject({ issues: [] });
  expect(fileOf(present, 'shop')).toBe('treasure');

  await there.backup({ ...request, name: 'new' });
  const back = createEngine({ cluster: old, store });
  const spec = { backupName: 'new', namespaceMapping: { shop: 'back' } };
  expect(await back.restore({ spec })).toMatchObject({ issues: [] });
  expect(fileOf(old, 'back')).toBe('treasure');
});
