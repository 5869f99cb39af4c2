import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { ClusterDescription } from './boot-cluster.ts';

const run = promisify(execFile);

export interface KubectlOptions {
  /** What kubectl reads from its standard input, as for `apply -f -`. */
  readonly input?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Runs kubectl as administrator of a cluster; the contract is `TestCluster.kubectl`. */
export async function kubectl(
  cluster: ClusterDescription,
  args: readonly string[],
  options: KubectlOptions = {},
): Promise<string> {
  const { input = '', signal } = options;
  signal?.throwIfAborted();
  const running = run(
    join(cluster.binPath, 'kubectl'),
    ['--kubeconfig', cluster.kubeconfigPath, ...args],
    { maxBuffer: 256 * 1024 * 1024, ...(signal !== undefined && { signal }) },
  );
  // kubectl may end before it has read everything; what it says then is the error to see, not EPIPE.
  running.child.stdin?.on('error', () => undefined).end(input);
  try {
    return (await running).stdout;
  } catch (error) {
    signal?.throwIfAborted();
    throw error;
  }
}
