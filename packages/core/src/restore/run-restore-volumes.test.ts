import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ValidationError } from '../errors.ts';
import type { RestoreEvent } from '../model/event.ts';
import { objectsAt, stringAt, withValueAt } from '../model/object-path.ts';
import { Resources } from '../model/resources.ts';
import { importedSnapshotName } from '../snapshot/imported-snapshot.ts';
import { RestoreScene } from './restore-scene-fixture.ts';
import {
  type Entry,
  getClaim,
  snapshotObjects,
  snapshottedClaim,
} from './snapshotted-claim-fixture.ts';
import { archivedObject, storeBackup } from './stored-backup-fixture.ts';

let scene: RestoreScene;

beforeEach(() => {
  scene = RestoreScene.open();
});

afterEach(async () => {
  await scene[Symbol.asyncDispose]();
});

function podUsing(claimName: string): Entry {
  const spec = {
    containers: [{ name: 'c', image: 'busybox' }],
    volumes: [{ name: 'v', persistentVolumeClaim: { claimName } }],
  };
  return ['pods', archivedObject('v1', 'Pod', { name: 'web' }, { spec })];
}

function claimStates(events: readonly RestoreEvent[]): readonly string[] {
  return events.flatMap((event) =>
    event.type === 'claim' ? `${event.claimName} ${event.state}` : [],
  );
}

