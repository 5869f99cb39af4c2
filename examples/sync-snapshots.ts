/**
 * Makes a cluster show the snapshots of the backups in a folder, and forget those of backups that are gone.
 *
 *     node sync-snapshots.ts FOLDER [CONTEXT]
 *
 * CONTEXT is a context of your kubeconfig. Run it as often as you like, for example from a CronJob.
 *
 * Needs Node 24 and: npm install @lifeboat/core @kubernetes/client-node
 * Exit code: 0 done, 1 not done, 2 wrong arguments, 3 done in part.
 */
import { KubeConfig } from '@kubernetes/client-node';
import { createEngine, FileSystemObjectStore } from '@lifeboat/core';
import { connectKubeConfig } from '@lifeboat/core/kubernetes';

const [folder, context] = process.argv.slice(2);
if (folder === undefined) {
  console.error('usage: node sync-snapshots.ts FOLDER [CONTEXT]');
  process.exit(2);
}

try {
  const kubeConfig = new KubeConfig();
  kubeConfig.loadFromDefault();
  await using connection = connectKubeConfig(kubeConfig, { context });
  await using store = new FileSystemObjectStore({ directory: folder });
  const result = await createEngine({ ...connection, store }).syncSnapshots();
  for (const { backupName, volumeSnapshotContentName } of result.created) {
    console.log(`${backupName}: created ${volumeSnapshotContentName}`);
  }
  for (const { backupName, volumeSnapshotContentName } of result.removed) {
    console.log(`${backupName}: removed ${volumeSnapshotContentName}`);
  }
  for (const { backupName, snapshotHandle, reason } of result.skipped) {
    console.log(`${backupName}: skipped ${snapshotHandle}: ${reason}`);
  }
  for (const { reason, message } of result.issues) {
    console.error(`${reason}: ${message}`);
  }
  process.exitCode = result.issues.length === 0 ? 0 : 3;
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
