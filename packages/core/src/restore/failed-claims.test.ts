import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Resources } from '../model/resources.ts';
import { RestoreScene } from './restore-scene-fixture.ts';
import {
  getClaim,
  type SnapshottedClaim,
  snapshotObjects,
  snapshottedClaim,
} from './snapshotted-claim-fixture.ts';
import { storeBackup } from './stored-backup-fixture.ts';

let scene: RestoreScene;

beforeEach(() => {
  scene = RestoreScene.open();
});

afterEach(async () => {
  await scene[Symbol.asyncDispose]();
});

describe('what goes wrong with claims', () => {
  const refused: readonly [what: string, claim: SnapshottedClaim, reason: string, word: string][] =
    [
      ['a missing StorageClass', { storageClassName: 'gone' }, 'StorageClassMissing', 'gone'],
      [
        'a missing driver',
        { driver: 'gone.example.com', handle: 'h' },
        'DriverMissing',
        'gone.example.com',
      ],
    ];
  it.each(refused)(
    '%s is an error that names it, and the claim is not created',
    async (_what, claim, reason, word) => {
      await storeBackup(scene.store, {
        name: 'shop',
        objects: snapshottedClaim(scene.cluster, claim),
      });
      const { issues, restore: done } = await scene.restore({ spec: { backupName: 'shop' } });
      expect(issues).toMatchObject([
        {
          severity: 'error',
          reason,
          message: expect.stringContaining(word) as string,
          object: { groupResource: 'persistentvolumeclaims', namespace: 'shop', name: 'data' },
        },
      ]);
      expect(done.status.phase).toBe('PartiallyFailed');
      expect(await getClaim(scene.cluster, 'shop')).toBeUndefined();
      expect(await snapshotObjects(scene.cluster)).toEqual([]);
    },
  );

  it('a snapshot that the backup lacks is an error, not an empty volume', async () => {
    const objects = snapshottedClaim(scene.cluster).filter(
      ([resource]) => resource !== 'volumesnapshots',
    );
    await storeBackup(scene.store, { name: 'shop', objects });
    const { issues } = await scene.restore({ spec: { backupName: 'shop' } });
    expect(issues).toMatchObject([{ severity: 'error', reason: 'VolumeDataOutOfReach' }]);
    expect(await getClaim(scene.cluster, 'shop')).toBeUndefined();
  });

  it('a claim that the API server refuses leaves no snapshot objects', async () => {
    await storeBackup(scene.store, { name: 'shop', objects: snapshottedClaim(scene.cluster) });
    scene.cluster.faults.inject({
      operation: 'create',
      resource: 'persistentvolumeclaims',
      error: 'Forbidden',
    });
    const { issues } = await scene.restore({ spec: { backupName: 'shop' } });
    expect(issues).toMatchObject([
      { severity: 'error', reason: 'Forbidden', object: { name: 'data' } },
    ]);
    expect(await snapshotObjects(scene.cluster)).toEqual([]);
  });

  it('a claim that gets no volume in time is an error with what the cluster says, and keeps its snapshot objects', async () => {
    await storeBackup(scene.store, { name: 'shop', objects: snapshottedClaim(scene.cluster) });
    scene.cluster.csi.inject({ call: 'CreateVolume', error: 'disk on fire' });
    const { issues } = await scene.restore(
      { spec: { backupName: 'shop' } },
      { claimBoundTimeoutMs: 2_000 },
    );
    expect(issues).toMatchObject([
      {
        severity: 'error',
        reason: 'ClaimNotBound',
        message: expect.stringContaining('disk on fire') as string,
        object: { groupResource: 'persistentvolumeclaims', namespace: 'shop', name: 'data' },
      },
    ]);
    expect(await snapshotObjects(scene.cluster)).toHaveLength(2);
  });

  it('an abort before a claim is created removes its snapshot objects', async () => {
    await storeBackup(scene.store, { name: 'shop', objects: snapshottedClaim(scene.cluster) });
    const controller = new AbortController();
    const reason = new Error('stop');
    scene.cluster.faults.inject({
      operation: 'create',
      resource: 'volumesnapshots.snapshot.storage.k8s.io',
      delayMs: 20,
    });
    const running = scene.restore({ spec: { backupName: 'shop' } }, { signal: controller.signal });
    const contents = scene.cluster.connect();
    for await (const event of contents.watch(Resources.volumeSnapshotContents)) {
      if (event.type === 'added') {
        controller.abort(reason);
        break;
      }
    }
    await expect(running).rejects.toBe(reason);
    await scene.cluster.settle();
    expect(await getClaim(scene.cluster, 'shop')).toBeUndefined();
    expect(await snapshotObjects(scene.cluster)).toEqual([]);
  });

  it('an abort while claims are waited for rejects with its reason and keeps what they are filled from', async () => {
    await storeBackup(scene.store, { name: 'shop', objects: snapshottedClaim(scene.cluster) });
    scene.cluster.csi.inject({ call: 'CreateVolume', error: 'busy' });
    const controller = new AbortController();
    const reason = new Error('stop');
    const running = scene.restore(
      { spec: { backupName: 'shop' } },
      {
        signal: controller.signal,
        onEvent: (event) => {
          if (event.type === 'phase' && event.phase === 'WaitingForClaims') {
            controller.abort(reason);
          }
        },
      },
    );
    await expect(running).rejects.toBe(reason);
    expect(await getClaim(scene.cluster, 'shop')).toBeDefined();
    expect(await snapshotObjects(scene.cluster)).toHaveLength(2);
  });
});
