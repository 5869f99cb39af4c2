import { randomUUID } from 'node:crypto';
import { expect, it } from 'vitest';
import type { KubernetesObject } from '../../packages/core/src/model/kubernetes.ts';
import { Resources } from '../../packages/core/src/model/resources.ts';
import type { Cluster } from '../../packages/core/src/ports/cluster.ts';
import {
  type ImportSnapshotRequest,
  importSnapshot,
  removeImportedSnapshot,
} from '../../packages/core/src/snapshot/imported-snapshot.ts';
import {
  archivedVolumeSnapshot,
  archivedVolumeSnapshotContent,
} from '../../packages/core/src/snapshot/manifests.ts';
import type { ReadySnapshot } from '../../packages/core/src/snapshot/ready-snapshot.ts';
import {
  type ReleaseSnapshotRequest,
  releaseSnapshot,
} from '../../packages/core/src/snapshot/release-snapshot.ts';
import { waitFor } from '../cluster/wait-for.ts';
import { type BoundVolume, SnapshotLab } from './snapshot-lab.ts';

/** A snapshot as a backup leaves it: in the storage only. */
async function detachedSnapshot(
  lab: SnapshotLab,
  cluster: Cluster,
): Promise<{ readonly volume: BoundVolume; readonly snapshot: ReadySnapshot }> {
  const volume = await lab.createVolume(cluster);
  const session = await lab.openSession(cluster);
  const snapshot = await session.take({
    ...volume,
    snapshotClass: await lab.snapshotClass(cluster),
  });
  await session.detach(snapshot);
  return { volume, snapshot };
}

function importOf(
  cluster: Cluster,
  namespace: string,
  snapshot: ReadySnapshot,
): ImportSnapshotRequest {
  return {
    cluster,
    namespace,
    restoreUid: randomUUID(),
    restoreName: 'r-1',
    backupName: 'b-1',
    volumeSnapshot: archivedVolumeSnapshot(snapshot, 'b-1'),
    volumeSnapshotContent: archivedVolumeSnapshotContent(snapshot, 'b-1'),
    driver: snapshot.driver,
    snapshotHandle: snapshot.snapshotHandle,
  };
}

function releaseOf(cluster: Cluster, snapshot: ReadySnapshot): ReleaseSnapshotRequest {
  const { driver, snapshotHandle } = snapshot;
  return { cluster, backupName: 'b-1', driver, snapshotHandle };
}

function claimFrom(namespace: string, volumeSnapshotName: string): KubernetesObject {
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: { name: 'restored', namespace },
    spec: {
      storageClassName: 'dirvol',
      accessModes: ['ReadWriteOnce'],
      resources: { requests: { storage: '1Mi' } },
      dataSource: {
        apiGroup: 'snapshot.storage.k8s.io',
        kind: 'VolumeSnapshot',
        name: volumeSnapshotName,
      },
    },
  };
}

async function releaseContents(
  cluster: Cluster,
  handle: string,
): Promise<readonly KubernetesObject[]> {
  const contents = await Array.fromAsync(cluster.list(Resources.volumeSnapshotContents));
  return contents.filter((content) => JSON.stringify(content).includes(handle));
}

it('a snapshot is imported in the other cluster, fills a claim there, and goes without its data', async (context) => {
  const lab = await SnapshotLab.open(context);
  const here = lab.connect();
  const there = lab.connect(2);
  const { volume, snapshot } = await detachedSnapshot(lab, here);
  const namespace = await lab.kit.createNamespace('snapshot', { cluster: 2 });

  const request = importOf(there, namespace, snapshot);
  const imported = await importSnapshot(request);
  expect(await importSnapshot(request)).toMatchObject({ name: imported.name });
  await there.create(Resources.persistentVolumeClaims, claimFrom(namespace, imported.name));
  const restored = await lab.boundVolume(there, namespace, 'restored');
  expect(await lab.greetingOf(restored)).toBe('hello');

  await removeImportedSnapshot(imported);
  await removeImportedSnapshot(imported);
  const reference = { ...Resources.volumeSnapshotContents, name: imported.name };
  expect(await there.get(reference)).toBeUndefined();
  expect(await lab.storageSnapshotsOf(volume)).toEqual([snapshot.snapshotHandle]);
  await releaseSnapshot(releaseOf(there, snapshot));
  expect(await lab.leftovers(here, volume)).toEqual([]);
});

