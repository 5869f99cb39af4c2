import { expect, it } from 'vitest';
import { referenceTo } from '../../packages/core/src/model/kubernetes.ts';
import { Resources } from '../../packages/core/src/model/resources.ts';
import { waitFor } from '../cluster/wait-for.ts';
import { SnapshotLab } from './snapshot-lab.ts';

it('a snapshot goes through its states, is protected while it lives, and outlives its objects', async (context) => {
  const lab = await SnapshotLab.open(context);
  const cluster = lab.connect();
  const volume = await lab.createVolume(cluster);
  const session = await lab.openSession(cluster);
  const states: string[] = [];
  const snapshot = await session.take({
    ...volume,
    snapshotClass: await lab.snapshotClass(cluster),
    onState: (state) => states.push(state),
  });
  expect(states).toEqual(['Requested', 'Bound', 'HandleAssigned', 'ReadyToUse']);
  expect(snapshot).toMatchObject({
    claimNamespace: lab.namespace,
    claimName: 'data',
    classDeletionPolicy: 'Delete',
    driver: 'dirvol.csi.lifeboat.test',
    restoreSizeBytes: 1_048_576,
  });
  expect(snapshot.createdAt).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);

  const reference = referenceTo(Resources.volumeSnapshotContents, snapshot.volumeSnapshotContent);
  expect(await cluster.get(reference)).toMatchObject({
    metadata: { labels: { 'velero.io/backup-name': 'b-1', 'lifeboat.dev/run': lab.runId } },
    spec: { deletionPolicy: 'Retain' },
  });

  await session.detach(snapshot);
  await session.detach(snapshot);
  expect(states.at(-1)).toBe('Detached');
  expect(await lab.leftovers(cluster, volume)).toEqual([
    `storage snapshot ${snapshot.snapshotHandle}`,
  ]);

  await session.discard(snapshot);
  await session.discard(snapshot);
  expect(await lab.leftovers(cluster, volume)).toEqual([]);
});

it('a deleted namespace does not take the storage snapshot along, although the class says Delete', async (context) => {
  const lab = await SnapshotLab.open(context);
  const cluster = lab.connect();
  const volume = await lab.createVolume(cluster);
  const session = await lab.openSession(cluster);
  const snapshot = await session.take({
    ...volume,
    snapshotClass: await lab.snapshotClass(cluster),
  });
  await lab.kit.kubectl(['delete', 'namespace', lab.namespace]);
  expect(await lab.storageSnapshotsOf(volume)).toEqual([snapshot.snapshotHandle]);
  await session.discard(snapshot);
  expect(await lab.leftovers(cluster, volume)).toEqual([]);
});

it('kept objects are annotated and have policy Retain', async (context) => {
  const lab = await SnapshotLab.open(context);
  const cluster = lab.connect();
  const volume = await lab.createVolume(cluster);
  const session = await lab.openSession(cluster);
  const snapshot = await session.take({
    ...volume,
    snapshotClass: await lab.snapshotClass(cluster, 'dirvol-retain'),
  });
  await session.keep(snapshot);
  const live = await cluster.get(referenceTo(Resources.volumeSnapshots, snapshot.volumeSnapshot));
  expect(live?.metadata.annotations).toMatchObject({
    'velero.io/csi-volumesnapshot-handle': snapshot.snapshotHandle,
    'velero.io/csi-vsc-deletion-policy': 'Retain',
  });
  expect(snapshot.classDeletionPolicy).toBe('Retain');
  await session.discard(snapshot);
  expect(await lab.leftovers(cluster, volume)).toEqual([]);
});

it('a content whose policy somebody changed is not detached', async (context) => {
  const lab = await SnapshotLab.open(context);
  const cluster = lab.connect();
  const volume = await lab.createVolume(cluster);
  const session = await lab.openSession(cluster);
  const snapshot = await session.take({
    ...volume,
    snapshotClass: await lab.snapshotClass(cluster),
  });
  const reference = referenceTo(Resources.volumeSnapshotContents, snapshot.volumeSnapshotContent);
  await cluster.patch(reference, { type: 'merge', patch: { spec: { deletionPolicy: 'Delete' } } });
  await expect(session.detach(snapshot)).rejects.toMatchObject({
    code: 'SnapshotFailed',
    message: expect.stringContaining('somebody changed its deletionPolicy to Delete') as string,
  });
  expect(await lab.leftovers(cluster, volume)).toHaveLength(3);
  await session.discard(snapshot);
  expect(await lab.leftovers(cluster, volume)).toEqual([]);
});

it('a driver that fails once makes a snapshot all the same', async (context) => {
  const lab = await SnapshotLab.open(context);
  const cluster = lab.connect();
  const volume = await lab.createVolume(cluster);
  const fault = await lab.kit.injectFault({
    rpc: 'CreateSnapshot',
    namespace: lab.namespace,
    code: 'INTERNAL',
    message: 'hiccup',
    times: 1,
  });
  const session = await lab.openSession(cluster);
  const snapshot = await session.take({
    ...volume,
    snapshotClass: await lab.snapshotClass(cluster),
  });
  expect(await fault.hits()).toBe(1);
  await session.discard(snapshot);
  expect(await lab.leftovers(cluster, volume)).toEqual([]);
});

