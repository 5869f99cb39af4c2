import { randomUUID } from 'node:crypto';
import {
  type Cluster,
  type GroupVersionResource,
  type KubernetesObject,
  Resources,
} from '@lifeboat/core';
import { expect, it, type TestContext } from 'vitest';
import { stringAt } from '../../packages/core/src/model/object-path.ts';
import { testCluster } from '../cluster/test-cluster.ts';
import { BackupLab, snapshotStatesIn, testDriver } from './backup-lab.ts';
import { SeedApplication } from './seed-application.ts';

// The one test that uses this namespace, which cannot be made anew: it removes what it made.
const namespace = 'default';

/** What the API server showed of an object while it was watched, oldest first; of kinds with few objects. */
class Witness {
  readonly seen: KubernetesObject[] = [];
  readonly #stop = new AbortController();

  constructor(cluster: Cluster, resource: GroupVersionResource, context: TestContext) {
    const watching = this.#watch(cluster, resource);
    context.onTestFinished(async () => {
      this.#stop.abort();
      await watching;
    });
  }

  async #watch(cluster: Cluster, resource: GroupVersionResource): Promise<void> {
    try {
      for await (const event of cluster.watch(resource, { signal: this.#stop.signal })) {
        if ('object' in event) {
          this.seen.push(event.object);
        }
      }
    } catch (error) {
      if (!this.#stop.signal.aborted) {
        throw error;
      }
    }
  }
}

it.for([
  { binding: 'Immediate', storageClassName: 'hostpath', snapshotClassName: 'dirvol-slow' },
  { binding: 'WaitForFirstConsumer', storageClassName: 'dirvol-wffc', snapshotClassName: 'dirvol' },
])(
  'namespace default, with a volume bound $binding, is backed up, lost and restored',
  async ({ storageClassName, snapshotClassName }, context) => {
    const kit = testCluster(context, { node: true });
    const lab = await BackupLab.open(kit, context);
    const connection = lab.connect();
    const { cluster } = connection;
    const application = new SeedApplication({ connection, namespace, storageClassName });
    context.onTestFinished(() => application.lose());
    await application.lose();
    // What an earlier try that failed may have left is not counted against this one.
    const left = await lab.snapshotObjectsOf(namespace, cluster);
    const ownSnapshotObjects = async (): Promise<readonly string[]> =>
      (await lab.snapshotObjectsOf(namespace, cluster)).filter((object) => !left.includes(object));
    await application.deploy();
    const checksum = await application.write();
    const lostUid = (await application.claim())?.metadata.uid;
    const volumeHandle = await application.volumeHandle();

    const snapshots = new Witness(cluster, Resources.volumeSnapshots, context);
    const contents = new Witness(cluster, Resources.volumeSnapshotContents, context);
    const engine = lab.engine();
    const states: string[] = [];
    const { backup, issues } = await engine.backup(
      { name: 'default', spec: { includedNamespaces: [namespace] } },
      {
        volumeSnapshotClasses: { [testDriver]: snapshotClassName },
        onEvent: (event) => states.push(...snapshotStatesIn([event])),
      },
    );
    expect(backup.status).toMatchObject({ phase: 'Completed', csiVolumeSnapshotsCompleted: 1 });
    expect(issues).toEqual([]);
    expect(states).toEqual(['Requested', 'Bound', 'HandleAssigned', 'ReadyToUse', 'Detached']);

    // What kubectl would have shown meanwhile.
    const ready = snapshots.seen.find(
      (snapshot) => snapshot.metadata.namespace === namespace && isReady(snapshot),
    );
    expect(ready?.metadata.name).toMatch(/^velero-local-pvc-[a-z0-9]{5}$/);
    const contentName = ready && stringAt(ready, ['status', 'boundVolumeSnapshotContentName']);
    // A fast driver may be ready before the policy is: what counts is that both were true before the objects went.
    const readyContent = contents.seen.findLast(
      (content) => content.metadata.name === contentName && isReady(content),
    );
    expect(readyContent).toMatchObject({ spec: { deletionPolicy: 'Retain', driver: testDriver } });
    expect(await ownSnapshotObjects()).toEqual([]);
    expect(await lab.storageSnapshotsOf([volumeHandle])).toHaveLength(1);

    await application.lose();
    const restored = await engine.restore({
      name: `r-${randomUUID()}`,
      spec: { backupName: 'default' },
    });
    expect(restored.issues).toEqual([]);
    expect(restored.restore.status.phase).toBe('Completed');
    await application.untilRunning();
    const claim = await application.claim();
    expect(claim).toMatchObject({
      status: { phase: 'Bound' },
      spec: {
        storageClassName,
        dataSource: { apiGroup: 'snapshot.storage.k8s.io', kind: 'VolumeSnapshot' },
      },
    });
    expect(claim?.metadata.uid).not.toBe(lostUid);
    expect(await application.checksum()).toBe(checksum);
    expect(await ownSnapshotObjects()).toEqual([]);
  },
);

function isReady(object: KubernetesObject): boolean {
  const status = object['status'];
  return (
    typeof status === 'object' &&
    status !== null &&
    'readyToUse' in status &&
    status.readyToUse === true
  );
}
