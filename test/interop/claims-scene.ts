import { randomBytes } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type KubernetesManifest, Resources, type StringMap } from '@lifeboat/core';
import { expect, type TestContext } from 'vitest';
import { stringAt } from '../../packages/core/src/model/object-path.ts';
import type { ClusterNumber } from '../cluster/test-cluster.ts';
import { waitFor } from '../cluster/wait-for.ts';
import { boundVolumeHandle, createClaim } from '../e2e/volume-scene.ts';
import { InteropScene } from './interop-scene.ts';
import type { VeleroPair } from './velero-pair.ts';

const names = ['a', 'b'] as const;
const podName = 'writer';
const file = 'data';

/** A pod that mounts two claims, in each of which lies noise, beside Velero. */
export class ClaimsScene {
  readonly scene: InteropScene;
  readonly namespace: string;
  /** The namespace for a copy. */
  readonly copy: string;
  readonly #volumeHandles: readonly string[];
  readonly #noise: readonly Buffer[];

  private constructor(
    scene: InteropScene,
    namespace: string,
    volumeHandles: readonly string[],
    noise: readonly Buffer[],
  ) {
    this.scene = scene;
    this.namespace = namespace;
    this.copy = `${namespace}-copy`;
    this.#volumeHandles = volumeHandles;
    this.#noise = noise;
  }

  /** @param labels - of the claims. */
  static async open(
    context: TestContext,
    pair: VeleroPair,
    labels: StringMap = {},
  ): Promise<ClaimsScene> {
    const scene = await InteropScene.open(context, pair);
    const { kit } = scene;
    const { cluster } = scene.connection();
    const namespace = await kit.createNamespace('claims');
    kit.deleteNamespaceAtEnd(`${namespace}-copy`);
    kit.deleteNamespaceAtEnd(namespace, { cluster: 2 });
    scene.deleteBackupAtEnd(namespace);
    const handles: string[] = [];
    const noise: Buffer[] = [];
    for (const name of names) {
      await createClaim(cluster, namespace, { name, labels });
      const handle = await boundVolumeHandle(cluster, namespace, name);
      const bytes = randomBytes(512 * 1024);
      await writeFile(join(kit.volumeDataPath(handle), file), bytes);
      handles.push(handle);
      noise.push(bytes);
    }
    // The namespace's default service account may still be on its way.
    await waitFor(() => cluster.create(Resources.pods, pod(namespace)), {
      what: `pod ${podName} to be admitted`,
    });
    const claims = new ClaimsScene(scene, namespace, handles, noise);
    await claims.untilRunning(namespace);
    return claims;
  }

  /** The name of the backup. */
  get backup(): string {
    return this.namespace;
  }

  /** Waits until the pod runs on both claims, and asserts that they hold what they held. */
  async expectData(namespace: string, cluster: ClusterNumber = 1): Promise<void> {
    await this.untilRunning(namespace, cluster);
    for (const [index, name] of names.entries()) {
      const { cluster: api } = this.scene.connection(cluster);
      const handle = await boundVolumeHandle(api, namespace, name);
      expect(this.#volumeHandles).not.toContain(handle);
      const bytes = await readFile(join(this.scene.kit.volumeDataPath(handle), file));
      expect(bytes.equals(this.#noise[index] ?? Buffer.alloc(0))).toBe(true);
    }
  }

  /** The handles of the snapshots that the storage has of the volumes. */
  snapshots(): Promise<readonly string[]> {
    return this.scene.lab.storageSnapshotsOf(this.#volumeHandles);
  }

  async untilRunning(namespace: string, cluster: ClusterNumber = 1): Promise<void> {
    const { cluster: api } = this.scene.connection(cluster);
    await waitFor(
      async () => {
        const found = await api.get({ ...Resources.pods, namespace, name: podName });
        return found !== undefined && stringAt(found, ['status', 'phase']) === 'Running';
      },
      { what: `pod ${namespace}/${podName} to run`, timeoutMs: 120_000 },
    );
  }
}

function pod(namespace: string): KubernetesManifest {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: podName, namespace },
    spec: {
      terminationGracePeriodSeconds: 0,
      containers: [
        {
          name: podName,
          image: 'busybox:1.36',
          command: ['sh', '-c', 'while true; do sleep 50; done'],
          volumeMounts: names.map((name) => ({ name, mountPath: `/${name}` })),
        },
      ],
      volumes: names.map((name) => ({ name, persistentVolumeClaim: { claimName: name } })),
    },
  };
}