it('a driver that always fails is reported in its words, and nothing is left', async (context) => {
  const lab = await SnapshotLab.open(context);
  const cluster = lab.connect();
  const volume = await lab.createVolume(cluster);
  const { namespace } = lab;
  await lab.kit.injectFault({
    rpc: 'CreateSnapshot',
    namespace,
    code: 'INTERNAL',
    message: 'disk on fire',
  });
  const session = await lab.openSession(cluster, { errorGraceMs: 2_000 });
  const states: string[] = [];
  const taken = session.take({
    ...volume,
    snapshotClass: await lab.snapshotClass(cluster, 'dirvol-retain'),
    onState: (state) => states.push(state),
  });
  await expect(taken).rejects.toMatchObject({
    code: 'SnapshotFailed',
    target: `persistentvolumeclaims ${namespace}/data`,
    message: expect.stringMatching(/the driver keeps failing: .*disk on fire/) as string,
  });
  expect(states.at(-1)).toBe('Failed');
  expect(await lab.leftovers(cluster, volume)).toEqual([]);
});

// The sidecar does not let go of a snapshot while it does not know whether the storage made it.
it('what cannot be removed while the driver is away is reported, and goes when it is back', async (context) => {
  const lab = await SnapshotLab.open(context);
  const cluster = lab.connect();
  const volume = await lab.createVolume(cluster);
  const { namespace } = lab;
  const fault = await lab.kit.injectFault({
    rpc: 'CreateSnapshot',
    namespace,
    code: 'CANCELLED',
    message: 'gone fishing',
  });
  const session = await lab.openSession(cluster, { errorGraceMs: 500, cleanUpTimeoutMs: 10_000 });
  const taken = session.take({ ...volume, snapshotClass: await lab.snapshotClass(cluster) });
  await expect(taken).rejects.toMatchObject({
    code: 'SnapshotFailed',
    message: expect.stringMatching(
      /gone fishing.* VolumeSnapshot .*\/velero-data-.* and VolumeSnapshotContent snapcontent-.* may be left in the cluster \(not gone within 10 s/,
    ) as string,
  });
  await fault.end();
  const isGone = async (): Promise<boolean> => {
    // More than once: first the sidecar cuts the snapshot after all, and only when it looks again does it delete it.
    await lab.wakeSidecar(cluster);
    return (await lab.leftovers(cluster, volume)).length === 0;
  };
  await waitFor(isGone, { what: 'the snapshot to be removed', intervalMs: 1_000 });
});

it('a VolumeSnapshot that somebody deletes fails, and its storage snapshot is freed', async (context) => {
  const lab = await SnapshotLab.open(context);
  const cluster = lab.connect();
  const volume = await lab.createVolume(cluster);
  const session = await lab.openSession(cluster);
  const { namespace } = lab;
  const deletions: Promise<void>[] = [];
  const taken = session.take({
    ...volume,
    snapshotClass: await lab.snapshotClass(cluster, 'dirvol-slow'),
    onState: (state, { volumeSnapshotName: name = '' }) => {
      if (state === 'HandleAssigned') {
        deletions.push(cluster.delete({ ...Resources.volumeSnapshots, namespace, name }));
      }
    },
  });
  await expect(taken).rejects.toMatchObject({
    code: 'SnapshotFailed',
    message: expect.stringContaining('its VolumeSnapshot was deleted by someone else') as string,
  });
  await Promise.all(deletions);
  expect(await lab.leftovers(cluster, volume)).toEqual([]);
});

it.for(['Requested', 'Bound', 'HandleAssigned'] as const)(
  'a snapshot that is aborted when it is %s leaves nothing',
  async (abortedState, context) => {
    const lab = await SnapshotLab.open(context);
    const cluster = lab.connect();
    const volume = await lab.createVolume(cluster);
    const session = await lab.openSession(cluster);
    const controller = new AbortController();
    const reason = new Error('stop');
    const taken = session.take(
      {
        ...volume,
        snapshotClass: await lab.snapshotClass(cluster, 'dirvol-slow'),
        onState: (state) => {
          if (state === abortedState) {
            controller.abort(reason);
          }
        },
      },
      { signal: controller.signal },
    );
    await expect(taken).rejects.toBe(reason);
    expect(await lab.leftovers(cluster, volume)).toEqual([]);
  },
);

it('snapshots that are aborted at any moment leave nothing', async (context) => {
  const lab = await SnapshotLab.open(context);
  const cluster = lab.connect();
  const volume = await lab.createVolume(cluster);
  const session = await lab.openSession(cluster);
  const snapshotClass = await lab.snapshotClass(cluster);
  const outcomes = await Promise.allSettled(
    Array.from({ length: 12 }, (_, index) =>
      session.take({ ...volume, snapshotClass }, { signal: AbortSignal.timeout(2 + 6 * index) }),
    ),
  );
  for (const outcome of outcomes) {
    if (outcome.status === 'fulfilled') {
      await session.discard(outcome.value);
    } else {
      expect(outcome.reason).toMatchObject({ name: 'TimeoutError' });
    }
  }
  expect(await lab.leftovers(cluster, volume)).toEqual([]);
});

it('more snapshots than a driver takes at a time all become ready', async (context) => {
  const lab = await SnapshotLab.open(context);
  const cluster = lab.connect();
  const volume = await lab.createVolume(cluster);
  const session = await lab.openSession(cluster, { concurrencyPerDriver: 2 });
  const snapshotClass = await lab.snapshotClass(cluster);
  const snapshots = await Promise.all(
    Array.from({ length: 5 }, () => session.take({ ...volume, snapshotClass })),
  );
  expect(new Set(snapshots.map(({ snapshotHandle }) => snapshotHandle)).size).toBe(5);
  await Promise.all(snapshots.map((snapshot) => session.discard(snapshot)));
  expect(await lab.leftovers(cluster, volume)).toEqual([]);
});

it('a session without rights is refused when it is opened', async (context) => {
  const lab = await SnapshotLab.open(context);
  const opened = lab.openSession(lab.connect(1, 'nobody'));
  await expect(opened).rejects.toMatchObject({ code: 'Forbidden' });
});
