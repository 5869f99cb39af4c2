/**
 * Deletes the backups in a folder that have expired, with their storage snapshots; made to be run by a CronJob.
 *
 *     node expire-backups.ts FOLDER [--dry-run]
 *
 * Needs Node 24 and: npm install @lifeboat/core @kubernetes/client-node
 * Exit code: 0 done, 1 the backups could not be listed, 2 wrong arguments, 3 a backup could not be deleted or read.
 */
import { KubeConfig } from '@kubernetes/client-node';
import { createEngine, FileSystemObjectStore } from '@lifeboat/core';
import { connectKubeConfig } from '@lifeboat/core/kubernetes';

const [folder, flag] = process.argv.slice(2);
if (folder === undefined || (flag !== undefined && flag !== '--dry-run')) {
  console.error('usage: node expire-backups.ts FOLDER [--dry-run]');
  process.exit(2);
}

// A CronJob that is stopped sends SIGTERM. The next run goes on where this one stopped.
const interrupt = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => interrupt.abort(new Error(`stopped by ${signal}`)));
}

try {
  const kubeConfig = new KubeConfig();
  kubeConfig.loadFromDefault();
  await using connection = connectKubeConfig(kubeConfig);
  await using store = new FileSystemObjectStore({ directory: folder });
  const engine = createEngine({ ...connection, store });

  const { backups, issues } = await engine.expire({
    dryRun: flag === '--dry-run',
    signal: interrupt.signal,
  });
  for (const { backupName, outcome, message, deletion } of backups) {
    const states = deletion?.snapshots.map(
      ({ snapshotHandle, state }) => `${snapshotHandle} ${state}`,
    );
    console.log(`${backupName}: ${outcome}`, message ?? states?.join(', ') ?? '');
  }
  for (const { severity, reason, message } of issues) {
    console.error(`${severity} ${reason}: ${message}`);
  }
  console.log(`${backups.length} backup(s) have expired`);
  const isClean = issues.length === 0 && backups.every(({ outcome }) => outcome !== 'failed');
  process.exitCode = isClean ? 0 : 3;
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
