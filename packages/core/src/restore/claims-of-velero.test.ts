import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { isLifeboatError } from '../errors.ts';
import { referenceTo } from '../model/kubernetes.ts';
import { stringAt } from '../model/object-path.ts';
import { Resources } from '../model/resources.ts';
import { RestoreScene } from './restore-scene-fixture.ts';
import { getClaim } from './snapshotted-claim-fixture.ts';

let scene: RestoreScene;

beforeEach(() => {
  scene = RestoreScene.open();
});

afterEach(async () => {
  await scene[Symbol.asyncDispose]();
});

/** Says of every static content, until it is disposed of, that its driver has found the snapshot. */
function answerForDriver(): AsyncDisposable {
  const connection = scene.cluster.connect();
  const answer = async (): Promise<void> => {
    for await (const event of connection.watch(Resources.volumeSnapshotContents)) {
      const snapshotHandle =
        'object' in event && stringAt(event.object, ['spec', 'source', 'snapshotHandle']);
      if (typeof snapshotHandle === 'string' && event.type === 'added') {
        const patch = { status: { readyToUse: true, snapshotHandle } };
        const reference = referenceTo(Resources.volumeSnapshotContents, event.object);
        await connection.patch(reference, { type: 'merge', patch }, { subresource: 'status' });
      }
    }
  };
  const answered = answer().catch((error: unknown) => {
    if (!isLifeboatError(error, 'Closed')) {
      throw error;
    }
  });
  return {
    async [Symbol.asyncDispose]() {
      await connection.close();
      await answered;
    },
  };
}

describe('a backup that Velero made', () => {
  it('is restored as Velero restored it', async () => {
    const folder = join(import.meta.dirname, '../../../../test/vectors/seed-csi');
    for (const file of readdirSync(folder)) {
      await scene.store.put(`backups/default/${file}`, readFileSync(join(folder, file)));
    }
    scene.cluster.seed([
      {
        apiVersion: 'storage.k8s.io/v1',
        kind: 'StorageClass',
        metadata: { name: 'hostpath' },
        provisioner: 'hostpath.csi.k8s.io',
        volumeBindingMode: 'WaitForFirstConsumer',
      },
    ]);
    await using _driver = answerForDriver();
    const { issues } = await scene.restore(
      {
        name: 'default-restore',
        spec: { backupName: 'default', excludedResources: ['pods'] },
        metadata: { uid: '3f8b5504-ee50-4683-97f1-8f94aee5b406' },
      },
      { importedSnapshots: 'keep' },
    );
    expect(issues).toMatchObject([{ severity: 'warning', reason: 'ClaimWaitsForPod' }]);
    const name = '41aa93d4f6453c59938f08c6e33d311ebf6b49888bd87502f90836536950a7d1';
    expect(await getClaim(scene.cluster, 'default', 'local-pvc')).toMatchObject({
      metadata: {
        labels: {
          'velero.io/backup-name': 'default',
          'velero.io/restore-name': 'default-restore',
          'velero.io/volume-snapshot-name': 'velero-local-pvc-pg6qb',
        },
      },
      spec: {
        accessModes: ['ReadWriteOnce'],
        dataSource: { apiGroup: 'snapshot.storage.k8s.io', kind: 'VolumeSnapshot', name },
        resources: { requests: { storage: '30Mi' } },
        storageClassName: 'hostpath',
        volumeMode: 'Filesystem',
      },
    });
    expect(await scene.cluster.get({ ...Resources.volumeSnapshotContents, name })).toMatchObject({
      spec: {
        deletionPolicy: 'Retain',
        driver: 'hostpath.csi.k8s.io',
        source: { snapshotHandle: '9a3e042d-e810-11f1-ab2d-069dd3634bc5' },
        sourceVolumeMode: 'Filesystem',
        volumeSnapshotRef: { namespace: 'default', name },
      },
    });
  });
});