it('a pair of the same name that stands for another snapshot is not taken over', async (context) => {
  const lab = await SnapshotLab.open(context);
  const cluster = lab.connect();
  const { snapshot } = await detachedSnapshot(lab, cluster);
  const request = importOf(cluster, lab.namespace, snapshot);
  const imported = await importSnapshot(request);
  const other = importSnapshot({ ...request, snapshotHandle: 'other' });
  await expect(other).rejects.toMatchObject({ code: 'SnapshotFailed' });
  await removeImportedSnapshot(imported);
  await releaseSnapshot(releaseOf(cluster, snapshot));
});

it('an import into a missing namespace is refused and leaves no content', async (context) => {
  const lab = await SnapshotLab.open(context);
  const cluster = lab.connect();
  const { volume, snapshot } = await detachedSnapshot(lab, cluster);
  const imported = importSnapshot(importOf(cluster, `${lab.namespace}-missing`, snapshot));
  await expect(imported).rejects.toMatchObject({ code: 'NotFound' });
  await waitFor(
    async () => (await releaseContents(cluster, snapshot.snapshotHandle)).length === 0,
    { what: 'the content to be gone' },
  );
  expect(await lab.storageSnapshotsOf(volume)).toEqual([snapshot.snapshotHandle]);
  await releaseSnapshot(releaseOf(cluster, snapshot));
});

it('a snapshot is freed by its handle, again and again', async (context) => {
  const lab = await SnapshotLab.open(context);
  const cluster = lab.connect();
  const { volume, snapshot } = await detachedSnapshot(lab, cluster);
  for (let round = 0; round < 3; round += 1) {
    await releaseSnapshot(releaseOf(cluster, snapshot));
    expect(await lab.leftovers(cluster, volume)).toEqual([]);
  }
});

it('a snapshot is freed although the driver cannot look it up', async (context) => {
  const lab = await SnapshotLab.open(context);
  const cluster = lab.connect();
  const { volume, snapshot } = await detachedSnapshot(lab, cluster);
  const handle = snapshot.snapshotHandle;
  await lab.kit.injectFault({ rpc: 'ListSnapshots', handle, code: 'INTERNAL', message: 'blind' });
  await releaseSnapshot(releaseOf(cluster, snapshot));
  expect(await lab.leftovers(cluster, volume)).toEqual([]);
});

it('a snapshot that the driver cannot delete is reported, and freed when it can', async (context) => {
  const lab = await SnapshotLab.open(context);
  const cluster = lab.connect();
  const { volume, snapshot } = await detachedSnapshot(lab, cluster);
  const handle = snapshot.snapshotHandle;
  const fault = await lab.kit.injectFault({ rpc: 'DeleteSnapshot', handle, code: 'INTERNAL' });
  const released = releaseSnapshot({ ...releaseOf(cluster, snapshot), timeoutMs: 1_500 });
  await expect(released).rejects.toMatchObject({
    code: 'SnapshotFailed',
    message: expect.stringMatching(/did not delete it within 1.5 s.* lifeboat-release-/) as string,
  });
  expect(await lab.storageSnapshotsOf(volume)).toEqual([handle]);
  await fault.end();
  await waitFor(async () => (await lab.leftovers(cluster, volume)).length === 0, {
    what: 'the driver to delete the snapshot',
  });
});

it('a driver that no sidecar serves is reported, and nothing is left', async (context) => {
  const lab = await SnapshotLab.open(context);
  const cluster = lab.connect();
  const snapshotHandle = randomUUID();
  const released = releaseSnapshot({
    cluster,
    backupName: 'b-1',
    driver: 'absent.csi.example',
    snapshotHandle,
    timeoutMs: 1_000,
  });
  await expect(released).rejects.toMatchObject({
    code: 'SnapshotFailed',
    message: expect.stringContaining(
      'csi-snapshotter sidecar of driver absent.csi.example',
    ) as string,
  });
  expect(await releaseContents(cluster, snapshotHandle)).toEqual([]);
});

it('an aborted release leaves no content', async (context) => {
  const lab = await SnapshotLab.open(context);
  const cluster = lab.connect();
  const snapshotHandle = randomUUID();
  const signal = AbortSignal.timeout(300);
  const released = releaseSnapshot(
    { cluster, backupName: 'b-1', driver: 'absent.csi.example', snapshotHandle },
    { signal },
  );
  const error: unknown = await released.catch((reason: unknown) => reason);
  expect(error).toBe(signal.reason);
  expect(await releaseContents(cluster, snapshotHandle)).toEqual([]);
});
