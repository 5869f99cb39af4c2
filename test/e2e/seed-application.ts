import { type KubernetesManifest, type KubernetesObject, Resources } from '@lifeboat/core';
import type { KubernetesConnection } from '@lifeboat/core/kubernetes';
import { stringAt } from '../../packages/core/src/model/object-path.ts';
import { waitFor } from '../cluster/wait-for.ts';
import { boundVolumeHandle } from './volume-scene.ts';

/** Where the application runs, and on which storage. */
export interface SeedApplicationOptions {
  readonly connection: KubernetesConnection;
  readonly namespace: string;
  /** @default 'hostpath' */
  readonly storageClassName?: string | undefined;
}

const claimName = 'local-pvc';
const podName = 'pod-local-im';
const containerName = 'perfrunner';
const dataFile = '/datadir/data.bin';

/** The application of the first end-to-end test of all: a claim of 30Mi, and a busybox pod that mounts it at /datadir. */
export class SeedApplication {
  readonly namespace: string;
  readonly #connection: KubernetesConnection;
  readonly #storageClassName: string;

  constructor({ connection, namespace, storageClassName = 'hostpath' }: SeedApplicationOptions) {
    this.#connection = connection;
    this.namespace = namespace;
    this.#storageClassName = storageClassName;
  }

  /** Creates both objects and waits until the pod runs. */
  async deploy(): Promise<void> {
    const { cluster } = this.#connection;
    await cluster.create(Resources.persistentVolumeClaims, this.#claimManifest());
    // The namespace's default service account may still be on its way.
    await waitFor(() => cluster.create(Resources.pods, this.#podManifest()), {
      what: `pod ${podName} to be admitted`,
    });
    await this.untilRunning();
  }

  untilRunning(): Promise<KubernetesObject> {
    return waitFor(
      async () => {
        const pod = await this.pod();
        return pod !== undefined && stringAt(pod, ['status', 'phase']) === 'Running' && pod;
      },
      { what: `pod ${this.namespace}/${podName} to run` },
    );
  }

  /** Writes 512 KiB of noise into the volume, from inside the pod, and returns its checksum. */
  async write(): Promise<string> {
    await this.#exec(['dd', 'if=/dev/urandom', `of=${dataFile}`, 'bs=1024', 'count=512']);
    await this.#exec(['sync']);
    return this.checksum();
  }

  /** The checksum of what is in the volume, taken inside the pod. */
  async checksum(): Promise<string> {
    const output = await this.#exec(['sha256sum', dataFile]);
    return output.split(' ')[0] ?? '';
  }

  /** Deletes the pod and the claim, and waits until both are gone. */
  async lose(): Promise<void> {
    const { cluster } = this.#connection;
    const options = { namespace: this.namespace };
    await cluster.delete({ ...Resources.pods, ...options, name: podName });
    await cluster.delete({ ...Resources.persistentVolumeClaims, ...options, name: claimName });
    await waitFor(async () => (await this.pod()) === undefined && !(await this.claim()), {
      what: `the application in ${this.namespace} to be gone`,
    });
  }

  claim(): Promise<KubernetesObject | undefined> {
    const { namespace } = this;
    const reference = { ...Resources.persistentVolumeClaims, namespace, name: claimName };
    return this.#connection.cluster.get(reference);
  }

  pod(): Promise<KubernetesObject | undefined> {
    const { namespace } = this;
    return this.#connection.cluster.get({ ...Resources.pods, namespace, name: podName });
  }

  /** What the storage calls the claim's volume. */
  volumeHandle(): Promise<string> {
    return boundVolumeHandle(this.#connection.cluster, this.namespace, claimName);
  }

  async #exec(command: readonly string[]): Promise<string> {
    const { namespace } = this;
    const request = { namespace, podName, containerName, command };
    const { exitCode, stdout, stderr } = await this.#connection.podExec.exec(request);
    if (exitCode !== 0) {
      throw new Error(`${command.join(' ')} failed: ${Buffer.from(stderr).toString()}`);
    }
    return Buffer.from(stdout).toString();
  }

  #claimManifest(): KubernetesManifest {
    return {
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      metadata: { name: claimName, namespace: this.namespace },
      spec: {
        storageClassName: this.#storageClassName,
        accessModes: ['ReadWriteOnce'],
        resources: { requests: { storage: '30Mi' } },
      },
    };
  }

  #podManifest(): KubernetesManifest {
    return {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: podName, namespace: this.namespace },
      spec: {
        tolerations: [{ effect: 'NoSchedule', key: 'node-role.kubernetes.io/master' }],
        restartPolicy: 'Never',
        terminationGracePeriodSeconds: 0,
        containers: [
          {
            name: containerName,
            image: 'busybox:1.36',
            command: ['sh'],
            args: ['-c', 'while true ;do sleep 50; done'],
            volumeMounts: [{ mountPath: '/datadir', name: 'fio-vol' }],
            tty: true,
          },
        ],
        volumes: [{ name: 'fio-vol', persistentVolumeClaim: { claimName } }],
      },
    };
  }
}
