import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { RestoreScene } from './restore-scene-fixture.ts';
import { type Entry, getClaim } from './snapshotted-claim-fixture.ts';
import { archivedObject, storeBackup } from './stored-backup-fixture.ts';

let scene: RestoreScene;

beforeEach(() => {
  scene = RestoreScene.open();
});

afterEach(async () => {
  await scene[Symbol.asyncDispose]();
});

describe('a claim without a snapshot', () => {
  function unsnapshotted(reclaimPolicy: string): readonly Entry[] {
    return [
      [
        'persistentvolumes',
        archivedObject(
          'v1',
          'PersistentVolume',
          { name: 'pv-data', namespace: undefined },
          {
            spec: {
              accessModes: ['ReadWriteOnce'],
              capacity: { storage: '10Mi' },
              hostPath: { path: '/data' },
              persistentVolumeReclaimPolicy: reclaimPolicy,
              storageClassName: 'fake-csi',
              claimRef: { namespace: 'shop', name: 'data', uid: 'old' },
            },
          },
        ),
      ],
      [
        'persistentvolumeclaims',
        archivedObject(
          'v1',
          'PersistentVolumeClaim',
          { name: 'data' },
          {
            spec: {
              accessModes: ['ReadWriteOnce'],
              resources: { requests: { storage: '10Mi' } },
              storageClassName: 'fake-csi',
              volumeName: 'pv-data',
            },
            status: { phase: 'Bound' },
          },
        ),
      ],
    ];
  }

  it('is bound again to a volume that outlived it, though only its namespace is selected', async () => {
    await storeBackup(scene.store, { name: 'shop', objects: unsnapshotted('Retain') });
    const spec = { backupName: 'shop', includedNamespaces: ['shop'] };
    const { issues } = await scene.restore({ spec });
    expect(issues).toEqual([]);
    expect(await getClaim(scene.cluster, 'shop')).toMatchObject({
      spec: { volumeName: 'pv-data' },
      status: { phase: 'Bound' },
    });
  });

  it('is bound to that volume under another name', async () => {
    await storeBackup(scene.store, { name: 'shop', objects: unsnapshotted('Retain') });
    const spec = { backupName: 'shop', namespaceMapping: { shop: 'copy' } };
    const { issues } = await scene.restore(
      { spec },
      { claimNameMapping: { 'shop/data': 'renamed' } },
    );
    expect(issues).toEqual([]);
    expect(await getClaim(scene.cluster, 'copy', 'renamed')).toMatchObject({
      spec: { volumeName: 'pv-data' },
      status: { phase: 'Bound' },
    });
  });

  it('is not bound to a volume that another claim of the target has', async () => {
    await storeBackup(scene.store, { name: 'shop', objects: unsnapshotted('Retain') });
    await scene.restore({ name: 'first', spec: { backupName: 'shop' } });
    const spec = { backupName: 'shop', namespaceMapping: { shop: 'copy' } };
    const { issues } = await scene.restore({ name: 'second', spec });
    expect(issues.filter(({ severity }) => severity === 'error')).toMatchObject([
      { reason: 'VolumeInUse', object: { namespace: 'copy', name: 'data' } },
    ]);
    expect(await getClaim(scene.cluster, 'copy')).toBeUndefined();
  });

  it('gets an empty volume, with a warning, when the old one went with it', async () => {
    await storeBackup(scene.store, { name: 'shop', objects: unsnapshotted('Delete') });
    const { issues } = await scene.restore({ spec: { backupName: 'shop' } });
    expect(issues).toMatchObject([
      { severity: 'warning', reason: 'VolumeNotInBackup', object: { name: 'data' } },
    ]);
    expect(scene.cluster.csi.listFiles({ namespace: 'shop', name: 'data' })).toEqual([]);
  });
});
