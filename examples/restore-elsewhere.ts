/**
 * Restores a namespace of a backup under another name, in this or in another cluster, beside whatever lives there.
 *
 *     node restore-elsewhere.ts BACKUP FOLDER FROM TO [CONTEXT]
 *
 * FROM is a namespace in the backup, TO the one it is restored as, CONTEXT a context of your kubeconfig. Another cluster must
 * reach the storage that holds the snapshots: the same CSI driver, with access to the same backend.
 *
 * Needs Node 24 and: npm install @lifeboat/core @kubernetes/client-node
 * Exit code: 0 Completed, 1 nothing was restored, 2 wrong arguments, 3 PartiallyFailed.
 */
import { KubeConfig } from '@kubernetes/client-node';
import { createEngine, FileSystemObjectStore, isLifeboatError } from '@lifeboat/core';
import { connectKubeConfig } from '@lifeboat/core/kubernetes';

const [backupName, folder, from, to, context] = process.argv.slice(2);
if (backupName === undefined || folder === undefined || from === undefined || to === undefined) {
  console.error('usage: node restore-elsewhere.ts BACKUP FOLDER FROM TO [CONTEXT]');
  process.exit(2);
}

// Ctrl-C stops creating objects. What was created stays, labelled velero.io/restore-name.
const interrupt = new AbortController();
process.once('SIGINT', () => interrupt.abort(new Error('interrupted')));

try {
  const kubeConfig = new KubeConfig();
  kubeConfig.loadFromDefault();
  await using connection = connectKubeConfig(kubeConfig, { context });
  await using store = new FileSystemObjectStore({ directory: folder });
  const engine = createEngine({ ...connection, store });

  const { restore, issues } = await engine.restore(
    { spec: { backupName, includedNamespaces: [from], namespaceMapping: { [from]: to } } },
    {
      signal: interrupt.signal,
      onEvent: (event) => {
        if (event.type === 'claim') {
          console.log(`claim ${event.claimName}: ${event.state}`);
        }
      },
    },
  );
  for (const { severity, reason, message } of issues) {
    console.error(`${severity} ${reason}: ${message}`);
  }
  const { phase, progress } = restore.status;
  console.log(
    `restore ${restore.metadata.name}: ${phase}, ${progress?.itemsRestored ?? 0} objects`,
  );
  process.exitCode = phase === 'Completed' ? 0 : 3;
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  if (isLifeboatError(error) && error.retryable) {
    console.error('this may pass: try again');
  }
  process.exitCode = 1;
}
