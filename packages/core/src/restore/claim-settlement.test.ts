import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { silentLogger } from '../internal/silent-logger.ts';
import { systemClock } from '../internal/system-clock.ts';
import { groupResourceOf, type KubernetesObject } from '../model/kubernetes.ts';
import { stringAt } from '../model/object-path.ts';
import { Resources } from '../model/resources.ts';
import type { Restore } from '../model/restore.ts';
import { FakeCluster } from '../testing/fake-cluster/fake-cluster.ts';
import type { AwaitedClaim } from './awaited-claim.ts';
import { settleClaims } from './claim-settlement.ts';
import type { OriginalVolume } from './original-volume.ts';
import { withRestoreLabels } from './restore-labels.ts';
import { RestoreRecord } from './restore-record.ts';

const restore: Restore = {
  kind: 'Restore',
  apiVersion: 'velero.io/v1',
  metadata: { name: 'r', namespace: 'velero' },
  spec: { backupName: 'b' },
  status: { phase: 'InProgress' },
};
const gold: OriginalVolume = { labels: { tier: 'gold' }, reclaimPolicy: 'Retain' };

let cluster: FakeCluster;
let record: RestoreRecord;

beforeEach(async () => {
  cluster = new FakeCluster();
  record = new RestoreRecord(() => undefined, silentLogger);
  await cluster.create(Resources.namespaces, {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name: 'shop' },
  });
});

afterEach(async () => {
  await cluster.close();
});

async function createClaim(
  name: string,
  storageClassName: string,
  original?: OriginalVolume,
): Promise<AwaitedClaim> {
  const manifest = {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: { name, namespace: 'shop' },
    spec: {
      storageClassName,
      accessModes: ['ReadWriteOnce'],
      resources: { requests: { storage: '1Mi' } },
    },
  };
  const claim = await cluster.create(
    Resources.persistentVolumeClaims,
    withRestoreLabels(manifest, restore),
  );
  const { uid = '' } = claim.metadata;
  return { namespace: 'shop', name, uid, waitsForConsumer: false, original };
}

function settle(
  claims: readonly AwaitedClaim[],
  signal: AbortSignal = new AbortController().signal,
): Promise<void> {
  return settleClaims({
    ...{ cluster, clock: systemClock, restore, record, claims, signal },
    timeoutMs: 600_000,
    importedSnapshots: 'remove',
  });
}

async function volumeOf(name: string): Promise<KubernetesObject | undefined> {
  const claim = await cluster.get({ ...Resources.persistentVolumeClaims, namespace: 'shop', name });
  const volumeName = claim && stringAt(claim, ['spec', 'volumeName']);
  return volumeName === undefined
    ? undefined
    : cluster.get({ ...Resources.persistentVolumes, name: volumeName });
}

describe('the volume of a claim that was bound', () => {
  it('gets the labels and the reclaim policy of the original', async () => {
    await settle([await createClaim('data', 'fake-csi', gold)]);
    expect(await volumeOf('data')).toMatchObject({
      metadata: { labels: { tier: 'gold' } },
      spec: { persistentVolumeReclaimPolicy: 'Retain' },
    });
    expect(record.issues).toEqual([]);
  });

  it('is not written when it has them already, or nothing is known of the original', async () => {
    const same = { labels: {}, reclaimPolicy: 'Delete' };
    const claims = [
      await createClaim('same', 'fake-csi', same),
      await createClaim('unknown', 'fake-csi'),
    ];
    const fault = cluster.faults.inject({ operation: 'patch', error: 'Forbidden' });
    await settle(claims);
    fault[Symbol.dispose]();
    expect(record.issues).toEqual([]);
  });

  it('gets them though others write to it at the same time', async () => {
    cluster.faults.inject({
      ...{ operation: 'patch', resource: 'persistentvolumes', error: 'Conflict', times: 2 },
    });
    await settle([await createClaim('data', 'fake-csi', gold)]);
    expect(record.issues).toEqual([]);
    expect(await volumeOf('data')).toMatchObject({ metadata: { labels: { tier: 'gold' } } });
  });

  it('stays as it is, with a warning, when it may not be written', async () => {
    cluster.faults.inject({
      ...{ operation: 'patch', resource: 'persistentvolumes', error: 'Forbidden' },
    });
    await settle([await createClaim('data', 'fake-csi', gold)]);
    expect(record.issues).toMatchObject([
      {
        severity: 'warning',
        reason: 'VolumeNotAdjusted',
        object: { groupResource: 'persistentvolumeclaims', namespace: 'shop', name: 'data' },
      },
    ]);
  });
});

