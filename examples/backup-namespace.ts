/**
 * Backs up a namespace of your current kubeconfig context, with its CSI volumes, into a folder.
 *
 *     node backup-namespace.ts NAMESPACE FOLDER [BACKUP]
 *
 * Needs Node 24 and: npm install @lifeboat/core @kubernetes/client-node
 * Exit code: 0 Completed, 1 nothing was backed up, 2 wrong arguments, 3 PartiallyFailed.
 */
import { KubeConfig } from '@kubernetes/client-node';
import { createEngine, FileSystemObjectStore } from '@lifeboat/core';
import { connectKubeConfig } from '@lifeboat/core/kubernetes';

const [namespace, folder, name = `${namespace}-${Date.now()}`] = process.argv.slice(2);
if (namespace === undefined || folder === undefined) {
  console.error('usage: node backup-namespace.ts NAMESPACE FOLDER [BACKUP]');
  process.exit(2);
}

// Ctrl-C aborts the backup, which then frees its snapshots and deletes what it has written.
const interrupt = new AbortController();
process.once('SIGINT', () => interrupt.abort(new Error('interrupted')));

try {
  const kubeConfig = new KubeConfig();
  kubeConfig.loadFromDefault();
  await using connection = connectKubeConfig(kubeConfig);
  await using store = new FileSystemObjectStore({ directory: folder });
  const engine = createEngine({ ...connection, store });

  const { backup, issues } = await engine.backup(
    { name, spec: { includedNamespaces: [namespace], ttl: '720h0m0s' } },
    {
      signal: interrupt.signal,
      onEvent: (event) => {
        if (event.type === 'snapshot') {
          console.log(`snapshot of ${event.claimName}: ${event.state}`);
        }
      },
    },
  );
  for (const { severity, reason, message } of issues) {
    console.error(`${severity} ${reason}: ${message}`);
  }
  const { phase, progress } = backup.status;
  console.log(`backup ${name}: ${phase}, ${progress?.itemsBackedUp ?? 0} objects`);
  process.exitCode = phase === 'Completed' ? 0 : 3;
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
