import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { bootCluster, type ClusterDescription } from './boot-cluster.ts';
import { waitFor } from './wait-for.ts';

/** The processes of a cluster; `dirvol`, the CSI driver, serves both clusters. */
export type ProcessName =
  | 'etcd'
  | 'kube-apiserver'
  | 'kube-controller-manager'
  | 'kube-scheduler'
  | 'snapshot-controller'
  | 'csi-snapshotter-dirvol'
  | 'csi-provisioner-dirvol'
  | 'dirvol'
  | 'containerd'
  | 'kubelet';

/** A process is down or frozen until this ends. */
export interface Outage extends AsyncDisposable {
  /** Brings the process back, and resolves when it works again; a second time does nothing. */
  end(): Promise<void>;
}

/** How long a process may take to end by itself; the API server would wait a minute for its watches. */
const patienceMs = 3000;

/** Stops a process; the contract is `TestCluster.stopProcess`. */
export async function stopProcess(cluster: ClusterDescription, name: ProcessName): Promise<Outage> {
  const recorded = await recordedProcess(cluster, name);
  // Its leader alone: a supervisor that lost its child first would start it again.
  process.kill(recorded.pid, 'SIGTERM');
  await hasEnded(recorded, patienceMs).catch(async () => {
    process.kill(-recorded.pid, 'SIGKILL');
    await hasEnded(recorded, patienceMs);
  });
  return outage(async () => {
    await bootCluster(cluster.number, { node: cluster.node });
  });
}

/** Freezes a process; the contract is `TestCluster.pauseProcess`. */
export async function pauseProcess(
  cluster: ClusterDescription,
  name: ProcessName,
): Promise<Outage> {
  const recorded = await recordedProcess(cluster, name);
  process.kill(-recorded.pid, 'SIGSTOP');
  return outage(async () => {
    if (await isAlive(recorded)) process.kill(-recorded.pid, 'SIGCONT');
  });
}

function outage(recover: () => Promise<void>): Outage {
  let ended: Promise<void> | undefined;
  const end = (): Promise<void> => (ended ??= recover());
  return { end, [Symbol.asyncDispose]: end };
}

/** A process as `up.sh` recorded it: the start time tells it from a later one of the same number. */
interface RecordedProcess {
  readonly pid: number;
  readonly startTime: string;
}

async function recordedProcess(
  cluster: ClusterDescription,
  name: ProcessName,
): Promise<RecordedProcess> {
  const folder = name === 'dirvol' ? join(cluster.dirvolPath, '..') : cluster.runPath;
  const [pid = '', startTime = ''] = (await readFile(join(folder, 'pid', name), 'utf8'))
    .trim()
    .split(' ');
  const recorded = { pid: Number(pid), startTime };
  if (!(await isAlive(recorded))) throw new Error(`${name} does not run`);
  return recorded;
}

async function isAlive({ pid, startTime }: RecordedProcess): Promise<boolean> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  // Fields 3 (state; Z has ended) and 22 (start time); field 2, a name in parentheses, may hold spaces.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return fields[0] !== 'Z' && fields[19] === startTime;
}

async function hasEnded(recorded: RecordedProcess, timeoutMs: number): Promise<void> {
  await waitFor(async () => !(await isAlive(recorded)), {
    what: `process ${recorded.pid} to end`,
    timeoutMs,
  });
}