it('a claim that gets no volume does not hold back what is done for the others', async () => {
  const controller = new AbortController();
  const reason = new Error('enough');
  const settling = settle(
    [await createClaim('never', 'no-such-class'), await createClaim('data', 'fake-csi', gold)],
    controller.signal,
  );
  await expect
    .poll(async () => (await volumeOf('data'))?.metadata.labels, { timeout: 30_000 })
    .toEqual({ tier: 'gold' });
  controller.abort(reason);
  await expect(settling).rejects.toBe(reason);
}, 60_000);

describe('the objects that claims were filled from', () => {
  const finalizers = ['example.com/held'];
  const volumeSnapshots = groupResourceOf(Resources.volumeSnapshots);
  const contentSpec = {
    ...{ driver: 'fake.csi.example.com', deletionPolicy: 'Retain' },
    ...{ source: { snapshotHandle: 'x' }, volumeSnapshotRef: { namespace: 'shop', name: 'none' } },
  };

  /** A claim that gets a volume at once, with the pair it was filled from. */
  async function filledClaim(name: string, held?: readonly string[]): Promise<AwaitedClaim> {
    const apiVersion = 'snapshot.storage.k8s.io/v1';
    const metadata = { name, ...(held === undefined ? {} : { finalizers: [...held] }) };
    const [volumeSnapshotContent, volumeSnapshot] = cluster.seed([
      { apiVersion, kind: 'VolumeSnapshotContent', metadata, spec: contentSpec },
      // Of a content that nobody makes, so that no controller does anything.
      {
        ...{ apiVersion, kind: 'VolumeSnapshot', metadata: { ...metadata, namespace: 'shop' } },
        spec: { source: { volumeSnapshotContentName: 'none' } },
      },
    ]);
    if (volumeSnapshot === undefined || volumeSnapshotContent === undefined) {
      throw new Error('nothing was seeded');
    }
    const imported = { cluster, namespace: 'shop', name, volumeSnapshot, volumeSnapshotContent };
    return { ...(await createClaim(name, 'fake-csi')), imported };
  }

  function pairs(): Promise<readonly (readonly string[])[]> {
    return Promise.all(
      [Resources.volumeSnapshots, Resources.volumeSnapshotContents].map(async (resource) =>
        (await Array.fromAsync(cluster.list(resource))).map(({ metadata }) => metadata.name),
      ),
    );
  }

  it('are removed though as many as are worked on at a time do not go, and are watched together', async () => {
    const names = Array.from({ length: 8 }, (_, index) => `held-${index}`);
    const held = await Promise.all(names.map((name) => filledClaim(name, finalizers)));
    const settling = settle([...held, await filledClaim('free')]);
    await expect.poll(pairs, { timeout: 30_000 }).toEqual([names, names]);
    for (const name of names) {
      const patch = { type: 'merge', patch: { metadata: { finalizers: null } } } as const;
      await cluster.patch({ ...Resources.volumeSnapshots, namespace: 'shop', name }, patch);
      await cluster.patch({ ...Resources.volumeSnapshotContents, name }, patch);
    }
    await settling;
    expect(record.issues).toEqual([]);
    expect(await pairs()).toEqual([[], []]);
    const watches = cluster.requests.filter(
      ({ operation, resource }) => operation === 'watch' && resource === volumeSnapshots,
    );
    expect(watches).toHaveLength(1);
  }, 60_000);
});
