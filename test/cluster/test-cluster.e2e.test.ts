import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { type ClusterNumber, type TestCluster, testCluster } from './test-cluster.ts';
import { waitFor } from './wait-for.ts';

/** Applies a manifest and waits until the first object's path is as expected. */
async function applyAndWait(
  cluster: TestCluster,
  manifest: string,
  condition: string,
  number: ClusterNumber = 1,
): Promise<void> {
  const options = { cluster: number, input: manifest };
  await cluster.kubectl(['apply', '-f', '-'], options);
  await cluster.kubectl(['wait', '--for', condition, '--timeout=60s', '-f', '-'], options);
}

async function read(cluster: TestCluster, path: string, args: readonly string[]): Promise<string> {
  return cluster.kubectl(['get', ...args, '-o', `jsonpath={${path}}`]);
}

const bound = 'jsonpath={.status.phase}=Bound';
const ready = 'jsonpath={.status.readyToUse}=true';

const claim = (namespace: string, extra = ''): string => `
apiVersion: v1
kind: PersistentVolumeClaim
metadata: { name: data, namespace: ${namespace} }
spec:
  storageClassName: dirvol
  accessModes: [ReadWriteOnce]
  resources: { requests: { storage: 1Mi } }
  ${extra}`;

const snapshot = (namespace: string, source: string): string => `
apiVersion: snapshot.storage.k8s.io/v1
kind: VolumeSnapshot
metadata: { name: taken, namespace: ${namespace} }
spec:
  volumeSnapshotClassName: dirvol
  source: { ${source} }`;

it("a snapshot's handle restores its volume in the other cluster", async (context) => {
  const cluster = testCluster(context);
  const here = await cluster.createNamespace('kit');
  const there = await cluster.createNamespace('kit', { cluster: 2 });

  await applyAndWait(cluster, claim(here), bound);
  const volume = await read(cluster, '.spec.volumeName', ['pvc', 'data', '-n', here]);
  const volumeHandle = await read(cluster, '.spec.csi.volumeHandle', ['pv', volume]);
  await writeFile(join(cluster.volumeDataPath(volumeHandle), 'greeting'), 'hello');
  await applyAndWait(cluster, snapshot(here, 'persistentVolumeClaimName: data'), ready);
  const content = await read(cluster, '.status.boundVolumeSnapshotContentName', [
    'volumesnapshot',
    'taken',
    '-n',
    here,
  ]);
  const handle = await read(cluster, '.status.snapshotHandle', ['volumesnapshotcontent', content]);

  const imported = `
apiVersion: snapshot.storage.k8s.io/v1
kind: VolumeSnapshotContent
metadata: { name: ${there} }
spec:
  deletionPolicy: Retain
  driver: dirvol.csi.lifeboat.test
  source: { snapshotHandle: ${handle} }
  volumeSnapshotRef: { name: taken, namespace: ${there} }`;
  context.onTestFinished(async () => {
    await cluster.kubectl(['delete', 'volumesnapshotcontent', there, '--wait=false'], {
      cluster: 2,
    });
  });
  await applyAndWait(cluster, imported, ready, 2);
  await applyAndWait(cluster, snapshot(there, `volumeSnapshotContentName: ${there}`), ready, 2);
  const dataSource =
    'dataSource: { apiGroup: snapshot.storage.k8s.io, kind: VolumeSnapshot, name: taken }';
  await applyAndWait(cluster, claim(there, dataSource), bound, 2);

  const restored = await cluster.kubectl(
    [
      'get',
      'pv',
      '-o',
      `jsonpath={.items[?(@.spec.claimRef.namespace=="${there}")]..volumeHandle}`,
    ],
    { cluster: 2 },
  );
  expect(await readFile(join(cluster.snapshotDataPath(handle), 'greeting'), 'utf8')).toBe('hello');
  expect(await readFile(join(cluster.volumeDataPath(restored), 'greeting'), 'utf8')).toBe('hello');
});

it('a fault hits the namespace it is aimed at, and no other, until it ends', async (context) => {
  const cluster = testCluster(context);
  const hit = await cluster.createNamespace('kit-hit');
  const spared = await cluster.createNamespace('kit-spared');
  const fault = await cluster.injectFault({
    rpc: 'CreateVolume',
    namespace: hit,
    code: 'UNAVAILABLE',
    message: 'no disks left',
  });

  await cluster.kubectl(['apply', '-f', '-'], { input: claim(hit) });
  await applyAndWait(cluster, claim(spared), bound);
  await waitFor(async () => (await fault.hits()) > 0, { what: 'the fault to hit' });
  await waitFor(
    async () =>
      (await read(cluster, '.items[*].message', ['events', '-n', hit])).includes(
        'injected: no disks left',
      ),
    { what: 'an event that tells of the failure' },
  );
  expect(await read(cluster, '.status.phase', ['pvc', 'data', '-n', hit])).toBe('Pending');

  await fault.end();
  await applyAndWait(cluster, claim(hit), bound);
});

it('a pod writes to its volume and answers to exec', async (context) => {
  const cluster = testCluster(context, { node: true });
  const namespace = await cluster.createNamespace('kit-pod');
  await applyAndWait(cluster, claim(namespace), bound);
  await applyAndWait(
    cluster,
    `
apiVersion: v1
kind: Pod
metadata: { name: writer, namespace: ${namespace} }
spec:
  terminationGracePeriodSeconds: 1
  containers:
    - name: main
      image: busybox:1.36
      command: [sh, -c, 'trap "exit 0" TERM; echo started >/data/state; while :; do sleep 0.2; done']
      volumeMounts: [{ name: data, mountPath: /data }]
  volumes: [{ name: data, persistentVolumeClaim: { claimName: data } }]`,
    'condition=Ready',
  );
  const exec = ['exec', '-n', namespace, 'writer', '--', 'cat', '/data/state'];
  expect(await waitFor(() => cluster.kubectl(exec), { what: 'the file' })).toBe('started\n');
});

it('the user without rights is known and may do nothing', async (context) => {
  const cluster = testCluster(context);
  const { server, caPath, nobodyToken } = cluster.describe();
  const anonymous = ['--kubeconfig=/dev/null', `--server=${server}`, `--token=${nobodyToken}`];
  await expect(
    cluster.kubectl([...anonymous, `--certificate-authority=${caPath}`, 'get', 'pods']),
  ).rejects.toThrow(/User "test-nobody" cannot list resource "pods"/);
});
