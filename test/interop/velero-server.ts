import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { BackupStorageLocationSpec } from '@lifeboat/core';
import type { ClusterDescription } from '../cluster/boot-cluster.ts';
import { type ServerProcess, startServer } from '../object-stores/server-process.ts';
import type { VeleroBinaries } from './build-velero.ts';
import { installVelero, uninstallVelero, type VeleroInstallation } from './velero-installation.ts';

/** Where a Velero works. */
export interface VeleroServerOptions {
  readonly binaries: VeleroBinaries;
  readonly cluster: ClusterDescription;
  /** A namespace that nobody else has; it ends with the server. */
  readonly namespace: string;
  readonly location: BackupStorageLocationSpec;
  /** The file of credentials of the AWS SDK, as text. */
  readonly credentials: string;
  /** Of the server, beside those that say where it works. @default what tests need, lest they wait */
  readonly flags?: readonly string[] | undefined;
}

// By default Velero does so every ten seconds and once an hour.
const testFlags = ['--item-operation-sync-frequency=2s', '--garbage-collection-frequency=5s'];

/** Commands that wait do so for good. */
const commandTimeoutMs = 1_200_000;

/** The real Velero: its server as a process of this machine, which acts on a test cluster, and its command. */
export class VeleroServer implements AsyncDisposable {
  readonly namespace: string;
  readonly cluster: ClusterDescription;
  readonly logPath: string;
  readonly pid: number;
  readonly #installation: VeleroInstallation;
  readonly #folder: string;
  readonly #process: ServerProcess;

  private constructor(installation: VeleroInstallation, folder: string, process: ServerProcess) {
    this.#installation = installation;
    this.#folder = folder;
    this.#process = process;
    this.cluster = installation.cluster;
    this.namespace = installation.namespace;
    this.logPath = logIn(folder);
    this.pid = process.pid;
  }

  /** Installs what Velero needs in the cluster, starts it and waits until it answers. */
  static async start(options: VeleroServerOptions): Promise<VeleroServer> {
    const { binaries, cluster, namespace, location } = options;
    const installation = { cluster, namespace, commandPath: binaries.commandPath };
    const folder = await mkdtemp(join(tmpdir(), 'lifeboat-velero-'));
    await using undo = new AsyncDisposableStack();
    undo.defer(() => rm(folder, { recursive: true, force: true }));
    undo.defer(() => uninstallVelero(installation));
    await installVelero(installation, location);
    const started = await startProcess(options, folder);
    undo.move();
    return new VeleroServer(installation, folder, started);
  }

  /** Runs a command of Velero and returns what it prints; rejects with what it complains of. */
  async run(...args: readonly string[]): Promise<string> {
    const { commandPath, cluster, namespace } = this.#installation;
    const { stdout } = await promisify(execFile)(
      commandPath,
      [
        ...[`--kubeconfig=${cluster.kubeconfigPath}`, `--namespace=${namespace}`],
        ...['--colorized=false', ...args],
      ],
      // It reads a configuration of its user.
      {
        env: { ...process.env, HOME: this.#folder },
        maxBuffer: 64 * 1024 * 1024,
        timeout: commandTimeoutMs,
      },
    );
    return stdout;
  }

  /** Downloads the archive of a backup by the command. */
  async download(backup: string): Promise<Uint8Array> {
    const path = join(this.#folder, `${backup}.tar.gz`);
    await this.run('backup', 'download', backup, `--output=${path}`);
    return readFile(path);
  }

  /** Stops the server and removes what is of it in the cluster. */
  async stop({ keepLog = false } = {}): Promise<void> {
    await this.#process[Symbol.asyncDispose]();
    await uninstallVelero(this.#installation);
    if (keepLog) {
      console.log(`velero: the log of ${this.namespace} is ${this.logPath}`);
    } else {
      await rm(this.#folder, { recursive: true, force: true });
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }
}

function logIn(folder: string): string {
  return join(folder, 'server.log');
}

async function startProcess(
  { binaries, cluster, namespace, credentials, flags = testFlags }: VeleroServerOptions,
  folder: string,
): Promise<ServerProcess> {
  const credentialsPath = join(folder, 'credentials');
  await writeFile(credentialsPath, credentials, { mode: 0o600 });
  const scratch = join(folder, 'scratch');
  await mkdir(scratch);
  return startServer((port) => ({
    name: 'velero',
    command: 'sh',
    args: [
      ...['-c', `exec "$@" >>"$VELERO_LOG" 2>&1`, 'sh', binaries.commandPath, 'server'],
      ...[`--kubeconfig=${cluster.kubeconfigPath}`, `--namespace=${namespace}`],
      ...[`--plugin-dir=${binaries.pluginFolder}`, '--features=EnableCSI'],
      ...[`--metrics-address=127.0.0.1:${port}`, '--profiler-address=127.0.0.1:0'],
      ...flags,
    ],
    environment: {
      VELERO_LOG: logIn(folder),
      VELERO_NAMESPACE: namespace,
      VELERO_SCRATCH_DIR: scratch,
      TMPDIR: scratch,
      AWS_SHARED_CREDENTIALS_FILE: credentialsPath,
      AWS_EC2_METADATA_DISABLED: 'true',
    },
  }));
}