describe('a snapshotted claim', () => {
  it('comes back with its data, in any namespace, and leaves no snapshot objects', async () => {
    await storeBackup(scene.store, { name: 'shop', objects: snapshottedClaim(scene.cluster) });
    for (const target of ['shop', 'copy']) {
      const events: RestoreEvent[] = [];
      const spec = { backupName: 'shop', namespaceMapping: { shop: target } };
      const { restore: done, issues } = await scene.restore(
        { name: `to-${target}`, spec },
        { onEvent: (event) => events.push(event) },
      );
      expect(issues).toEqual([]);
      expect(done.status.phase).toBe('Completed');
      expect(claimStates(events)).toEqual(['data Bound']);
      const bytes = scene.cluster.csi.readFile({ namespace: target, name: 'data' }, 'f');
      expect(Buffer.from(bytes ?? []).toString()).toBe('precious data');
      expect(await getClaim(scene.cluster, target)).toMatchObject({
        spec: {
          dataSource: { kind: 'VolumeSnapshot' },
          resources: { requests: { storage: '30Mi' } },
        },
      });
    }
    expect(await snapshotObjects(scene.cluster)).toEqual([]);
    expect(scene.cluster.csi.storage.snapshots.size).toBe(1);
  });

  it('is written to by nobody before it is bound, whatever is to be put back', async () => {
    const configMap = { apiVersion: 'v1', kind: 'ConfigMap', name: 'owner', uid: 'uid-of-owner' };
    const managedFields = [{ manager: 'kubectl', operation: 'Apply' }];
    const owned = snapshottedClaim(scene.cluster).map(([resource, object]): Entry => {
      const metadata = { ...object.metadata, ownerReferences: [configMap], managedFields };
      return [resource, resource === 'persistentvolumeclaims' ? { ...object, metadata } : object];
    });
    const { name, uid } = configMap;
    const owner: Entry = ['configmaps', archivedObject('v1', 'ConfigMap', { name, uid })];
    await storeBackup(scene.store, { name: 'shop', objects: [...owned, owner] });
    const { issues } = await scene.restore(
      { spec: { backupName: 'shop', existingResourcePolicy: 'update' } },
      { relinkOwners: true, restoreManagedFields: true },
    );
    expect(issues).toEqual([]);
    const writes = scene.cluster.requests
      .filter(({ operation }) => operation === 'patch' || operation === 'delete')
      .map(({ operation, resource }) => `${operation} ${resource}`);
    // The pair goes when the claim is bound.
    const bound = writes.indexOf('delete volumesnapshots.snapshot.storage.k8s.io');
    expect(bound).toBeGreaterThanOrEqual(0);
    expect(writes.indexOf('patch persistentvolumeclaims')).toBeGreaterThan(bound);
  });

  it('is filled though only its namespace is selected, or it alone', async () => {
    await storeBackup(scene.store, { name: 'shop', objects: snapshottedClaim(scene.cluster) });
    const spec = { backupName: 'shop', includedNamespaces: ['shop'], includedResources: ['pvc'] };
    const { issues } = await scene.restore({ spec });
    expect(issues).toEqual([]);
    expect(scene.cluster.csi.listFiles({ namespace: 'shop', name: 'data' })).toEqual(['f']);
  });

  it('comes back beside the original under another name, with the pod that mounts it', async () => {
    await storeBackup(scene.store, {
      name: 'shop',
      objects: [...snapshottedClaim(scene.cluster), podUsing('data')],
    });
    await scene.restore({
      name: 'first',
      spec: { backupName: 'shop', includedResources: ['pvc'] },
    });
    scene.cluster.csi.writeFile({ namespace: 'shop', name: 'data' }, 'f', 'newer');
    const { issues } = await scene.restore(
      { name: 'second', spec: { backupName: 'shop' } },
      { claimNameMapping: { 'shop/data': 'data-copy' } },
    );
    expect(issues).toEqual([]);
    const read = (name: string): string =>
      Buffer.from(scene.cluster.csi.readFile({ namespace: 'shop', name }, 'f') ?? []).toString();
    expect([read('data'), read('data-copy')]).toEqual(['newer', 'precious data']);
    const pod = await scene.cluster.get({ ...Resources.pods, namespace: 'shop', name: 'web' });
    expect(pod && objectsAt(pod, ['spec', 'volumes'])[0]).toEqual({
      name: 'v',
      persistentVolumeClaim: { claimName: 'data-copy' },
    });
    expect(await snapshotObjects(scene.cluster)).toEqual([]);
  });

  it('cannot get a name that is none, or that another claim gets', async () => {
    await storeBackup(scene.store, { name: 'shop', objects: snapshottedClaim(scene.cluster) });
    const claimNameMapping = { 'shop/data': 'x', 'shop/logs': 'x', data: 'y', 'shop/a': 'Not' };
    const error: unknown = await scene
      .restore({ spec: { backupName: 'shop' } }, { claimNameMapping })
      .catch((cause: unknown) => cause);
    expect(error instanceof ValidationError && error.violations).toMatchObject([
      { path: 'options.claimNameMapping["shop/logs"]' },
      { path: 'options.claimNameMapping["data"]' },
      { path: 'options.claimNameMapping["shop/a"]' },
    ]);
  });

  it('gets a volume with the labels and the reclaim policy of the original', async () => {
    const objects = snapshottedClaim(scene.cluster).map(([resource, object]): Entry => {
      const labelled = withValueAt(object, ['metadata', 'labels'], { tier: 'gold' });
      const kept = ['spec', 'persistentVolumeReclaimPolicy'] as const;
      return resource === 'persistentvolumes'
        ? [resource, withValueAt(labelled, kept, 'Retain')]
        : [resource, object];
    });
    await storeBackup(scene.store, { name: 'shop', objects });
    const { issues } = await scene.restore({ spec: { backupName: 'shop' } });
    expect(issues).toEqual([]);
    const claim = await getClaim(scene.cluster, 'shop');
    const name = (claim && stringAt(claim, ['spec', 'volumeName'])) ?? '';
    expect(await scene.cluster.get({ ...Resources.persistentVolumes, name })).toMatchObject({
      metadata: { labels: { tier: 'gold' } },
      spec: { persistentVolumeReclaimPolicy: 'Retain' },
    });
  });

  it('keeps the snapshot objects on request, as Velero does', async () => {
    await storeBackup(scene.store, { name: 'shop', objects: snapshottedClaim(scene.cluster) });
    const request = { name: 'again', spec: { backupName: 'shop' }, metadata: { uid: 'u-1' } };
    await scene.restore(request, { importedSnapshots: 'keep' });
    const name = importedSnapshotName('u-1', 'velero-data-abcde');
    const kept = await snapshotObjects(scene.cluster);
    expect(kept.map(({ kind, metadata }) => `${kind} ${metadata.name}`)).toEqual([
      `VolumeSnapshot ${name}`,
      `VolumeSnapshotContent ${name}`,
    ]);
    expect(kept[1]).toMatchObject({ spec: { deletionPolicy: 'Retain' } });
  });

  it('waits for its pod where its class does so, and is bound when the pod is restored too', async () => {
    const objects = [
      ...snapshottedClaim(scene.cluster, { storageClassName: 'fake-csi-wffc' }),
      podUsing('data'),
    ];
    await storeBackup(scene.store, { name: 'shop', objects });
    const events: RestoreEvent[] = [];
    await scene.restore(
      { spec: { backupName: 'shop' } },
      { onEvent: (event) => events.push(event) },
    );
    expect(claimStates(events)).toEqual(['data Bound']);
  });

  it('is no failure while it waits for a pod that nobody restored, and keeps what it will be filled from', async () => {
    const objects = snapshottedClaim(scene.cluster, { storageClassName: 'fake-csi-wffc' });
    await storeBackup(scene.store, { name: 'shop', objects });
    const events: RestoreEvent[] = [];
    const { issues, restore: done } = await scene.restore(
      { spec: { backupName: 'shop' } },
      { onEvent: (event) => events.push(event) },
    );
    const [snapshot, content] = await snapshotObjects(scene.cluster);
    expect(content?.metadata.name).toBe(snapshot?.metadata.name);
    expect(issues).toMatchObject([
      {
        severity: 'warning',
        reason: 'ClaimWaitsForPod',
        message: expect.stringContaining(snapshot?.metadata.name ?? '?') as string,
        object: { groupResource: 'persistentvolumeclaims', namespace: 'shop', name: 'data' },
      },
    ]);
    expect(done.status.phase).toBe('Completed');
    expect(claimStates(events)).toEqual(['data WaitingForFirstConsumer']);
  });

  it('that exists is left alone: nothing is imported for it', async () => {
    await storeBackup(scene.store, { name: 'shop', objects: snapshottedClaim(scene.cluster) });
    await scene.restore({ name: 'first', spec: { backupName: 'shop' } });
    scene.cluster.csi.writeFile({ namespace: 'shop', name: 'data' }, 'f', 'newer');
    const { issues, items } = await scene.restore({ name: 'second', spec: { backupName: 'shop' } });
    expect(issues).toEqual([]);
    expect(items.filter(({ object }) => object.name === 'data')).toMatchObject([
      { object: { groupResource: 'persistentvolumeclaims' }, action: 'skipped' },
    ]);
    expect(await snapshotObjects(scene.cluster)).toEqual([]);
    const bytes = scene.cluster.csi.readFile({ namespace: 'shop', name: 'data' }, 'f');
    expect(Buffer.from(bytes ?? []).toString()).toBe('newer');
  });

  it('gets an empty volume when no data is wanted', async () => {
    await storeBackup(scene.store, { name: 'shop', objects: snapshottedClaim(scene.cluster) });
    const { issues } = await scene.restore({ spec: { backupName: 'shop', restorePVs: false } });
    expect(issues).toEqual([]);
    expect(scene.cluster.csi.listFiles({ namespace: 'shop', name: 'data' })).toEqual([]);
  });
});
