import { readdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { type BackupEvent, type Cluster, Resources } from '@lifeboat/core';
import { expect, it } from 'vitest';
import { type ClusterTestContext, testCluster } from '../cluster/test-cluster.ts';
import { BackupLab } from './backup-lab.ts';
import { boundVolumeHandle } from './volume-scene.ts';

const names = ['a', 'b', 'c'] as const;
const groupApi = { group: 'groupsnapshot.storage.k8s.io', version: 'v1' };

it.concurrent('the claims of a group come back as they were at one moment, although they were written to all the time', async (context) => {
  const scene = await GroupScene.open(context);
  await using writer = new Writer(scene.dataPaths);
  const { backup, volumeGroups, issues } = await scene.lab.engine().backup(scene.request);
  await writer.stop();
  expect(issues).toEqual([]);
  expect(backup.status).toMatchObject({ phase: 'Completed', csiVolumeSnapshotsCompleted: 3 });
  expect(volumeGroups).toMatchObject([{ name: 'db', consistency: 'group', claimNames: names }]);
  expect(await scene.groupObjects()).toEqual([]);
  const cut = await scene.snapshotCounters();
  const [first = 0] = cut;
  // Each round writes to a, then b, then c.
  expect([
    [first, first, first],
    [first, first, first - 1],
    [first, first - 1, first - 1],
  ]).toContainEqual(cut);
  expect(first).toBeGreaterThan(0);

  const verified = await scene.lab.engine().verify(backup.metadata.name);
  expect(verified).toMatchObject({ intact: true, snapshots: 3, issues: [] });
  // The look at a snapshot of a group must not free it.
  expect(await scene.storageSnapshots()).toHaveLength(3);
  expect(await scene.groupObjects()).toEqual([]);

  const copy = await scene.lab.kit.createNamespace('group-copy');
  await scene.lab.engine().restore({
    spec: { backupName: backup.metadata.name, namespaceMapping: { [scene.namespace]: copy } },
  });
  const restored = names.map(async (name) => {
    const handle = await boundVolumeHandle(scene.cluster, copy, name);
    return counterIn(scene.lab.kit.volumeDataPath(handle));
  });
  expect(await Promise.all(restored)).toEqual(cut);
  expect(await scene.groupObjects()).toEqual([]);

  await scene.lab.engine().deleteBackup(backup.metadata.name);
  expect(await scene.storageSnapshots()).toEqual([]);
  expect(await scene.storageGroups()).toEqual([]);
  expect(await scene.groupObjects()).toEqual([]);
});

it.concurrent('a group that the driver refuses to cut leaves nothing and fails its claims', async (context) => {
  const scene = await GroupScene.open(context);
  const { namespace } = scene;
  await scene.lab.kit.injectFault({
    rpc: 'CreateVolumeGroupSnapshot',
    namespace,
    code: 'INTERNAL',
    message: 'the array has no room',
  });
  const { backup, issues } = await scene.lab
    .engine()
    .backup({ ...scene.request, spec: { ...scene.request.spec, csiSnapshotTimeout: '3s' } });
  expect(backup.status.phase).toBe('PartiallyFailed');
  const errors = issues.filter(({ severity }) => severity === 'error');
  expect(errors.map(({ reason, object }) => `${reason} ${object?.name ?? ''}`)).toEqual(
    names.map((name) => `SnapshotFailed ${name}`),
  );
  expect(errors[0]?.message).toContain('the array has no room');
  await scene.expectNothingLeft();
});

it.concurrent('a backup that is cancelled while the driver cuts a group leaves nothing', async (context) => {
  const scene = await GroupScene.open(context);
  const { namespace } = scene;
  await scene.lab.kit.injectFault({
    rpc: 'CreateVolumeGroupSnapshot',
    namespace,
    delayMs: 1_500,
    times: 1,
  });
  const controller = new AbortController();
  const reason = new Error('cancelled by the test');
  const backup = scene.lab.engine().backup(scene.request, {
    signal: controller.signal,
    onEvent: (event) => abortWhen(event, 'Bound', () => controller.abort(reason)),
  });
  await expect(backup).rejects.toBe(reason);
  await scene.expectNothingLeft();
});

it.concurrent('a backup that is cancelled when its group is ready leaves nothing', async (context) => {
  const scene = await GroupScene.open(context);
  const controller = new AbortController();
  const reason = new Error('cancelled by the test');
  const backup = scene.lab.engine().backup(scene.request, {
    signal: controller.signal,
    onEvent: (event) => abortWhen(event, 'ReadyToUse', () => controller.abort(reason)),
  });
  await expect(backup).rejects.toBe(reason);
  await scene.expectNothingLeft();
});

function abortWhen(event: BackupEvent, state: string, abort: () => void): void {
  if (event.type === 'snapshot' && event.state === state) {
    abort();
  }
}

/** A namespace with three claims that are a volume group. */
class GroupScene {
  readonly lab: BackupLab;
  readonly cluster: Cluster;
  readonly namespace: string;
  readonly volumeHandles: readonly string[];

  private constructor(
    lab: BackupLab,
    cluster: Cluster,
    namespace: string,
    handles: readonly string[],
  ) {
    this.lab = lab;
    this.cluster = cluster;
    this.namespace = namespace;
    this.volumeHandles = handles;
  }

  static async open(context: ClusterTestContext): Promise<GroupScene> {
    const kit = testCluster(context);
    const lab = await BackupLab.open(kit, context);
    const { cluster } = lab.connect();
    const namespace = await kit.createNamespace('group');
    for (const name of names) {
      await cluster.create(Resources.persistentVolumeClaims, {
        apiVersion: 'v1',
        kind: 'PersistentVolumeClaim',
        metadata: { name, namespace, labels: { 'velero.io/volume-group': 'db' } },
        spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Mi' } } },
      });
    }
    const handles: string[] = [];
    for (const name of names) {
      handles.push(await boundVolumeHandle(cluster, namespace, name));
    }
    return new GroupScene(lab, cluster, namespace, handles);
  }

  get request(): {
    readonly name: string;
    readonly spec: { readonly includedNamespaces: readonly string[] };
  } {
    return { name: this.namespace, spec: { includedNamespaces: [this.namespace] } };
  }

  get dataPaths(): readonly string[] {
    return this.volumeHandles.map((handle) => this.lab.kit.volumeDataPath(handle));
  }

  storageSnapshots(): Promise<readonly string[]> {
    return this.lab.storageSnapshotsOf(this.volumeHandles);
  }

  /** The groups that the storage has of this namespace, told by their snapshots' volumes. */
  async storageGroups(): Promise<readonly string[]> {
    const { dirvolPath } = this.lab.kit.describe();
    const found: string[] = [];
    for (const handle of await readdir(join(dirvolPath, 'groups'))) {
      const text = await readFile(join(dirvolPath, 'groups', handle, 'meta.json'), 'utf8').catch(
        () => '',
      );
      if (text.includes(`"${this.namespace}"`)) {
        found.push(handle);
      }
    }
    return found;
  }

  /** What the snapshots of the volumes hold, in the order of the volumes. */
  async snapshotCounters(): Promise<readonly number[]> {
    const { dirvolPath } = this.lab.kit.describe();
    const counters: number[] = [];
    for (const volumeHandle of this.volumeHandles) {
      const [handle = ''] = await this.lab.storageSnapshotsOf([volumeHandle]);
      counters.push(await counterIn(join(dirvolPath, 'snapshots', handle, 'data')));
    }
    return counters;
  }

  /** Every snapshot object of the namespace, of groups and of their members. */
  async groupObjects(): Promise<readonly string[]> {
    const { namespace, cluster } = this;
    const found = [...(await this.lab.snapshotObjectsOf(namespace, cluster))];
    const groups = { ...groupApi, resource: 'volumegroupsnapshots' };
    for await (const { kind, metadata } of cluster.list(groups, { namespace })) {
      found.push(`${kind}/${metadata.name}`);
    }
    const contents = { ...groupApi, resource: 'volumegroupsnapshotcontents' };
    for await (const content of cluster.list(contents)) {
      if (JSON.stringify(content['spec']).includes(`"${namespace}"`)) {
        found.push(`${content.kind}/${content.metadata.name}`);
      }
    }
    return found;
  }

  async expectNothingLeft(): Promise<void> {
    expect(await this.groupObjects()).toEqual([]);
    expect(await this.storageSnapshots()).toEqual([]);
    expect(await this.storageGroups()).toEqual([]);
  }
}

/** Counts up in all volumes, one after another, until it is stopped; it rests now and then, so that the driver can cut. */
class Writer implements AsyncDisposable {
  readonly #stop = new AbortController();
  readonly #running: Promise<void>;

  constructor(paths: readonly string[]) {
    this.#running = this.#run(paths);
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  async #run(paths: readonly string[]): Promise<void> {
    for (let count = 1; !this.#stop.signal.aborted; count += 1) {
      for (const path of paths) {
        await writeFile(join(path, 'counter.new'), String(count));
        await rename(join(path, 'counter.new'), join(path, 'counter'));
      }
      await setTimeout(count % 20 === 0 ? 1_000 : 10);
    }
  }
}

async function counterIn(path: string): Promise<number> {
  return Number(await readFile(join(path, 'counter'), 'utf8'));
}
