// A child process of bench.ts: backs up or restores once over a bucket of Velero, and prints what the process took as JSON.
import { KubeConfig } from '@kubernetes/client-node';
import {
  type BackupSpec,
  type BackupStorageLocationSpec,
  createEngine,
  type RestoreSpec,
} from '@lifeboat/core';
import { connectKubeConfig } from '@lifeboat/core/kubernetes';
import { s3ObjectStoreFromLocation } from '@lifeboat/storage-s3';

/** What a child process is told. */
export interface EngineTask {
  readonly kubeconfigPath: string;
  readonly location: BackupStorageLocationSpec;
  readonly credentials: string;
  readonly name: string;
  readonly work: { readonly backup: BackupSpec } | { readonly restore: RestoreSpec };
}

/** What a process took, from its start. */
export interface EngineFigures {
  readonly cpuMs: number;
  readonly peakMiB: number;
}

const task = JSON.parse(process.argv[2] ?? '') as EngineTask;
const { location, credentials, name, work } = task;
const kubeConfig = new KubeConfig();
kubeConfig.loadFromFile(task.kubeconfigPath);
const store = s3ObjectStoreFromLocation(location, { credentials });
const engine = createEngine({ ...connectKubeConfig(kubeConfig), store });
const { issues } =
  'backup' in work
    ? await engine.backup({ name, spec: work.backup })
    : await engine.restore({ name, spec: work.restore });
const errors = issues.filter(({ severity }) => severity === 'error');
if (errors.length > 0) throw new Error(JSON.stringify(errors));
const { user, system } = process.cpuUsage();
const peakMiB = process.resourceUsage().maxRSS / 1024;
console.log(JSON.stringify({ cpuMs: (user + system) / 1_000, peakMiB } satisfies EngineFigures));
process.exit();
