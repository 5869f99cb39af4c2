import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import {
  type BackupEvent,
  type BackupRequest,
  type Cluster,
  type KubernetesManifest,
  Resources,
} from '@lifeboat/core';
import { expect, it } from 'vitest';
import { stringAt } from '../../packages/core/src/model/object-path.ts';
import { type ClusterTestContext, testCluster } from '../cluster/test-cluster.ts';
import { waitFor } from '../cluster/wait-for.ts';
import { BackupLab } from './backup-lab.ts';
import { boundVolumeHandle } from './volume-scene.ts';

const run = promisify(execFile);

// The application writes one number to two files, and holds a lock meanwhile. The pre hook takes the lock, so that the files
// agree, and freezes the file system; the post hook undoes both.
const write = `trap "exit 0" TERM; i=0; while :; do
  until mkdir /lock 2>/dev/null; do sleep 0.01; done
  i=$((i+1)); echo $i >/data/first; echo $i >/data/second; rmdir /lock
done`;
const freeze = 'until mkdir /lock 2>/dev/null; do :; done; fsfreeze --freeze /data';
const thaw = 'fsfreeze --unfreeze /data; status=$?; rmdir /lock; exit $status';

it.concurrent('a file system that is written to all the time is frozen for its snapshot, and is thawed afterwards', async (context) => {
  const scene = await FrozenScene.open(context);
  const events: BackupEvent[] = [];
  const { backup, hooks, issues } = await scene.backUp({ onEvent: (event) => events.push(event) });
  expect(issues).toEqual([]);
  expect(backup.status).toMatchObject({
    phase: 'Completed',
    csiVolumeSnapshotsCompleted: 1,
    hookStatus: { hooksAttempted: 2 },
  });
  expect(hooks).toMatchObject([
    { stage: 'pre', containerName: 'app', outcome: 'Succeeded', exitCode: 0 },
    { stage: 'post', containerName: 'app', outcome: 'Succeeded', exitCode: 0 },
  ]);
  expect(orderOf(events)).toEqual([
    'pre Started',
    'pre Succeeded',
    'HandleAssigned',
    'post Started',
    'post Succeeded',
  ]);
  await scene.expectWriting();
  const image = await scene.snapshotImage();
  // What was frozen needs no journal to be replayed.
  await run('e2fsck', ['-fn', image]);
  const first = await fileIn(image, 'first');
  expect(Number(first)).toBeGreaterThan(0);
  expect(await fileIn(image, 'second')).toBe(first);
});

it.concurrent('a file system is thawed when the driver does not take its snapshot', async (context) => {
  const scene = await FrozenScene.open(context);
  const { namespace } = scene;
  await scene.lab.kit.injectFault({
    rpc: 'CreateSnapshot',
    namespace,
    code: 'INTERNAL',
    message: 'the array has no room',
  });
  const { hooks, issues } = await scene.backUp({}, { csiSnapshotTimeout: '2s' });
  expect(hooks.map(({ stage, outcome }) => `${stage} ${outcome}`)).toEqual([
    'pre Succeeded',
    'post Succeeded',
  ]);
  expect(issues.filter(({ severity }) => severity === 'error')).toMatchObject([
    { reason: 'SnapshotFailed', object: { namespace, name: 'data' } },
  ]);
  await scene.expectWriting();
});

it.concurrent('a file system is thawed when the backup is aborted while it is frozen', async (context) => {
  const scene = await FrozenScene.open(context);
  const { namespace } = scene;
  await scene.lab.kit.injectFault({ rpc: 'CreateSnapshot', namespace, delayMs: 1_000, times: 1 });
  const controller = new AbortController();
  const reason = new Error('cancelled by the test');
  const events: BackupEvent[] = [];
  const running = scene.backUp({
    signal: controller.signal,
    onEvent: (event) => {
      events.push(event);
      if (event.type === 'snapshot' && event.state === 'Requested') {
        controller.abort(reason);
      }
    },
  });
  await expect(running).rejects.toBe(reason);
  expect(orderOf(events).at(-1)).toBe('post Succeeded');
  await scene.expectWriting();
  expect(await scene.lab.snapshotObjectsOf(namespace, scene.cluster)).toEqual([]);
});

function orderOf(events: readonly BackupEvent[]): readonly string[] {
  return events.flatMap((event) => {
    if (event.type === 'hook') {
      return [`${event.hook.stage} ${event.state}`];
    }
    return event.type === 'snapshot' && event.state === 'HandleAssigned' ? [event.state] : [];
  });
}

