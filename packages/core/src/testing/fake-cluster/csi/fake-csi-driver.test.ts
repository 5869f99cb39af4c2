import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { KubernetesManifest, KubernetesObject } from '../../../model/kubernetes.ts';
import { objectAt, stringAt, valueAt } from '../../../model/object-path.ts';
import { Resources } from '../../../model/resources.ts';
import { ManualClock } from '../../manual-clock.ts';
import { FakeCluster } from '../fake-cluster.ts';
import { FakeCsiStorage } from './fake-csi-storage.ts';

const namespace = 'default';
const data = { namespace, name: 'data' };

describe('FakeCsiDriver', () => {
  let clock: ManualClock;
  let storage: FakeCsiStorage;
  let cluster: FakeCluster;
  beforeEach(async () => {
    clock = new ManualClock();
    storage = new FakeCsiStorage();
    cluster = new FakeCluster({ clock, csiStorage: storage });
    await createClaim('data');
  });
  afterEach(async () => {
    await cluster.close();
  });

  const createClaim = async (name: string, spec: object = {}): Promise<void> => {
    await cluster.create(Resources.persistentVolumeClaims, claim(name, spec));
    await cluster.settle();
  };
  const takeSnapshot = async (className = 'fake-csi', name = 'snapshot'): Promise<void> => {
    await cluster.create(Resources.volumeSnapshots, snapshot(name, className));
    await cluster.settle();
  };
  const read = async (
    resource: (typeof Resources)[keyof typeof Resources],
    name: string,
  ): Promise<KubernetesObject> => {
    const found = await cluster.get({ ...resource, namespace, name });
    return found ?? expect.fail(`${name} is missing`);
  };
  const readContent = async (): Promise<KubernetesObject> => {
    const bound = await read(Resources.volumeSnapshots, 'snapshot');
    const name = stringAt(bound, ['status', 'boundVolumeSnapshotContentName']) ?? '';
    return (
      (await cluster.get({ ...Resources.volumeSnapshotContents, name })) ??
      expect.fail('no content')
    );
  };
  const phaseOf = async (name: string): Promise<string | undefined> =>
    stringAt(await read(Resources.persistentVolumeClaims, name), ['status', 'phase']);
  const eventsAbout = async (name: string): Promise<readonly (string | undefined)[]> => {
    const options = { namespace, fieldSelector: `involvedObject.name=${name}` };
    const events = await Array.fromAsync(cluster.list(Resources.events, options));
    return events.map((event) => `${stringAt(event, ['reason'])}: ${stringAt(event, ['message'])}`);
  };

  it('keeps files per claim', async () => {
    await createClaim('other');
    cluster.csi.writeFile(data, 'db/table', 'rows');
    cluster.csi.writeFile(data, 'a', new Uint8Array([0, 255]));
    expect(cluster.csi.listFiles(data)).toEqual(['a', 'db/table']);
    expect([...(cluster.csi.readFile(data, 'a') ?? [])]).toEqual([0, 255]);
    expect(cluster.csi.readFile({ namespace, name: 'other' }, 'a')).toBeUndefined();
    expect(() => cluster.csi.listFiles({ namespace, name: 'missing' })).toThrow(/not bound/);
  });

  it('fills a claim with what the snapshot of another held when it was taken', async () => {
    cluster.csi.writeFile(data, 'file', 'before');
    await takeSnapshot();
    cluster.csi.writeFile(data, 'file', 'after');
    await createClaim('copy', { dataSource: snapshotSource });
    const bytes = cluster.csi.readFile({ namespace, name: 'copy' }, 'file');
    expect(Buffer.from(bytes ?? []).toString()).toBe('before');
  });

  it('takes a snapshot with a size, a time and a handle on the storage', async () => {
    await takeSnapshot();
    const content = await readContent();
    const handle = stringAt(content, ['status', 'snapshotHandle']) ?? '';
    expect([...storage.snapshots.keys()]).toEqual([handle]);
    expect(JSON.stringify(objectAt(content, ['status']))).toContain('"restoreSize":31457280');
    expect(JSON.stringify(valueAt(content, ['status', 'creationTime']))).toBe(
      '1767225600000000001',
    );
    const bound = await read(Resources.volumeSnapshots, 'snapshot');
    expect(bound['status']).toEqual({
      boundVolumeSnapshotContentName: content.metadata.name,
      creationTime: '2026-01-01T00:00:00Z',
      readyToUse: true,
      restoreSize: '30Mi',
    });
  });

  it('lets another cluster on the same storage restore a snapshot', async () => {
    cluster.csi.writeFile(data, 'file', 'bytes');
    await takeSnapshot('fake-csi-retain');
    const [handle = ''] = storage.snapshots.keys();
    await using other = new FakeCluster({ clock, csiStorage: storage });
    for (const [resource, manifest] of staticPair(handle, 'Retain')) {
      await other.create(resource, manifest);
    }
    await other.create(
      Resources.persistentVolumeClaims,
      claim('copy', { dataSource: snapshotSource }),
    );
    await other.settle();
    const bytes = other.csi.readFile({ namespace, name: 'copy' }, 'file');
    expect(Buffer.from(bytes ?? []).toString()).toBe('bytes');
  });

  it('leaves a claim that asks for less than the snapshot holds Pending, and says why', async () => {
    await takeSnapshot();
    const resources = { requests: { storage: '1Mi' } };
    await createClaim('small', { dataSource: snapshotSource, resources });
    expect(await phaseOf('small')).toBe('Pending');
    expect(await eventsAbout('small')).toEqual([
      'ProvisioningFailed: failed to provision volume with StorageClass "fake-csi": requested volume size 1048576 is less than the size 31457280 for the source snapshot snapshot',
    ]);
  });

  it('binds a claim of a class that waits once a Pod mounts it, and then runs the Pod', async () => {
    await createClaim('lazy', { storageClassName: 'fake-csi-wffc' });
    expect(await phaseOf('lazy')).toBe('Pending');
    expect(await eventsAbout('lazy')).toEqual([
      'WaitForFirstConsumer: waiting for first consumer to be created before binding',
    ]);
    await cluster.create(Resources.pods, pod('consumer', 'lazy'));
    await cluster.settle();
    expect(await phaseOf('lazy')).toBe('Bound');
    const consumer = await read(Resources.pods, 'consumer');
    expect(stringAt(consumer, ['status', 'phase'])).toBe('Running');
  });

  it('recovers from a call that fails once', async () => {
    cluster.csi.inject({ call: 'CreateSnapshot', error: 'busy', code: 'Unavailable', times: 1 });
    await takeSnapshot();
    const content = await readContent();
    expect(stringAt(content, ['status', 'error', 'message'])).toContain(
      'rpc error: code = Unavailable desc = busy',
    );
    await clock.advance(1000);
    await cluster.settle();
    const recovered = await readContent();
    expect(objectAt(recovered, ['status', 'error'])).toBeUndefined();
    expect(valueAt(recovered, ['status', 'readyToUse'])).toBe(true);
  });

  it.each([
    [{ namespace: 'default', claimName: 'data' }, true],
    [{ namespace: 'shop' }, false],
    [{ claimName: 'other' }, false],
  ])('aims a fault at %j', async (target, isHit) => {
    cluster.csi.inject({ call: 'CreateSnapshot', error: 'broken', ...target });
    await takeSnapshot();
    const status = objectAt(await readContent(), ['status']) ?? {};
    expect(status['readyToUse']).toBe(!isHit);
    expect(storage.snapshots.size).toBe(isHit ? 0 : 1);
  });

  it('takes snapshots that are ready later, or never', async () => {
    using late = cluster.csi.inject({ call: 'CreateSnapshot', readyAfterMs: 60_000, times: 1 });
    await takeSnapshot();
    expect(valueAt(await readContent(), ['status', 'readyToUse'])).toBe(false);
    expect(stringAt(await readContent(), ['status', 'snapshotHandle'])).toBeDefined();
    await clock.advance(60_000);
    await cluster.settle();
    expect(valueAt(await readContent(), ['status', 'readyToUse'])).toBe(true);
    expect(late).toBeDefined();

    cluster.csi.inject({ call: 'CreateSnapshot', readyAfterMs: Number.POSITIVE_INFINITY });
    await takeSnapshot('fake-csi', 'never');
    await clock.advance(86_400_000);
    await cluster.settle();
    const never = await read(Resources.volumeSnapshots, 'never');
    expect(valueAt(never, ['status', 'readyToUse'])).toBe(false);
  });

  it('waits for a delayed call by the clock', async () => {
    cluster.csi.inject({ call: 'CreateSnapshot', delayMs: 1000 });
    await takeSnapshot();
    await clock.advance(999);
    expect(storage.snapshots.size).toBe(0);
    await clock.advance(1);
    await cluster.settle();
    expect(storage.snapshots.size).toBe(1);
  });

  it('frees a storage snapshot through a content that is bound to nothing', async () => {
    await takeSnapshot('fake-csi-retain');
    const [handle = ''] = storage.snapshots.keys();
    const [[resource, content]] = staticPair(handle, 'Delete');
    await cluster.create(resource, content);
    await cluster.settle();
    await cluster.delete({ ...resource, name: 'imported' });
    await cluster.settle();
    expect(storage.snapshots.size).toBe(0);
  });

  it('frees nothing for a content that is deleted before the sidecar has seen it', async () => {
    await takeSnapshot('fake-csi-retain');
    const [handle = ''] = storage.snapshots.keys();
    const [[resource, content]] = staticPair(handle, 'Delete');
    // Sent together: the deletion arrives before any controller has looked.
    await Promise.all([
      cluster.create(resource, content),
      cluster.delete({ ...resource, name: 'imported' }),
    ]);
    await cluster.settle();
    expect(storage.snapshots.size).toBe(1);
  });

  it('keeps retrying a deletion that fails', async () => {
    await takeSnapshot();
    cluster.csi.inject({ call: 'DeleteSnapshot', error: 'locked', times: 2 });
    await cluster.delete({ ...Resources.volumeSnapshots, namespace, name: 'snapshot' });
    await cluster.settle();
    expect(storage.snapshots.size).toBe(1);
    await clock.advance(1000);
    await cluster.settle();
    expect(storage.snapshots.size).toBe(0);
  });

  it('loses volumes and snapshots of policy Delete with their namespace', async () => {
    const shop = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop' } };
    await cluster.create(Resources.namespaces, shop);
    const inShop = (manifest: KubernetesManifest): KubernetesManifest => ({
      ...manifest,
      metadata: { ...manifest.metadata, namespace: 'shop' },
    });
    await cluster.create(Resources.persistentVolumeClaims, inShop(claim('data')));
    await cluster.create(Resources.pods, inShop(pod('app', 'data')));
    await cluster.settle();
    await cluster.create(Resources.volumeSnapshots, inShop(snapshot('snapshot', 'fake-csi')));
    await cluster.settle();
    expect([storage.volumes.size, storage.snapshots.size]).toEqual([2, 1]);
    await cluster.delete({ ...Resources.namespaces, name: 'shop' });
    await cluster.settle();
    expect(await cluster.get({ ...Resources.namespaces, name: 'shop' })).toBeUndefined();
    expect([storage.volumes.size, storage.snapshots.size]).toEqual([1, 0]);
  });

  it('keeps a claim that a Pod mounts until the Pod is gone', async () => {
    await cluster.create(Resources.pods, pod('app', 'data'));
    await cluster.settle();
    await cluster.delete({ ...Resources.persistentVolumeClaims, ...data });
    await cluster.settle();
    const held = await read(Resources.persistentVolumeClaims, 'data');
    expect(held.metadata.deletionTimestamp).toBeDefined();
    await cluster.delete({ ...Resources.pods, namespace, name: 'app' });
    await cluster.settle();
    expect(await cluster.get({ ...Resources.persistentVolumeClaims, ...data })).toBeUndefined();
    expect(storage.volumes.size).toBe(0);
  });

  it('keeps a snapshot that a Pending claim is to be filled from', async () => {
    await takeSnapshot();
    await createClaim('lazy', { storageClassName: 'fake-csi-wffc', dataSource: snapshotSource });
    await cluster.delete({ ...Resources.volumeSnapshots, namespace, name: 'snapshot' });
    await cluster.settle();
    expect(storage.snapshots.size).toBe(1);
    await cluster.create(Resources.pods, pod('consumer', 'lazy'));
    await cluster.settle();
    expect(await phaseOf('lazy')).toBe('Bound');
    expect(storage.snapshots.size).toBe(0);
  });

  it.each([
    ['a missing class', 'missing', /"missing" not found/],
    ['a class of another driver', 'foreign', /class is of driver other.example.com/],
  ])('reports %s', async (_name, className, message) => {
    cluster.seed([
      {
        apiVersion: 'snapshot.storage.k8s.io/v1',
        kind: 'VolumeSnapshotClass',
        metadata: { name: 'foreign' },
        driver: 'other.example.com',
        deletionPolicy: 'Delete',
      },
    ]);
    await takeSnapshot(className);
    const failed = await read(Resources.volumeSnapshots, 'snapshot');
    expect(stringAt(failed, ['status', 'error', 'message'])).toMatch(message);
  });
});

