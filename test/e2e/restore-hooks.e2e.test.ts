import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  type JsonObject,
  Resources,
  type RestoreHooksSpec,
  type RestoreResult,
  type StringMap,
} from '@lifeboat/core';
import { expect, it } from 'vitest';
import { objectsAt, stringAt } from '../../packages/core/src/model/object-path.ts';
import { type ClusterTestContext, testCluster } from '../cluster/test-cluster.ts';
import { waitFor } from '../cluster/wait-for.ts';
import { BackupLab } from './backup-lab.ts';
import { boundVolumeHandle } from './volume-scene.ts';
import { VolumeWithData } from './volume-with-data.ts';

const shell = (script: string): readonly string[] => ['sh', '-c', script];

it.concurrent('a hook writes into the restored volume once its container runs, after an init container', async (context) => {
  const scene = await HookedScene.open(context, {
    annotations: {
      'init.hook.restore.velero.io/container-image': 'busybox:1.36',
      'init.hook.restore.velero.io/container-name': 'prepare',
      'init.hook.restore.velero.io/command': JSON.stringify(shell('exit 0')),
      'post.hook.restore.velero.io/command': JSON.stringify(
        shell('cat /data/greeting >/data/restored; echo done'),
      ),
    },
  });
  const { restore, hooks, issues } = await scene.restore();
  expect(issues).toEqual([]);
  expect(restore.status).toMatchObject({
    phase: 'Completed',
    hookStatus: { hooksAttempted: 1 },
  });
  expect(hooks).toMatchObject([
    { podName: 'app', containerName: 'app', outcome: 'Succeeded', exitCode: 0, stdout: 'done\n' },
  ]);
  expect(await scene.fileInCopy('restored')).toBe('precious');
  expect(await scene.initStatuses()).toMatchObject([
    { name: 'prepare', state: { terminated: { exitCode: 0 } } },
  ]);
});

it.concurrent('a hook that fails is an error of the restore, and keeps the next one from running', async (context) => {
  const scene = await HookedScene.open(context);
  const { restore, hooks, issues } = await scene.restore({
    resources: [
      {
        name: 'loader',
        postHooks: [
          { exec: { command: shell('echo no >&2; exit 3') } },
          { exec: { command: shell('touch /data/second') } },
        ],
      },
    ],
  });
  expect(restore.status).toMatchObject({
    phase: 'PartiallyFailed',
    hookStatus: { hooksAttempted: 2, hooksFailed: 2 },
  });
  expect(hooks).toMatchObject([{ exitCode: 3, stderr: 'no\n' }, { outcome: 'Failed' }]);
  expect(issues.map(({ reason, object }) => `${reason} ${object?.name}`)).toEqual([
    'HookFailed app',
    'HookFailed app',
  ]);
  await expect(scene.fileInCopy('second')).rejects.toThrow('ENOENT');
});

it.concurrent('a hook that waits for it runs when its container is ready, not just running', async (context) => {
  const scene = await HookedScene.open(context, {
    script: 'sleep 3; touch /tmp/ready',
    container: {
      readinessProbe: { exec: { command: ['test', '-f', '/tmp/ready'] }, periodSeconds: 1 },
    },
  });
  const command = ['test', '-f', '/tmp/ready'];
  const { hooks, issues } = await scene.restore({
    resources: [{ name: 'check', postHooks: [{ exec: { command, waitForReady: true } }] }],
  });
  expect(issues).toEqual([]);
  expect(hooks).toMatchObject([{ hookName: 'check', outcome: 'Succeeded' }]);
});

interface SceneOptions {
  readonly annotations?: StringMap;
  /** What the container does before it sleeps. */
  readonly script?: string;
  readonly container?: JsonObject;
}

/** A backup of a claim with a file, and of a pod that mounts it. */
class HookedScene {
  readonly #lab: BackupLab;
  readonly #namespace: string;
  readonly #copy: string;

  private constructor(lab: BackupLab, namespace: string) {
    this.#lab = lab;
    this.#namespace = namespace;
    this.#copy = lab.kit.uniqueName('copy');
  }

  static async open(context: ClusterTestContext, options: SceneOptions = {}): Promise<HookedScene> {
    const kit = testCluster(context, { node: true });
    const lab = await BackupLab.open(kit, context);
    const { namespace } = await VolumeWithData.create(kit, { data: 'precious' });
    const { cluster } = lab.connect();
    // The namespace's default service account may still be on its way.
    await waitFor(() => cluster.create(Resources.pods, podManifest(namespace, options)), {
      what: 'the pod to be admitted',
    });
    await lab.engine().backup({ name: namespace, spec: { includedNamespaces: [namespace] } });
    return new HookedScene(lab, namespace);
  }

  async restore(hooks: RestoreHooksSpec = {}): Promise<RestoreResult> {
    this.#lab.kit.deleteNamespaceAtEnd(this.#copy);
    const namespaceMapping = { [this.#namespace]: this.#copy };
    const spec = { backupName: this.#namespace, namespaceMapping, hooks };
    return this.#lab.engine().restore({ spec });
  }

  async fileInCopy(name: string): Promise<string> {
    const { cluster } = this.#lab.connect();
    const handle = await boundVolumeHandle(cluster, this.#copy);
    return readFile(join(this.#lab.kit.volumeDataPath(handle), name), 'utf8');
  }

  async initStatuses(): Promise<readonly JsonObject[]> {
    const { cluster } = this.#lab.connect();
    const pod = await cluster.get({ ...Resources.pods, namespace: this.#copy, name: 'app' });
    expect(pod && stringAt(pod, ['status', 'phase'])).toBe('Running');
    return pod === undefined ? [] : objectsAt(pod, ['status', 'initContainerStatuses']);
  }
}

function podManifest(namespace: string, { annotations = {}, script, container }: SceneOptions) {
  const sleep = 'trap "exit 0" TERM; while :; do sleep 0.1; done';
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'app', namespace, annotations },
    spec: {
      terminationGracePeriodSeconds: 1,
      automountServiceAccountToken: false,
      containers: [
        {
          name: 'app',
          image: 'busybox:1.36',
          imagePullPolicy: 'IfNotPresent',
          command: shell(script === undefined ? sleep : `${script}; ${sleep}`),
          volumeMounts: [{ name: 'data', mountPath: '/data' }],
          ...container,
        },
      ],
      volumes: [{ name: 'data', persistentVolumeClaim: { claimName: 'data' } }],
    },
  };
}
