import { expect, it } from 'vitest';
import type { SnapshotState } from '../model/event.ts';
import { referenceTo } from '../model/kubernetes.ts';
import { stringAt } from '../model/object-path.ts';
import { Resources } from '../model/resources.ts';
import type { CsiFault } from '../testing/fake-cluster/csi/csi-faults.ts';
import { FakeCluster } from '../testing/fake-cluster/fake-cluster.ts';
import type { SnapshotDiagnosis } from './diagnose.ts';
import { SnapshotBench } from './snapshot-bench-fixture.ts';
import type { TakeSnapshotRequest } from './take-snapshot-request.ts';

type Bench = SnapshotBench<FakeCluster>;

function openBench(): Promise<Bench> {
  return SnapshotBench.open((clock) => new FakeCluster({ clock }));
}

const always: CsiFault = { call: 'CreateSnapshot', error: 'disk on fire' };

it('takes a snapshot and reports every state on the way', async () => {
  await using bench = await openBench();
  const session = await bench.openSession();
  const states: unknown[] = [];
  const snapshot = await session.take(
    await bench.request({ onState: (state, details) => states.push([state, details]) }),
  );
  const volumeSnapshotName = snapshot.volumeSnapshot.metadata.name;
  const volumeSnapshotContentName = snapshot.volumeSnapshotContent.metadata.name;
  const { snapshotHandle } = snapshot;
  const all = { volumeSnapshotName, volumeSnapshotContentName, snapshotHandle };
  expect(states).toMatchObject([
    ['Requested', { volumeSnapshotName }],
    ['Bound', { volumeSnapshotName, volumeSnapshotContentName }],
    ['HandleAssigned', all],
    ['ReadyToUse', all],
  ]);
  expect(snapshot).toMatchObject({
    claimNamespace: 'shop',
    claimName: 'data',
    classDeletionPolicy: 'Delete',
    driver: bench.cluster.csi.name,
    restoreSizeBytes: 1_048_576,
  });
});

it('gives the content policy Retain and its owner before the snapshot is ready', async () => {
  await using bench = await openBench();
  bench.cluster.csi.inject({ call: 'CreateSnapshot', readyAfterMs: 60_000 });
  const session = await bench.openSession();
  const policies: Promise<unknown>[] = [];
  const request = await bench.request({
    onState: (state, { volumeSnapshotContentName: name = '' }) => {
      if (state === 'HandleAssigned') {
        policies.push(bench.cluster.get({ ...Resources.volumeSnapshotContents, name }));
      }
    },
  });
  await session.take(request);
  expect(await Promise.all(policies)).toMatchObject([
    {
      metadata: { labels: { 'velero.io/backup-name': 'b-1', 'lifeboat.dev/run': 'run-1' } },
      spec: { deletionPolicy: 'Retain' },
      status: { readyToUse: false },
    },
  ]);
});

it('watches each kind once, however many snapshots there are, and polls nothing', async () => {
  await using bench = await openBench();
  bench.cluster.csi.inject({ call: 'CreateSnapshot', readyAfterMs: 60_000 });
  const session = await bench.openSession();
  const requests = await Promise.all(Array.from({ length: 5 }, () => bench.request()));
  const before = bench.cluster.requests.length;
  await Promise.all(requests.map((request) => session.take(request)));
  const during = bench.cluster.requests.slice(before).map(({ operation }) => operation);
  expect(during.filter((operation) => operation === 'create')).toHaveLength(5);
  expect(during.filter((operation) => operation === 'patch')).toHaveLength(5);
  expect(during).toHaveLength(10);
  const watches = bench.cluster.requests.filter(({ operation }) => operation === 'watch');
  expect(watches).toHaveLength(2);
});

