import {
  type Cluster,
  isLifeboatError,
  type KubernetesManifest,
  type PodExec,
  Resources,
} from '@lifeboat/core';
import { textAt } from './text-at.ts';

/** Where the application runs. */
export interface ApplicationOptions {
  readonly cluster: Cluster;
  readonly podExec: PodExec;
  readonly namespace: string;
  readonly image: string;
  readonly storageClassName: string;
  readonly signal: AbortSignal;
}

const claimName = 'local-pvc';
const podName = 'pod-local-im';
const containerName = 'main';
const mountPath = '/datadir';
const dataFile = `${mountPath}/data.bin`;
const startTimeoutMs = 180_000;

/** An application with a volume: a claim of 30 MiB, and a pod that mounts it. */
export class DemoApplication {
  readonly #options: ApplicationOptions;

  constructor(options: ApplicationOptions) {
    this.#options = options;
  }

  /** Creates both objects and waits until the pod runs. */
  async deploy(): Promise<void> {
    const { cluster, signal } = this.#options;
    await cluster.create(Resources.persistentVolumeClaims, this.#claim(), { signal });
    await cluster.create(Resources.pods, this.#pod(), { signal });
    await this.waitUntilRunning();
  }

  /** Waits until the pod runs; after three minutes it fails and says what the pod is waiting for. */
  async waitUntilRunning(): Promise<void> {
    const { cluster, namespace, signal } = this.#options;
    const timeout = AbortSignal.timeout(startTimeoutMs);
    let last: unknown;
    try {
      const events = cluster.watch(Resources.pods, {
        namespace,
        fieldSelector: `metadata.name=${podName}`,
        signal: AbortSignal.any([signal, timeout]),
      });
      for await (const event of events) {
        last = 'object' in event ? event.object : last;
        if (textAt(last, 'status', 'phase') === 'Running') {
          return;
        }
      }
    } catch (error) {
      if (!timeout.aborted || signal.aborted) {
        throw error;
      }
    }
    throw new Error(
      `pod ${namespace}/${podName} is not running after ${startTimeoutMs / 1000} s: ${await this.#explain(last)}`,
    );
  }

  /** Writes into the volume, from inside the pod. */
  async write(data: Uint8Array): Promise<void> {
    await this.#exec(['tee', dataFile], data);
    await this.#exec(['sync']);
  }

  /** Reads from the volume, from inside the pod. */
  read(): Promise<Uint8Array> {
    return this.#exec(['cat', dataFile]);
  }

  async #exec(command: readonly string[], stdin?: Uint8Array): Promise<Uint8Array> {
    const { podExec, namespace, signal } = this.#options;
    const result = await podExec.exec(
      { namespace, podName, containerName, command },
      { stdin, signal },
    );
    if (result.exitCode !== 0) {
      const complaint = Buffer.from(result.stderr).toString().trim();
      throw new Error(`${command.join(' ')} in pod ${namespace}/${podName} failed: ${complaint}`);
    }
    return result.stdout;
  }

  /** The latest event of the pod or its claim, in which the cluster says why it is not ready. */
  async #explain(pod: unknown): Promise<string> {
    const { cluster, namespace, signal } = this.#options;
    const phase = textAt(pod, 'status', 'phase') ?? 'there is no such pod';
    try {
      const events = await Array.fromAsync(cluster.list(Resources.events, { namespace, signal }));
      const messages = events.map((event) => textAt(event, 'message')).filter(Boolean);
      return [phase, ...new Set(messages.slice(-3))].join('; ');
    } catch (error) {
      if (isLifeboatError(error)) {
        return phase;
      }
      throw error;
    }
  }

  #claim(): KubernetesManifest {
    const { namespace, storageClassName } = this.#options;
    return {
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      metadata: { name: claimName, namespace },
      spec: {
        storageClassName,
        accessModes: ['ReadWriteOnce'],
        resources: { requests: { storage: '30Mi' } },
      },
    };
  }

  #pod(): KubernetesManifest {
    const { namespace, image } = this.#options;
    return {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: podName, namespace },
      spec: {
        // `sleep` does not listen to the signal that asks it to stop.
        terminationGracePeriodSeconds: 1,
        containers: [
          {
            name: containerName,
            image,
            imagePullPolicy: 'IfNotPresent',
            command: ['sleep', '1000000'],
            volumeMounts: [{ name: 'data', mountPath }],
          },
        ],
        volumes: [{ name: 'data', persistentVolumeClaim: { claimName } }],
      },
    };
  }
}
