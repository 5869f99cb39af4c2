import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

/** What `up.sh` says about a running cluster: how to reach it, and where its files are. */
export interface ClusterDescription {
  readonly number: number;
  /** Of the administrator, with a client certificate. */
  readonly kubeconfigPath: string;
  readonly server: string;
  readonly caPath: string;
  /** Bearer token of an administrator. */
  readonly adminToken: string;
  /** Bearer token of a user without any rights. */
  readonly nobodyToken: string;
  /** Whether there is a node, so that pods run. */
  readonly node: boolean;
  /** Why there is no node; empty if there is one. */
  readonly nodeReason: string;
  /** Folder of the CSI driver, which all clusters share: `volumes/`, `snapshots/`, `faults/`. */
  readonly dirvolPath: string;
  /** Folder with `kubectl`. */
  readonly binPath: string;
  /** Folder of this cluster: `log/`, `pid/`. */
  readonly runPath: string;
}

export interface BootClusterOptions {
  /** Whether to bring up a node. @default if it can run here; with `CI=true` it must */
  readonly node?: boolean | undefined;
  /** Receives each line of progress. */
  readonly onProgress?: ((line: string) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Rejects {@link bootCluster} when this machine lacks something that its user can install. */
export class MissingPrerequisiteError extends Error {
  override readonly name = 'MissingPrerequisiteError';
}

/** The exit code by which the scripts tell a missing prerequisite from a failure. */
const missingPrerequisite = 3;

/**
 * Brings up a cluster, or leaves it alone if it runs: `up.sh` with a typed result.
 *
 * - repeated or concurrent: processes that run are kept, one call at a time does the work
 * - aborted: rejects with the signal's reason; what is up by then stays up
 *
 * @throws {MissingPrerequisiteError} when Go or a tool is missing; its message is for the user
 */
export async function bootCluster(
  number: number,
  options: BootClusterOptions = {},
): Promise<ClusterDescription> {
  const { node, onProgress, signal } = options;
  let descriptionPath: string | undefined;
  const environment = node === undefined ? {} : { NODE: node ? '1' : '0' };
  await runScript('up.sh', [String(number)], environment, signal, (line) => {
    // The last lines are for programs: NAME=value.
    const [, name, value] = /^([A-Z]+)=(.*)$/.exec(line) ?? [];
    if (name === undefined) onProgress?.(line);
    if (name === 'CLUSTER') descriptionPath = value;
  });
  if (descriptionPath === undefined) throw new Error('up.sh did not say where the cluster is');
  return JSON.parse(await readFile(descriptionPath, 'utf8')) as ClusterDescription;
}

/** Stops the clusters of this checkout; their state is kept. Stopping what does not run succeeds. */
export async function stopClusters(onProgress?: (line: string) => void): Promise<void> {
  await runScript('down.sh', ['all'], {}, undefined, (line) => onProgress?.(line));
}

async function runScript(
  script: string,
  args: readonly string[],
  environment: Readonly<Record<string, string>>,
  signal: AbortSignal | undefined,
  onLine: (line: string) => void,
): Promise<void> {
  signal?.throwIfAborted();
  const path = fileURLToPath(new URL(script, import.meta.url));
  const child = spawn(path, args, {
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const terminate = (): boolean => child.kill('SIGTERM');
  signal?.addEventListener('abort', terminate, { once: true });
  try {
    const complaints: string[] = [];
    createInterface({ input: child.stdout }).on('line', onLine);
    createInterface({ input: child.stderr }).on('line', (line) => complaints.push(line));
    const [code] = (await once(child, 'close')) as [number | null];
    signal?.throwIfAborted();
    if (code === 0) return;
    const message = complaints.slice(-20).join('\n');
    if (code === missingPrerequisite) throw new MissingPrerequisiteError(message);
    throw new Error(`${script} ${args.join(' ')} failed:\n${message}`);
  } finally {
    signal?.removeEventListener('abort', terminate);
  }
}