it('requests no more snapshots of a driver at a time than it may', async () => {
  await using bench = await openBench();
  bench.cluster.csi.inject({ call: 'CreateSnapshot', delayMs: 1_000 });
  const session = await bench.openSession({ concurrencyPerDriver: 2 });
  let cutting = 0;
  let most = 0;
  const onState = (state: SnapshotState): void => {
    cutting += state === 'Requested' ? 1 : state === 'HandleAssigned' ? -1 : 0;
    most = Math.max(most, cutting);
  };
  const names = Array.from({ length: 6 }, (_, index) => `data-${index}`);
  for (const name of names) {
    await bench.createClaim(name);
  }
  const requests = await Promise.all(names.map((name) => bench.request({ onState }, name)));
  await Promise.all(requests.map((request) => session.take(request)));
  expect(most).toBe(2);
});

it('goes on where it stood when the watches break and their history is forgotten', async () => {
  await using bench = await openBench();
  bench.cluster.csi.inject({ call: 'CreateSnapshot', readyAfterMs: 60_000 });
  const session = await bench.openSession();
  const request = await bench.request({
    onState: () => {
      bench.cluster.breakConnections();
      bench.cluster.compact();
    },
  });
  await expect(session.take(request)).resolves.toMatchObject({ claimName: 'data' });
});

it('requests no two snapshots of a volume at a time', async () => {
  await using bench = await openBench();
  bench.cluster.csi.inject({ call: 'CreateSnapshot', delayMs: 1_000 });
  const session = await bench.openSession();
  const states: SnapshotState[] = [];
  const onState = (state: SnapshotState): void => void states.push(state);
  const requests = await Promise.all([bench.request({ onState }), bench.request({ onState })]);
  await Promise.all(requests.map((request) => session.request(request)));
  const requestedAt = states.flatMap((state, index) => (state === 'Requested' ? [index] : []));
  expect(requestedAt).toEqual([0, states.indexOf('HandleAssigned') + 1]);
});

it('resolves a request when the storage has cut the snapshot, long before it is ready', async () => {
  await using bench = await openBench();
  bench.cluster.csi.inject({ call: 'CreateSnapshot', readyAfterMs: 3_600_000 });
  const session = await bench.openSession();
  const states: string[] = [];
  const startedMs = bench.clock.now().getTime();
  const cut = await session.request(
    await bench.request({ onState: (state) => states.push(state) }),
  );
  expect(bench.clock.now().getTime() - startedMs).toBeLessThan(60_000);
  expect(states).toEqual(['Requested', 'Bound', 'HandleAssigned']);
  expect(bench.cluster.csi.storage.snapshots.has(cut.snapshotHandle)).toBe(true);
  const [first, second] = await Promise.all([cut.ready(), cut.ready()]);
  expect(second).toBe(first);
  expect(first).toMatchObject({ claimName: 'data', snapshotHandle: cut.snapshotHandle });
  expect(states.at(-1)).toBe('ReadyToUse');
  await session.detach(first);
  expect(states.at(-1)).toBe('Detached');
});

it('counts the time until ready from the cut, not from the request', async () => {
  await using bench = await openBench();
  const fault: CsiFault = { call: 'CreateSnapshot', delayMs: 400_000, readyAfterMs: 400_000 };
  bench.cluster.csi.inject(fault);
  const session = await bench.openSession();
  const limits = { handleTimeoutMs: 500_000, readyTimeoutMs: 500_000 };
  await expect(session.take(await bench.request(limits))).resolves.toBeDefined();
});

it('discards a snapshot that nobody waits to be ready', async () => {
  await using bench = await openBench();
  bench.cluster.csi.inject({ call: 'CreateSnapshot', readyAfterMs: 3_600_000 });
  const session = await bench.openSession();
  const cut = await session.request(await bench.request());
  await cut.discard();
  await cut.discard();
  expect(await bench.leftovers()).toEqual([]);
});

