import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { inject, type TestContext } from 'vitest';
import type { ClusterDescription } from './boot-cluster.ts';
import { type Fault, type InjectedFault, injectFault } from './fault.ts';
import { type KubectlOptions, kubectl } from './kubectl.ts';
import { type Outage, type ProcessName, pauseProcess, stopProcess } from './outage.ts';

/** Which of the two clusters; the first unless said otherwise. */
export type ClusterNumber = 1 | 2;

/** What the tests need of vitest's context; in `beforeAll`, write one that collects the clean-ups. */
export type ClusterTestContext = Pick<TestContext, 'skip' | 'onTestFinished'>;

export interface TestClusterOptions {
  /** Whether the test runs pods. @default false */
  readonly node?: boolean | undefined;
}

/**
 * Returns the clusters of this run to one test.
 *
 * - unavailable here: the test is skipped with the reason; under CI the global set-up has failed before
 * - `node: true` where no node can run: likewise
 */
export function testCluster(
  context: ClusterTestContext,
  options: TestClusterOptions = {},
): TestCluster {
  const reason = clusterUnavailable(options);
  if (reason !== undefined) context.skip(reason);
  return new TestCluster(context);
}

/** Returns why tests cannot have a cluster here, or undefined if they can: for `describe.skipIf`. */
export function clusterUnavailable(options: TestClusterOptions = {}): string | undefined {
  const { node = false } = options;
  const provided = inject('testCluster');
  if (!provided.available) return provided.reason;
  return node ? provided.clusters.find((cluster) => !cluster.node)?.nodeReason : undefined;
}

/** The clusters as one test uses them: what it makes through this is removed when the test has finished. */
export class TestCluster {
  readonly #context: ClusterTestContext;
  readonly #clusters: readonly [ClusterDescription, ClusterDescription];

  constructor(context: ClusterTestContext) {
    const provided = inject('testCluster');
    if (!provided.available) throw new Error(provided.reason);
    this.#context = context;
    this.#clusters = provided.clusters;
  }

  /** Describes a cluster: its server, credentials and files. */
  describe(cluster: ClusterNumber = 1): ClusterDescription {
    return this.#clusters[cluster === 1 ? 0 : 1];
  }

  /** Returns a name that no other test has, of at most 63 characters if the prefix has at most 52. */
  uniqueName(prefix: string): string {
    return `${prefix}-${randomBytes(5).toString('hex')}`;
  }

  /** Creates a namespace of a unique name and returns the name. Deleted at the end, which is not waited for. */
  async createNamespace(prefix: string, options: KubectlTarget = {}): Promise<string> {
    const name = this.uniqueName(prefix);
    this.deleteNamespaceAtEnd(name, options);
    await this.kubectl(['create', 'namespace', name], options);
    return name;
  }

  /** Sees that a namespace which the code under test creates is deleted at the end, if it is there. */
  deleteNamespaceAtEnd(name: string, options: Pick<KubectlTarget, 'cluster'> = {}): void {
    this.#context.onTestFinished(async () => {
      await this.kubectl(
        ['delete', 'namespace', name, '--wait=false', '--ignore-not-found'],
        options,
      );
    });
  }

  /**
   * Runs kubectl as administrator and returns what it prints.
   *
   * - a non-zero exit code: rejects with an error that holds the arguments and what kubectl complains of
   * - aborted: kubectl is ended; rejects with the signal's reason
   */
  kubectl(args: readonly string[], options: KubectlTarget = {}): Promise<string> {
    const { cluster, ...rest } = options;
    return kubectl(this.describe(cluster), args, rest);
  }

  /** Returns the folder that holds a volume's files, given the `volumeHandle` of its PersistentVolume. */
  volumeDataPath(volumeHandle: string): string {
    return join(this.describe().dirvolPath, 'volumes', volumeHandle, 'data');
  }

  /** Returns the folder that holds a snapshot's files, given its `snapshotHandle`; not for class dirvol-ext4. */
  snapshotDataPath(snapshotHandle: string): string {
    return join(this.describe().dirvolPath, 'snapshots', snapshotHandle, 'data');
  }

  /** Makes calls of the CSI driver fail or wait, in both clusters: see {@link Fault}. Ends with the test at the latest. */
  async injectFault(fault: Fault): Promise<InjectedFault> {
    const injected = await injectFault(this.describe().dirvolPath, fault);
    this.#context.onTestFinished(() => injected.end());
    return injected;
  }

  /** Stops a process until the outage ends. Hits every test: only for tests that run alone. */
  async stopProcess(name: ProcessName, cluster: ClusterNumber = 1): Promise<Outage> {
    return this.#endAtEnd(await stopProcess(this.describe(cluster), name));
  }

  /** Freezes a process, so that its peers wait in vain, until the outage ends. Only for tests that run alone. */
  async pauseProcess(name: ProcessName, cluster: ClusterNumber = 1): Promise<Outage> {
    return this.#endAtEnd(await pauseProcess(this.describe(cluster), name));
  }

  #endAtEnd(outage: Outage): Outage {
    this.#context.onTestFinished(() => outage.end());
    return outage;
  }
}

/** Options of kubectl, and the cluster it talks to. */
export interface KubectlTarget extends KubectlOptions {
  /** @default 1 */
  readonly cluster?: ClusterNumber | undefined;
}
