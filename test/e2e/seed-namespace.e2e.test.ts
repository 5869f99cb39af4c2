import { type Cluster, Resources } from '@lifeboat/core';
import { expect, it, type TestContext } from 'vitest';
import { stringAt } from '../../packages/core/src/model/object-path.ts';
import { type TestCluster, testCluster } from '../cluster/test-cluster.ts';
import { waitFor } from '../cluster/wait-for.ts';
import { BackupLab } from './backup-lab.ts';
import { SeedApplication } from './seed-application.ts';

interface Scene {
  readonly kit: TestCluster;
  readonly lab: BackupLab;
  readonly cluster: Cluster;
  readonly namespace: string;
  readonly application: SeedApplication;
  /** Of what the application has written. */
  readonly checksum: string;
  readonly volumeHandle: string;
}

/** The application runs in a namespace of its own, and has written. */
async function setTheScene(context: TestContext): Promise<Scene> {
  const kit = testCluster(context, { node: true });
  const lab = await BackupLab.open(kit, context);
  const connection = lab.connect();
  const namespace = await kit.createNamespace('seed');
  const application = new SeedApplication({ connection, namespace });
  await application.deploy();
  const checksum = await application.write();
  const volumeHandle = await application.volumeHandle();
  return { kit, lab, cluster: connection.cluster, namespace, application, checksum, volumeHandle };
}

async function loseNamespace({ cluster, namespace }: Scene): Promise<void> {
  await cluster.delete({ ...Resources.namespaces, name: namespace });
  await waitFor(
    async () => (await cluster.get({ ...Resources.namespaces, name: namespace })) === undefined,
    { what: `namespace ${namespace} to be gone` },
  );
}

async function volumeExists({ cluster, volumeHandle }: Scene): Promise<boolean> {
  const volumes = await Array.fromAsync(cluster.list(Resources.persistentVolumes));
  return volumes.some(
    (volume) => stringAt(volume, ['spec', 'csi', 'volumeHandle']) === volumeHandle,
  );
}

async function untilNoSnapshotObjects({ lab, cluster }: Scene, namespace: string): Promise<void> {
  await waitFor(async () => (await lab.snapshotObjectsOf(namespace, cluster)).length === 0, {
    what: `the snapshot objects of ${namespace} to be gone`,
  });
}

it.concurrent('comes back after its whole namespace was lost, although the class says Delete', async (context) => {
  const scene = await setTheScene(context);
  const { lab, cluster, namespace, application, checksum, volumeHandle } = scene;
  const engine = lab.engine();

  const backup = await engine.backup({ name: 'seed', spec: { includedNamespaces: [namespace] } });
  context.expect(backup).toMatchObject({ backup: { status: { phase: 'Completed' } }, issues: [] });
  context.expect(await lab.snapshotObjectsOf(namespace, cluster)).toEqual([]);
  context.expect(await lab.storageSnapshotsOf([volumeHandle])).toHaveLength(1);

  await loseNamespace(scene);
  await waitFor(async () => !(await volumeExists(scene)), { what: 'the volume to be gone' });
  const restored = await engine.restore({ spec: { backupName: 'seed' } });
  context
    .expect(restored)
    .toMatchObject({ restore: { status: { phase: 'Completed' } }, issues: [] });
  await application.untilRunning();
  context.expect(await application.checksum()).toBe(checksum);
  context.expect(await lab.snapshotObjectsOf(namespace, cluster)).toEqual([]);

  await engine.deleteBackup('seed');
  context.expect(await lab.storageSnapshotsOf([volumeHandle])).toEqual([]);
  context.expect(await lab.keys('backups/')).toEqual([]);
  context.expect(await application.checksum()).toBe(checksum);
});

it.concurrent('comes back from snapshot objects that were kept, whose namespace was lost', async (context) => {
  const scene = await setTheScene(context);
  const { lab, cluster, namespace, application, checksum, volumeHandle } = scene;
  const engine = lab.engine();

  await engine.backup(
    { name: 'seed', spec: { includedNamespaces: [namespace] } },
    { snapshotObjects: 'keep' },
  );
  const [snapshot, ...others] = await Array.fromAsync(
    cluster.list(Resources.volumeSnapshots, { namespace }),
  );
  context.expect(others).toEqual([]);
  context.expect(snapshot).toMatchObject({
    metadata: {
      name: expect.stringMatching(/^velero-local-pvc-[a-z0-9]{5}$/) as string,
      labels: { 'velero.io/backup-name': 'seed' },
    },
    status: { readyToUse: true },
  });
  const name = snapshot && stringAt(snapshot, ['status', 'boundVolumeSnapshotContentName']);
  const content = { ...Resources.volumeSnapshotContents, name: name ?? '' };
  context.expect(await cluster.get(content)).toMatchObject({ spec: { deletionPolicy: 'Retain' } });

  await loseNamespace(scene);
  context.expect(await lab.storageSnapshotsOf([volumeHandle])).toHaveLength(1);
  await engine.restore({ spec: { backupName: 'seed' } });
  await application.untilRunning();
  context.expect(await application.checksum()).toBe(checksum);

  await engine.deleteBackup('seed');
  context.expect(await lab.storageSnapshotsOf([volumeHandle])).toEqual([]);
  await untilNoSnapshotObjects(scene, namespace);
});