it('frees a cut snapshot when the wait for ready is aborted', async () => {
  await using bench = await openBench();
  bench.cluster.csi.inject({ call: 'CreateSnapshot', readyAfterMs: Number.POSITIVE_INFINITY });
  const session = await bench.openSession();
  const cut = await session.request(await bench.request());
  const reason = new Error('stop');
  await expect(cut.ready({ signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  expect(await bench.leftovers()).toEqual([]);
});

it('waits for a busy driver, and asks it for less at a time until it has recovered', async () => {
  await using bench = await openBench();
  const session = await bench.openSession({ errorGraceMs: 5_000, concurrencyPerDriver: 4 });
  const names = Array.from({ length: 6 }, (_, index) => `data-${index}`);
  const busy = names.map((claimName) =>
    bench.cluster.csi.inject({ ...always, claimName, code: 'ResourceExhausted' }),
  );
  const requested = new Set<string>();
  const requestedAfterOneRecovered: number[] = [];
  const requestOf = async (claimName: string): Promise<TakeSnapshotRequest> => {
    await bench.createClaim(claimName);
    let delays = 0;
    const onDelay = ({ cause }: SnapshotDiagnosis): void => {
      expect(cause).toBe('RateLimited');
      delays += 1;
      if (delays === 1) {
        busy[0]?.[Symbol.dispose]();
      } else if (delays === 3) {
        requestedAfterOneRecovered.push(requested.size);
        bench.cluster.csi.clearFaults();
      }
    };
    return bench.request({ onState: () => requested.add(claimName), onDelay }, claimName);
  };
  const requests: TakeSnapshotRequest[] = [];
  for (const name of names) {
    requests.push(await requestOf(name));
  }
  await expect(Promise.all(requests.map((request) => session.take(request)))).resolves.toHaveLength(
    6,
  );
  expect(requestedAfterOneRecovered[0]).toBe(4);
});

it('gives a busy driver up after the handle timeout, and says what to do', async () => {
  await using bench = await openBench();
  bench.cluster.csi.inject({ ...always, code: 'ResourceExhausted' });
  const session = await bench.openSession({ errorGraceMs: 5_000 });
  const startedMs = bench.clock.now().getTime();
  const taken = session.take(await bench.request({ handleTimeoutMs: 300_000 }));
  await expect(taken).rejects.toThrow(
    /code = ResourceExhausted.*It is called again, with fewer snapshots at a time/,
  );
  expect(bench.clock.now().getTime() - startedMs).toBeGreaterThanOrEqual(300_000);
  expect(await bench.leftovers()).toEqual([]);
});

it.each([
  ['may read what it looks at', false],
  ['may not read it', true],
])('tells early and again why there is no snapshot yet, when it %s', async (_case, isForbidden) => {
  await using bench = await openBench();
  bench.cluster.csi.inject({ call: 'CreateSnapshot', delayMs: 100_000 });
  if (isForbidden) {
    bench.cluster.faults.inject({ resource: 'events', error: 'Forbidden' });
    bench.cluster.faults.inject({ resource: 'csidrivers.storage.k8s.io', error: 'Forbidden' });
  }
  const session = await bench.openSession();
  const startedMs = bench.clock.now().getTime();
  const delays: unknown[] = [];
  const request = await bench.request({
    onDelay: ({ cause }, { volumeSnapshotName }) => {
      const afterS = Math.round((bench.clock.now().getTime() - startedMs) / 1_000);
      delays.push({ cause, afterS, isNamed: volumeSnapshotName !== undefined });
    },
  });
  await session.take(request);
  expect(delays).toEqual([
    { cause: 'StorageBusy', afterS: 30, isNamed: true },
    { cause: 'StorageBusy', afterS: 60, isNamed: true },
  ]);
});

it('says of a driver without snapshotter that it has none, and leaves no object of it behind', async () => {
  await using bench = await openBench();
  const driver = 'lone.csi.example';
  const metadata = { name: 'lone' };
  bench.cluster.seed([
    {
      apiVersion: 'snapshot.storage.k8s.io/v1',
      kind: 'VolumeSnapshotClass',
      ...{ metadata, driver, deletionPolicy: 'Delete' },
    },
    { apiVersion: 'storage.k8s.io/v1', kind: 'CSIDriver', metadata: { name: driver } },
    {
      apiVersion: 'v1',
      kind: 'PersistentVolume',
      metadata,
      spec: { csi: { driver, volumeHandle: 'v-1' }, claimRef: { namespace: 'shop', name: 'lone' } },
      status: { phase: 'Bound' },
    },
    {
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      metadata: { name: 'lone', namespace: 'shop' },
      spec: { volumeName: 'lone' },
      status: { phase: 'Bound' },
    },
  ]);
  const session = await bench.openSession();
  const taken = session.take(await bench.request({ className: 'lone' }, 'lone'));
  await expect(taken).rejects.toThrow(
    /got no snapshot handle within 600 s: nothing has touched .*: the csi-snapshotter sidecar of driver lone.csi.example is not running\. [^(]*exclude its volumes$/,
  );
  expect(await bench.leftovers()).toEqual([]);
});

it('gets over a driver that fails once', async () => {
  await using bench = await openBench();
  bench.cluster.csi.inject({ ...always, times: 1 });
  const session = await bench.openSession();
  await expect(session.take(await bench.request())).resolves.toBeDefined();
});

it.each(['fake-csi', 'fake-csi-retain'])(
  'reports a driver that always fails in its own words, and leaves nothing of class %s',
  async (className) => {
    await using bench = await openBench();
    bench.cluster.csi.inject(always);
    const session = await bench.openSession({ errorGraceMs: 5_000 });
    const states: string[] = [];
    const startedMs = bench.clock.now().getTime();
    const request = await bench.request({ className, onState: (state) => states.push(state) });
    await expect(session.take(request)).rejects.toMatchObject({
      code: 'SnapshotFailed',
      target: 'persistentvolumeclaims shop/data',
      message: expect.stringMatching(
        /^snapshot: .*the driver keeps failing: .*disk on fire/,
      ) as string,
    });
    expect(bench.clock.now().getTime() - startedMs).toBeLessThan(30_000);
    expect(states.at(-1)).toBe('Failed');
    expect(await bench.leftovers()).toEqual([]);
  },
);

it('gives up a snapshot that does not become ready, and frees it', async () => {
  await using bench = await openBench();
  bench.cluster.csi.inject({ call: 'CreateSnapshot', readyAfterMs: Number.POSITIVE_INFINITY });
  const session = await bench.openSession();
  const taken = session.take(await bench.request({ readyTimeoutMs: 120_000 }));
  await expect(taken).rejects.toThrow('did not become ready to use within 120 s');
  expect(await bench.leftovers()).toEqual([]);
});

it('gives up a snapshot that is not cut in time', async () => {
  await using bench = await openBench();
  bench.cluster.csi.inject({ call: 'CreateSnapshot', delayMs: 400_000 });
  const session = await bench.openSession({ cleanUpTimeoutMs: 900_000 });
  const taken = session.take(await bench.request({ handleTimeoutMs: 300_000 }));
  await expect(taken).rejects.toThrow('got no snapshot handle within 300 s');
  expect(await bench.leftovers()).toEqual([]);
});

it('fails when somebody deletes the VolumeSnapshot before its content is protected', async () => {
  await using bench = await openBench();
  const session = await bench.openSession();
  const { cluster } = bench;
  const patchObject = cluster.patch.bind(cluster);
  cluster.patch = async (target, patch, options) => {
    if (target.resource === Resources.volumeSnapshotContents.resource) {
      for await (const { metadata } of cluster.list(Resources.volumeSnapshots)) {
        await cluster.delete({
          ...Resources.volumeSnapshots,
          namespace: 'shop',
          name: metadata.name,
        });
      }
      await cluster.settle();
    }
    return patchObject(target, patch, options);
  };
  await expect(session.take(await bench.request())).rejects.toThrow('was deleted by someone else');
  expect(await bench.leftovers()).toEqual([]);
});

it('fails when somebody deletes the VolumeSnapshot, and frees the storage snapshot', async () => {
  await using bench = await openBench();
  bench.cluster.csi.inject({ call: 'CreateSnapshot', readyAfterMs: 60_000 });
  const session = await bench.openSession();
  const deletions: Promise<void>[] = [];
  const request = await bench.request({
    onState: (state, { volumeSnapshotName: name = '' }) => {
      if (state === 'HandleAssigned') {
        const reference = { ...Resources.volumeSnapshots, namespace: 'shop', name };
        deletions.push(bench.cluster.delete(reference));
      }
    },
  });
  await expect(session.take(request)).rejects.toThrow(
    'its VolumeSnapshot was deleted by someone else',
  );
  await Promise.all(deletions);
  expect(await bench.leftovers()).toEqual([]);
});

it.each<SnapshotState>(['Requested', 'Bound', 'HandleAssigned'])(
  'leaves nothing when it is aborted at %s, and rejects with the reason itself',
  async (abortedState) => {
    await using bench = await openBench();
    bench.cluster.csi.inject({ call: 'CreateSnapshot', readyAfterMs: 60_000 });
    const session = await bench.openSession();
    const controller = new AbortController();
    const reason = new Error('stop');
    const onState = (state: SnapshotState): void => {
      if (state === abortedState) {
        controller.abort(reason);
      }
    };
    const { signal } = controller;
    await expect(session.take(await bench.request({ onState }), { signal })).rejects.toBe(reason);
    expect(await bench.leftovers()).toEqual([]);
  },
);

it('removes a VolumeSnapshot that the server created without answering', async () => {
  await using bench = await openBench();
  const session = await bench.openSession();
  const request = await bench.request();
  bench.cluster.faults.inject({ operation: 'create', error: 'Timeout', answerLost: true });
  await expect(session.take(request)).rejects.toMatchObject({
    code: 'SnapshotFailed',
    cause: expect.objectContaining({ code: 'Timeout' }) as unknown,
  });
  expect(await bench.leftovers()).toEqual([]);
});

it('asks for nothing to be removed when the server refused to create', async () => {
  await using bench = await openBench();
  const session = await bench.openSession();
  const request = await bench.request();
  bench.cluster.faults.inject({ operation: 'create', error: 'Forbidden' });
  const before = bench.cluster.requests.length;
  await expect(session.take(request)).rejects.toMatchObject({ code: 'SnapshotFailed' });
  expect(bench.cluster.requests.slice(before)).toHaveLength(1);
});

it('says what it could not remove and how to find it', async () => {
  await using bench = await openBench();
  bench.cluster.csi.inject(always);
  bench.cluster.faults.inject({ operation: 'delete', error: 'Forbidden' });
  const session = await bench.openSession({ errorGraceMs: 5_000 });
  await expect(session.take(await bench.request())).rejects.toThrow(
    /disk on fire.* VolumeSnapshot shop\/velero-data-\w{5} and VolumeSnapshotContent snapcontent-\S+ may be left in the cluster \(.*Forbidden\): look for label lifeboat.dev\/run=run-1$/,
  );
});

it('logs what an aborted snapshot leaves, since the reason of the abort has no room for it', async () => {
  await using bench = await openBench();
  bench.cluster.faults.inject({ operation: 'delete', error: 'Forbidden' });
  const session = await bench.openSession();
  const controller = new AbortController();
  const onState = (): void => controller.abort(new Error('stop'));
  const { signal } = controller;
  await expect(session.take(await bench.request({ onState }), { signal })).rejects.toThrow('stop');
  expect(bench.warnings.map(({ message }) => message)).toEqual([
    'an aborted snapshot could not be removed',
  ]);
});

it('ignores what a listener throws, and logs it', async () => {
  await using bench = await openBench();
  const session = await bench.openSession();
  const onState = (): void => {
    throw new Error('oops');
  };
  await session.take(await bench.request({ onState }));
  expect(bench.warnings[0]).toEqual({
    message: 'an event listener threw',
    fields: { event: 'Requested', error: 'oops' },
  });
});

it('detaches a snapshot: no object is left, the storage snapshot is', async () => {
  await using bench = await openBench();
  const session = await bench.openSession();
  const states: string[] = [];
  const snapshot = await session.take(
    await bench.request({ onState: (state) => states.push(state) }),
  );
  await session.detach(snapshot);
  expect(states.at(-1)).toBe('Detached');
  expect(await bench.leftovers()).toEqual(['storage snapshot']);
  await session.detach(snapshot);
});

it('does not detach a snapshot whose content would take the storage snapshot along', async () => {
  await using bench = await openBench();
  const session = await bench.openSession();
  const snapshot = await session.take(await bench.request());
  const reference = referenceTo(Resources.volumeSnapshotContents, snapshot.volumeSnapshotContent);
  const patch = { spec: { deletionPolicy: 'Delete' } };
  await bench.cluster.patch(reference, { type: 'merge', patch });
  await expect(session.detach(snapshot)).rejects.toThrow(
    /^detach: .*somebody changed its deletionPolicy to Delete/,
  );
  expect(await bench.leftovers()).toHaveLength(3);
});

it('says when the objects do not go in time, and that they are still there', async () => {
  await using bench = await openBench();
  const session = await bench.openSession();
  const snapshot = await session.take(await bench.request());
  const reference = referenceTo(Resources.volumeSnapshotContents, snapshot.volumeSnapshotContent);
  const patch = { metadata: { finalizers: ['example.com/mine'] } };
  await bench.cluster.patch(reference, { type: 'merge', patch });
  await expect(session.detach(snapshot)).rejects.toThrow(
    /is still there after 30 s; look for label lifeboat.dev\/run=run-1/,
  );
});

it('keeps the objects with the annotations of Velero', async () => {
  await using bench = await openBench();
  const session = await bench.openSession();
  const snapshot = await session.take(await bench.request());
  await session.keep(snapshot);
  const reference = referenceTo(Resources.volumeSnapshots, snapshot.volumeSnapshot);
  const live = await bench.cluster.get(reference);
  expect(live?.metadata.annotations).toEqual({
    'velero.io/csi-driver-name': bench.cluster.csi.name,
    'velero.io/csi-volumesnapshot-handle': snapshot.snapshotHandle,
    'velero.io/csi-volumesnapshot-restore-size': '1Mi',
    'velero.io/csi-vsc-deletion-policy': 'Retain',
  });
});

it.each(['fresh', 'detached'])('discards a %s snapshot for good', async (kind) => {
  await using bench = await openBench();
  const session = await bench.openSession();
  const snapshot = await session.take(await bench.request());
  if (kind === 'detached') {
    await session.detach(snapshot);
  }
  await session.discard(snapshot);
  await session.discard(snapshot);
  expect(await bench.leftovers()).toEqual([]);
});

it('is refused when the cluster has no VolumeSnapshot API', async () => {
  await using bench = await openBench();
  await bench.cluster.delete({
    ...Resources.customResourceDefinitions,
    name: 'volumesnapshots.snapshot.storage.k8s.io',
  });
  await bench.cluster.settle();
  await expect(bench.openSession()).rejects.toMatchObject({ code: 'Unsupported' });
});

it('is refused when the user may not watch', async () => {
  await using bench = await openBench();
  bench.cluster.faults.inject({ operation: 'watch', error: 'Forbidden' });
  await expect(bench.openSession()).rejects.toMatchObject({ code: 'Forbidden' });
});

it('ends what is still being taken when it is disposed of', async () => {
  await using bench = await openBench();
  bench.cluster.csi.inject({ call: 'CreateSnapshot', readyAfterMs: Number.POSITIVE_INFINITY });
  const session = await bench.openSession();
  const disposals: PromiseLike<void>[] = [];
  const onState = (state: SnapshotState): void => {
    if (state === 'HandleAssigned') {
      disposals.push(session[Symbol.asyncDispose]());
    }
  };
  await expect(session.take(await bench.request({ onState }))).rejects.toMatchObject({
    code: 'SnapshotFailed',
    message: expect.stringContaining('the session is closed') as string,
  });
  await Promise.all(disposals);
});

it('cuts the snapshot from the volume of the claim', async () => {
  await using bench = await openBench();
  bench.cluster.csi.writeFile({ namespace: 'shop', name: 'data' }, 'greeting', 'hello');
  const session = await bench.openSession();
  const { snapshotHandle, volumeSnapshot } = await session.take(await bench.request());
  const files = bench.cluster.csi.storage.snapshots.get(snapshotHandle)?.files;
  expect(Buffer.from(files?.get('greeting') ?? []).toString()).toBe('hello');
  expect(stringAt(volumeSnapshot, ['spec', 'source', 'persistentVolumeClaimName'])).toBe('data');
});
