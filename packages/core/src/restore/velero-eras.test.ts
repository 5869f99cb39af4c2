import { expect, it } from 'vitest';
import { silentLogger } from '../internal/silent-logger.ts';
import { systemClock } from '../internal/system-clock.ts';
import { Resources } from '../model/resources.ts';
import { MemoryObjectStore } from '../stores/memory-object-store.ts';
import { FakeCluster } from '../testing/fake-cluster/fake-cluster.ts';
import type { RestoreResult } from './request.ts';
import { runRestore } from './run-restore.ts';
import { type StoredBackup, storeBackup } from './stored-backup-fixture.ts';
import { type EraBackupOptions, eraBackup, veleroEras } from './velero-eras-fixture.ts';

function backupIn(cluster: FakeCluster): EraBackupOptions {
  const createdAt = new Date(0);
  const { handle } = cluster.csi.storage.addSnapshot({
    name: 'snapshot',
    sourceVolumeHandle: 'gone',
    sizeBytes: 31_457_280n,
    createdAt,
    readyAt: createdAt,
    files: new Map([['f', Buffer.from('precious')]]),
  });
  return {
    name: 'old',
    namespace: 'shop',
    driver: cluster.csi.name,
    snapshotHandle: handle,
    storageClassName: 'fake-csi',
  };
}

async function restore(cluster: FakeCluster, backup: StoredBackup): Promise<RestoreResult> {
  await using store = new MemoryObjectStore();
  await storeBackup(store, backup);
  const spec = { backupName: 'old', namespaceMapping: { shop: 'copy' } };
  return await runRestore(
    { cluster, store, clock: systemClock, logger: silentLogger, actions: [], concurrency: 4 },
    { spec },
  );
}

async function expectDataIn(cluster: FakeCluster): Promise<void> {
  const claim = { namespace: 'copy', name: 'data' };
  expect(Buffer.from(cluster.csi.readFile(claim, 'f') ?? []).toString()).toBe('precious');
  expect(await cluster.get({ ...Resources.persistentVolumeClaims, ...claim })).toMatchObject({
    spec: { resources: { requests: { storage: '30Mi' } } },
  });
}

it.each(veleroEras)('a backup of Velero %s is restored with its data', async (era) => {
  await using cluster = new FakeCluster();
  expect(await restore(cluster, eraBackup(era, backupIn(cluster)))).toMatchObject({
    restore: { status: { phase: 'Completed' } },
    issues: [],
  });
  await expectDataIn(cluster);
});

it.each(
  veleroEras.flatMap(
    (era) =>
      [
        [era, ['volumesnapshots'] as const],
        [era, ['volumesnapshotcontents'] as const],
        [era, ['volumesnapshots', 'volumesnapshotcontents'] as const],
      ] as const,
  ),
)('a backup of Velero %s is restored although its archive lacks %s', async (era, archiveLacks) => {
  await using cluster = new FakeCluster();
  const options = { ...backupIn(cluster), archiveLacks };
  expect(await restore(cluster, eraBackup(era, options))).toMatchObject({ issues: [] });
  await expectDataIn(cluster);
});

it('a claim whose data was moved is refused with what to do, and the others are restored', async () => {
  await using cluster = new FakeCluster();
  const backup = eraBackup('1.16', backupIn(cluster));
  const objects = backup.objects.map(([resource, object]) =>
    resource === 'persistentvolumeclaims'
      ? ([
          resource,
          {
            ...object,
            metadata: {
              ...object.metadata,
              annotations: { 'velero.io/data-upload-name': 'velero/old-x7k2m' },
            },
          },
        ] as const)
      : ([resource, object] as const),
  );
  const { issues } = await restore(cluster, {
    ...backup,
    objects,
    spec: { snapshotMoveData: true },
  });
  expect(issues).toMatchObject([
    {
      severity: 'error',
      reason: 'VolumeDataOutOfReach',
      message: expect.stringContaining('restore it with Velero') as string,
      object: { namespace: 'copy', name: 'data' },
    },
  ]);
});