it.concurrent('is restored beside itself, into another namespace, while it lives', async (context) => {
  const scene = await setTheScene(context);
  const { kit, lab, cluster, namespace, application, checksum } = scene;
  const engine = lab.engine();
  await engine.backup(
    { name: 'seed', spec: { includedNamespaces: [namespace] } },
    { snapshotObjects: 'keep' },
  );
  const later = await application.write();

  const copyNamespace = `${namespace}-copy`;
  kit.deleteNamespaceAtEnd(copyNamespace);
  const restored = await engine.restore(
    { spec: { backupName: 'seed', namespaceMapping: { [namespace]: copyNamespace } } },
    { importedSnapshots: 'keep' },
  );
  context
    .expect(restored)
    .toMatchObject({ restore: { status: { phase: 'Completed' } }, issues: [] });
  const copy = new SeedApplication({ connection: lab.connect(), namespace: copyNamespace });
  await copy.untilRunning();
  context.expect(await copy.checksum()).toBe(checksum);
  context.expect(await application.checksum()).toBe(later);
  context.expect(await copy.volumeHandle()).not.toBe(await application.volumeHandle());

  context.expect(await lab.snapshotObjectsOf(namespace, cluster)).toHaveLength(2);
  context.expect(await lab.snapshotObjectsOf(copyNamespace, cluster)).toHaveLength(2);
  await engine.deleteBackup('seed');
  await untilNoSnapshotObjects(scene, namespace);
  await untilNoSnapshotObjects(scene, copyNamespace);
  context.expect(await copy.checksum()).toBe(checksum);
});

it.concurrent('is restored in another cluster from the same store', async (context) => {
  const { kit, lab, namespace, application, checksum, volumeHandle } = await setTheScene(context);
  await lab.engine().backup({ name: 'seed', spec: { includedNamespaces: [namespace] } });

  const there = lab.connect({ cluster: 2 });
  kit.deleteNamespaceAtEnd(namespace, { cluster: 2 });
  const restored = await lab.engine({ cluster: 2 }).restore({ spec: { backupName: 'seed' } });
  context
    .expect(restored)
    .toMatchObject({ restore: { status: { phase: 'Completed' } }, issues: [] });
  const copy = new SeedApplication({ connection: there, namespace });
  await copy.untilRunning();
  context.expect(await copy.checksum()).toBe(checksum);
  context.expect(await lab.snapshotObjectsOf(namespace, there.cluster)).toEqual([]);
  context.expect(await application.checksum()).toBe(checksum);

  await lab.engine({ cluster: 2 }).deleteBackup('seed');
  context.expect(await lab.storageSnapshotsOf([volumeHandle])).toEqual([]);
  context.expect(await copy.checksum()).toBe(checksum);
});

it.concurrent('a restored application is backed up and restored again', async (context) => {
  const scene = await setTheScene(context);
  const { lab, cluster, namespace, application, volumeHandle } = scene;
  const engine = lab.engine();
  await engine.backup({ name: 'first', spec: { includedNamespaces: [namespace] } });
  await application.lose();
  await engine.restore({ spec: { backupName: 'first' } });
  await application.untilRunning();
  const checksum = await application.write();
  // Its claim came from a snapshot that the second backup must not need.
  await engine.deleteBackup('first');
  context.expect(await lab.storageSnapshotsOf([volumeHandle])).toEqual([]);

  await engine.backup({ name: 'second', spec: { includedNamespaces: [namespace] } });
  await application.lose();
  const restored = await engine.restore({ spec: { backupName: 'second' } });
  context
    .expect(restored)
    .toMatchObject({ restore: { status: { phase: 'Completed' } }, issues: [] });
  await application.untilRunning();
  context.expect(await application.checksum()).toBe(checksum);
  context.expect(await lab.snapshotObjectsOf(namespace, cluster)).toEqual([]);
  const claim = await application.claim();
  context.expect(claim?.metadata.labels).toMatchObject({ 'velero.io/backup-name': 'second' });
});