async function fileIn(image: string, name: string): Promise<string> {
  const { stdout } = await run('debugfs', ['-R', `cat /${name}`, image]);
  return stdout.trim();
}

/** A namespace with a pod that writes to a volume with a file system of its own, and the annotations that freeze it. */
class FrozenScene {
  readonly lab: BackupLab;
  readonly cluster: Cluster;
  readonly namespace: string;
  readonly #volumeHandle: string;

  private constructor(lab: BackupLab, cluster: Cluster, namespace: string, volumeHandle: string) {
    this.lab = lab;
    this.cluster = cluster;
    this.namespace = namespace;
    this.#volumeHandle = volumeHandle;
  }

  static async open(context: ClusterTestContext): Promise<FrozenScene> {
    const kit = testCluster(context, { node: true });
    const lab = await BackupLab.open(kit, context);
    const { cluster } = lab.connect();
    const namespace = await kit.createNamespace('frozen');
    await cluster.create(Resources.persistentVolumeClaims, claimManifest(namespace));
    // The namespace's default service account may still be on its way.
    await waitFor(() => cluster.create(Resources.pods, podManifest(namespace)), {
      what: 'the pod to be admitted',
    });
    const handle = await boundVolumeHandle(cluster, namespace);
    const scene = new FrozenScene(lab, cluster, namespace, handle);
    // A frozen file system could not be unmounted.
    context.onTestFinished(async () => {
      await run('fsfreeze', ['-u', kit.volumeDataPath(handle)]).catch(() => undefined);
    });
    await waitFor(() => scene.#isRunning(), { what: `pod ${namespace}/app to run` });
    await scene.expectWriting();
    return scene;
  }

  backUp(
    options: Parameters<ReturnType<BackupLab['engine']>['backup']>[1],
    spec: BackupRequest['spec'] = {},
  ): ReturnType<ReturnType<BackupLab['engine']>['backup']> {
    const request = {
      name: this.namespace,
      spec: { includedNamespaces: [this.namespace], ...spec },
    };
    return this.lab.engine().backup(request, options);
  }

  /** Waits until the application has written again. */
  async expectWriting(): Promise<void> {
    const before = await this.#counter();
    await waitFor(async () => (await this.#counter()) > before, {
      what: `the application in ${this.namespace} to write`,
    });
  }

  /** The image of the one storage snapshot that exists of the volume. */
  async snapshotImage(): Promise<string> {
    const handles = await this.lab.storageSnapshotsOf([this.#volumeHandle]);
    expect(handles).toHaveLength(1);
    const { dirvolPath } = this.lab.kit.describe();
    return join(dirvolPath, 'snapshots', handles[0] ?? '', 'vol.img');
  }

  async #isRunning(): Promise<boolean> {
    const { namespace } = this;
    const pod = await this.cluster.get({ ...Resources.pods, namespace, name: 'app' });
    return pod !== undefined && stringAt(pod, ['status', 'phase']) === 'Running';
  }

  async #counter(): Promise<number> {
    const file = join(this.lab.kit.volumeDataPath(this.#volumeHandle), 'second');
    return Number(await readFile(file, 'utf8').catch(() => '0'));
  }
}

function claimManifest(namespace: string): KubernetesManifest {
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: { name: 'data', namespace },
    spec: {
      storageClassName: 'dirvol-ext4',
      accessModes: ['ReadWriteOnce'],
      resources: { requests: { storage: '8Mi' } },
    },
  };
}

function podManifest(namespace: string): KubernetesManifest {
  const command = (script: string): string => JSON.stringify(['sh', '-c', script]);
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: 'app',
      namespace,
      annotations: {
        'pre.hook.backup.velero.io/command': command(freeze),
        'post.hook.backup.velero.io/command': command(thaw),
      },
    },
    spec: {
      terminationGracePeriodSeconds: 1,
      automountServiceAccountToken: false,
      containers: [
        {
          name: 'app',
          image: 'busybox:1.36',
          imagePullPolicy: 'IfNotPresent',
          command: ['sh', '-c', write],
          securityContext: { privileged: true },
          volumeMounts: [{ name: 'data', mountPath: '/data' }],
        },
      ],
      volumes: [{ name: 'data', persistentVolumeClaim: { claimName: 'data' } }],
    },
  };
}
