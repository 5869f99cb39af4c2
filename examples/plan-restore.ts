/**
 * Prints what a restore of a backup into the cluster of your current kubeconfig context would do, and stores it as a plan. With
 * --apply it carries out a plan that was stored, unless the cluster has changed since.
 *
 *     node plan-restore.ts BACKUP FOLDER PLAN-FILE [TARGET-NAMESPACE=SOURCE-NAMESPACE]
 *     node plan-restore.ts --apply FOLDER PLAN-FILE
 *
 * Needs Node 24 and: npm install @lifeboat/core @kubernetes/client-node
 * Exit code: 0 it is or would be Completed, 1 it failed, 2 wrong arguments, 3 it is or would be PartiallyFailed.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { KubeConfig } from '@kubernetes/client-node';
import { createEngine, type Engine, FileSystemObjectStore, type RestorePlan } from '@lifeboat/core';
import { connectKubeConfig } from '@lifeboat/core/kubernetes';

function print(plan: RestorePlan): void {
  console.table(
    plan.items.map(({ action, target, code, reason }) => ({
      action,
      resource: target.groupResource,
      namespace: target.namespace ?? '',
      name: target.name,
      why: [code, reason].filter(Boolean).join(': '),
    })),
  );
  console.table(
    plan.volumes.map(({ namespace, claimName, from, driver, message }) => ({
      claim: `${namespace}/${claimName}`,
      from,
      driver: driver ?? '',
      message: message ?? '',
    })),
  );
  for (const { what, name, count } of plan.missing) {
    console.log(`missing: ${what} ${name}, needed by ${count}`);
  }
  console.log(`restore ${plan.restore.metadata.name} would be ${plan.phase}`);
}

async function apply(engine: Engine, file: string, signal: AbortSignal): Promise<string> {
  const plan = JSON.parse(await readFile(file, 'utf8')) as RestorePlan;
  const { restore, issues } = await engine.restore(plan, { signal });
  for (const { severity, reason, message } of issues) {
    console.log(`${severity} ${reason}: ${message}`);
  }
  console.log(`restore ${restore.metadata.name}: ${restore.status.phase}`);
  return restore.status.phase;
}

const [backupName, folder, file, mapping = ''] = process.argv.slice(2);
if (backupName === undefined || folder === undefined || file === undefined) {
  console.error(
    'usage: node plan-restore.ts BACKUP FOLDER PLAN-FILE [TARGET-NAMESPACE=SOURCE-NAMESPACE], or --apply FOLDER PLAN-FILE',
  );
  process.exit(2);
}

// Ctrl-C ends it; what a restore has created stays, labelled with its name.
const interrupt = new AbortController();
process.once('SIGINT', () => interrupt.abort(new Error('interrupted')));

try {
  const kubeConfig = new KubeConfig();
  kubeConfig.loadFromDefault();
  await using connection = connectKubeConfig(kubeConfig);
  await using store = new FileSystemObjectStore({ directory: folder });
  const engine = createEngine({ ...connection, store });
  const { signal } = interrupt;

  let phase: string;
  if (backupName === '--apply') {
    phase = await apply(engine, file, signal);
  } else {
    const [target = '', source = ''] = mapping.split('=');
    const namespaceMapping = source === '' ? {} : { namespaceMapping: { [source]: target } };
    const plan = await engine.planRestore(
      { spec: { backupName, ...namespaceMapping } },
      { signal },
    );
    await writeFile(file, JSON.stringify(plan, undefined, 2));
    print(plan);
    phase = plan.phase;
  }
  process.exitCode = phase === 'Completed' ? 0 : 3;
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