const snapshotSource = {
  apiGroup: 'snapshot.storage.k8s.io',
  kind: 'VolumeSnapshot',
  name: 'snapshot',
};

function claim(name: string, spec: object = {}): KubernetesManifest {
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: { name, namespace },
    spec: {
      accessModes: ['ReadWriteOnce'],
      resources: { requests: { storage: '30Mi' } },
      ...spec,
    },
  };
}

function pod(name: string, claimName: string): KubernetesManifest {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace },
    spec: {
      containers: [{ name: 'main', image: 'busybox:1.36' }],
      volumes: [{ name: 'data', persistentVolumeClaim: { claimName } }],
    },
  };
}

function snapshot(name: string, volumeSnapshotClassName: string): KubernetesManifest {
  return {
    apiVersion: 'snapshot.storage.k8s.io/v1',
    kind: 'VolumeSnapshot',
    metadata: { name, namespace },
    spec: { volumeSnapshotClassName, source: { persistentVolumeClaimName: 'data' } },
  };
}

function staticPair(snapshotHandle: string, deletionPolicy: string) {
  const content: KubernetesManifest = {
    apiVersion: 'snapshot.storage.k8s.io/v1',
    kind: 'VolumeSnapshotContent',
    metadata: { name: 'imported' },
    spec: {
      driver: 'csi.fake.lifeboat.dev',
      deletionPolicy,
      source: { snapshotHandle },
      volumeSnapshotRef: { namespace, name: 'snapshot' },
    },
  };
  const bound: KubernetesManifest = {
    apiVersion: 'snapshot.storage.k8s.io/v1',
    kind: 'VolumeSnapshot',
    metadata: { name: 'snapshot', namespace },
    spec: { source: { volumeSnapshotContentName: 'imported' } },
  };
  return [
    [Resources.volumeSnapshotContents, content],
    [Resources.volumeSnapshots, bound],
  ] as const;
}
