import { randomUUID } from 'node:crypto';
import { expect, it, type TestContext } from 'vitest';
import type { KubernetesObject } from '../../packages/core/src/model/kubernetes.ts';
import { stringAt } from '../../packages/core/src/model/object-path.ts';
import { Resources } from '../../packages/core/src/model/resources.ts';
import type { Cluster } from '../../packages/core/src/ports/cluster.ts';
import type { SnapshotDiagnosis } from '../../packages/core/src/snapshot/diagnose.ts';
import type { TakeSnapshotRequest } from '../../packages/core/src/snapshot/take-snapshot-request.ts';
import { waitFor } from '../cluster/wait-for.ts';
import { SnapshotLab } from './snapshot-lab.ts';

it.concurrent('the cut of a snapshot is awaited apart from its being ready, and a delay is told meanwhile', async (context) => {
  const lab = await SnapshotLab.open(context);
  const cluster = lab.connect();
  const volume = await lab.createVolume(cluster);
  const { namespace } = lab;
  await lab.kit.injectFault({ rpc: 'CreateSnapshot', namespace, delayMs: 1_500, times: 1 });
  const session = await lab.openSession(cluster, { diagnoseAfterMs: 100 });
  const states: string[] = [];
  const delays: SnapshotDiagnosis[] = [];
  const cut = await session.request({
    ...volume,
    snapshotClass: await lab.snapshotClass(cluster, 'dirvol-slow'),
    onState: (state) => states.push(state),
    onDelay: (diagnosis) => delays.push(diagnosis),
  });
  expect(states).toEqual(['Requested', 'Bound', 'HandleAssigned']);
  expect(await lab.storageSnapshotsOf(volume)).toEqual([cut.snapshotHandle]);
  // Which of the components it was on is a matter of the machine.
  expect(delays).not.toEqual([]);
  const snapshot = await cut.ready();
  expect(states.at(-1)).toBe('ReadyToUse');
  expect(snapshot.snapshotHandle).toBe(cut.snapshotHandle);
  await session.discard(snapshot);
  expect(await lab.leftovers(cluster, volume)).toEqual([]);
});

it.concurrent('a busy driver is waited for beyond the grace of an error', async (context) => {
  const lab = await SnapshotLab.open(context);
  const cluster = lab.connect();
  const volume = await lab.createVolume(cluster);
  const { namespace } = lab;
  const fault = await lab.kit.injectFault({
    rpc: 'CreateSnapshot',
    namespace,
    code: 'RESOURCE_EXHAUSTED',
    message: 'too many requests',
  });
  const session = await lab.openSession(cluster, { errorGraceMs: 1, diagnoseAfterMs: 1_000 });
  const delays: string[] = [];
  const taken = session.take({
    ...volume,
    snapshotClass: await lab.snapshotClass(cluster),
    onDelay: ({ cause }) => delays.push(cause),
  });
  await waitFor(() => delays.includes('RateLimited'), {
    what: 'the delay to be told',
    timeoutMs: 120_000,
  });
  await fault.end();
  await lab.wakeSidecar(cluster);
  const snapshot = await taken;
  await session.discard(snapshot);
  expect(await lab.leftovers(cluster, volume)).toEqual([]);
});

it.concurrent('a VolumeSnapshot has the labels of its claim but those that tools prune by', async (context) => {
  const lab = await SnapshotLab.open(context);
  const cluster = lab.connect();
  const { claim, volume } = await lab.createVolume(cluster);
  const labels = { app: 'shop', 'app.kubernetes.io/instance': 'shop-production' };
  const session = await lab.openSession(cluster);
  const snapshot = await session.take({
    claim: { ...claim, metadata: { ...claim.metadata, labels } },
    volume,
    snapshotClass: await lab.snapshotClass(cluster),
  });
  expect(snapshot.volumeSnapshot.metadata.labels).toEqual({
    app: 'shop',
    'velero.io/backup-name': 'b-1',
    'lifeboat.dev/run': lab.runId,
  });
  await session.discard(snapshot);
});

it.concurrent('a driver without a snapshotter is told from its objects, and leaves none behind', async (context) => {
  const lab = await SnapshotLab.open(context);
  const cluster = lab.connect();
  const request = await volumeWithoutSnapshotter(lab, cluster, context);
  const session = await lab.openSession(cluster, {
    diagnoseAfterMs: 250,
    cleanUpTimeoutMs: 120_000,
  });
  const enough = new AbortController();
  const onDelay = ({ cause, finding }: SnapshotDiagnosis): void => {
    if (cause === 'DriverMissing') {
      enough.abort(new Error(finding));
    }
  };
  const taken = session.take({ ...request, onDelay }, { signal: enough.signal });
  await expect(taken).rejects.toThrow(
    /^the cluster has no CSIDriver lone-\S+: the driver is not installed, or no longer$/,
  );
  const { namespace } = lab;
  expect(await Array.fromAsync(cluster.list(Resources.volumeSnapshots, { namespace }))).toEqual([]);
  const contents = await Array.fromAsync(cluster.list(Resources.volumeSnapshotContents));
  const { name } = request.volume.metadata;
  expect(
    contents.map((content) => stringAt(content, ['spec', 'source', 'volumeHandle'])),
  ).not.toContain(name);
});

/** A claim bound by hand to a volume of a driver that does not exist, and a class of that driver. */
async function volumeWithoutSnapshotter(
  { namespace }: SnapshotLab,
  cluster: Cluster,
  context: TestContext,
): Promise<TakeSnapshotRequest> {
  const name = `lone-${randomUUID().slice(0, 8)}`;
  const driver = `${name}.csi.lifeboat.test`;
  const metadata = { name };
  context.onTestFinished(async () => {
    await cluster.delete({ ...Resources.volumeSnapshotClasses, name });
    await cluster.delete({ ...Resources.persistentVolumes, name });
    await cluster.close();
  });
  const snapshotClass = await cluster.create(Resources.volumeSnapshotClasses, {
    apiVersion: 'snapshot.storage.k8s.io/v1',
    kind: 'VolumeSnapshotClass',
    metadata,
    driver,
    deletionPolicy: 'Delete',
  });
  const spec = {
    accessModes: ['ReadWriteOnce'],
    storageClassName: '',
  };
  const volume = await cluster.create(Resources.persistentVolumes, {
    apiVersion: 'v1',
    kind: 'PersistentVolume',
    metadata,
    spec: {
      ...spec,
      capacity: { storage: '1Mi' },
      persistentVolumeReclaimPolicy: 'Retain',
      claimRef: { namespace, name },
      csi: { driver, volumeHandle: name },
    },
  });
  await cluster.create(Resources.persistentVolumeClaims, {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: { name, namespace },
    spec: { ...spec, volumeName: name, resources: { requests: { storage: '1Mi' } } },
  });
  const claim = await waitFor(
    async (): Promise<KubernetesObject | undefined> => {
      const reference = { ...Resources.persistentVolumeClaims, namespace, name };
      const found = await cluster.get(reference);
      return found?.metadata.annotations?.['pv.kubernetes.io/bind-completed'] === undefined
        ? undefined
        : found;
    },
    { what: 'the claim to be bound' },
  );
  return { claim, volume, snapshotClass };
}
