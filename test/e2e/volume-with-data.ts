import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ClusterNumber, TestCluster } from '../cluster/test-cluster.ts';

const file = 'greeting';

/** A namespace with one bound claim, `data`, whose volume holds a file; written and read in the storage, so without a pod. */
export class VolumeWithData {
  readonly namespace: string;
  readonly #kit: TestCluster;

  private constructor(kit: TestCluster, namespace: string) {
    this.#kit = kit;
    this.namespace = namespace;
  }

  static async create(
    kit: TestCluster,
    { data }: { readonly data: string },
  ): Promise<VolumeWithData> {
    const volume = new VolumeWithData(kit, await kit.createNamespace('data'));
    const claim = {
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      metadata: { name: 'data', namespace: volume.namespace },
      spec: {
        storageClassName: 'dirvol',
        accessModes: ['ReadWriteOnce'],
        resources: { requests: { storage: '1Mi' } },
      },
    };
    await kit.kubectl(['apply', '--filename=-'], { input: JSON.stringify(claim) });
    await writeFile(await volume.#filePath(volume.namespace, 1), data);
    return volume;
  }

  /** Reads the file of the claim `data` in a namespace it was restored into. */
  async readCopy(namespace: string, cluster: ClusterNumber = 1): Promise<string> {
    return readFile(await this.#filePath(namespace, cluster), 'utf8');
  }

  async #filePath(namespace: string, cluster: ClusterNumber): Promise<string> {
    const get = (...args: readonly string[]): Promise<string> =>
      this.#kit.kubectl([...args], { cluster });
    await get(
      'wait',
      'persistentvolumeclaim/data',
      `--namespace=${namespace}`,
      '--for=jsonpath={.status.phase}=Bound',
      '--timeout=60s',
    );
    const name = await get(
      'get',
      'persistentvolumeclaim/data',
      `--namespace=${namespace}`,
      '--output=jsonpath={.spec.volumeName}',
    );
    const handle = await get(
      'get',
      `persistentvolume/${name}`,
      '--output=jsonpath={.spec.csi.volumeHandle}',
    );
    return join(this.#kit.volumeDataPath(handle), file);
  }
}
