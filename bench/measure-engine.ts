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
import { reportProcess } from './report-process.ts';

/** What a child process is told. */
export interface EngineTask {
  readonly kubeconfigPath: string;
  readonly location: BackupStorageLocationSpec;
  readonly credentials: string;
  readonly name: string;
  readonly work: { readonly backup: BackupSpec } | { readonly restore: RestoreSpec };
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
reportProcess();
