import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { KubeConfig } from '@kubernetes/client-node';
import { connectKubeConfig, type KubernetesConnection } from '@lifeboat/core/kubernetes';
import type { ClusterContractCase, ClusterContractContext } from '@lifeboat/core/testing';
import type { ClusterDescription } from '../cluster/boot-cluster.ts';
import { kubectl } from '../cluster/kubectl.ts';
import { administratorConfig, tokenConfig } from './kube-configs.ts';
import { startSeverableProxy } from './severable-proxy.ts';

const namespaces = { group: '', version: 'v1', resource: 'namespaces' };
const caseTimeoutMs = 120_000;
const csi = {
  driver: 'dirvol.csi.lifeboat.test',
  storageClassName: 'dirvol',
  deletingSnapshotClassName: 'dirvol',
  retainingSnapshotClassName: 'dirvol-retain',
};
/** Nothing listens on the port of the discard service. */
const deadServer = 'https://127.0.0.1:9';

/** Runs the cases of the cluster contract against a real API server, each in a namespace and with connections of its own. */
export class ClusterHost {
  readonly #cluster: ClusterDescription;

  constructor(cluster: ClusterDescription) {
    this.#cluster = cluster;
  }

  async run({ run, needs }: ClusterContractCase): Promise<void> {
    await using resources = new AsyncDisposableStack();
    const signal = AbortSignal.timeout(caseTimeoutMs);
    const connect = (kubeConfig: KubeConfig): KubernetesConnection =>
      resources.use(connectKubeConfig(kubeConfig));

    const proxy = resources.use(await startSeverableProxy(this.#cluster.server));
    const viaProxy = `https://127.0.0.1:${proxy.port}`;
    const { cluster: administrator } = connect(administratorConfig(this.#cluster));
    const cluster =
      needs === 'breakConnections'
        ? connect(administratorConfig(this.#cluster, viaProxy)).cluster
        : administrator;
    const namespace = `contract-${randomBytes(5).toString('hex')}`;
    await administrator.create(
      namespaces,
      { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } },
      { signal },
    );
    resources.defer(() => administrator.delete({ ...namespaces, name: namespace }));

    const context: ClusterContractContext = {
      cluster,
      namespace,
      signal,
      open: () => connect(administratorConfig(this.#cluster)).cluster,
      csi,
      groupSnapshots: { ...csi, groupSnapshotClassName: 'dirvol' },
      forgetHistory: (resource) => this.#forgetHistory(resource, signal),
      breakConnections: async () => proxy.sever(),
      restrictedCluster: connect(tokenConfig(this.#cluster, this.#cluster.nobodyToken)).cluster,
      unauthenticatedCluster: connect(tokenConfig(this.#cluster, 'no-such-token')).cluster,
      unreachableCluster: connect(tokenConfig(this.#cluster, this.#cluster.adminToken, deadServer))
        .cluster,
    };
    await run(context);
  }

  /**
   * A changed definition makes the server rebuild its watch cache, which ends the watches of the resource and begins
   * after every version given out. Continue tokens expire when etcd is compacted, every few seconds here: a token taken
   * now is the last of them to go.
   */
  async #forgetHistory(
    resource: { readonly group: string; readonly resource: string },
    signal: AbortSignal,
  ): Promise<void> {
    if (resource.group !== '') {
      const patch = JSON.stringify([
        {
          op: 'add',
          path: '/spec/versions/0/additionalPrinterColumns',
          value: [{ name: 'Size', type: 'integer', jsonPath: '.spec.size' }],
        },
      ]);
      await this.#kubectl(
        ['patch', 'crd', `${resource.resource}.${resource.group}`, '--type=json', '-p', patch],
        signal,
      );
    }
    const page = await this.#kubectl(['get', '--raw', '/api/v1/namespaces?limit=1'], signal);
    const token = String(/"continue":"([^"]+)"/.exec(page)?.[1]);
    while (await this.#isServed(token, signal)) {
      await sleep(1_000, undefined, { signal });
    }
  }

  async #isServed(token: string, signal: AbortSignal): Promise<boolean> {
    try {
      await this.#kubectl(['get', '--raw', `/api/v1/namespaces?limit=1&continue=${token}`], signal);
      return true;
    } catch (error) {
      signal.throwIfAborted();
      if (String(error).includes('continue parameter is too old')) {
        return false;
      }
      throw error;
    }
  }

  #kubectl(args: readonly string[], signal: AbortSignal): Promise<string> {
    return kubectl(this.#cluster, args, { signal });
  }
}
