/**
 * Shows what killed runs have left in a folder of backups and in the cluster of your current kubeconfig context, and removes it
 * when it is told to.
 *
 *     node remove-leftovers.ts FOLDER [MINUTES] [--remove]
 *
 * What changed within the last MINUTES (a day unless you say otherwise) may be of a run under way and is left out.
 *
 * Needs Node 24 and: npm install @lifeboat/core @kubernetes/client-node
 * Exit code: 0 nothing is left, 1 it could not look, 2 wrong arguments, 3 something is left.
 */
import { KubeConfig } from '@kubernetes/client-node';
import { createEngine, FileSystemObjectStore } from '@lifeboat/core';
import { connectKubeConfig } from '@lifeboat/core/kubernetes';

const args = process.argv.slice(2);
const [folder, minutes = '1440'] = args.filter((arg) => arg !== '--remove');
if (folder === undefined) {
  console.error('usage: node remove-leftovers.ts FOLDER [MINUTES] [--remove]');
  process.exit(2);
}

try {
  const kubeConfig = new KubeConfig();
  kubeConfig.loadFromDefault();
  await using connection = connectKubeConfig(kubeConfig);
  await using store = new FileSystemObjectStore({ directory: folder });
  const engine = createEngine({ ...connection, store });

  const found = await engine.findLeftovers({ minimumAgeMs: Number(minutes) * 60_000 });
  for (const { cause, action, message } of found) {
    console.log(`${cause} (${action}): ${message}`);
  }
  let left = found.length;
  if (args.includes('--remove')) {
    for (const { leftover, outcome, message } of await engine.removeLeftovers(found)) {
      console.log(`${leftover.cause} of ${leftover.backupName}: ${outcome} ${message ?? ''}`);
      left -= outcome === 'Removed' ? 1 : 0;
    }
  }
  console.log(left === 0 ? 'nothing is left' : `${left} left`);
  process.exitCode = left === 0 ? 0 : 3;
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
