/**
 * Prints what a backup of a namespace of your current kubeconfig context would hold, and what would become of its volumes. Changes
 * nothing, neither in the cluster nor in the folder.
 *
 *     node plan-backup.ts NAMESPACE FOLDER [BACKUP] [--json]
 *
 * Needs Node 24 and: npm install @lifeboat/core @kubernetes/client-node
 * Exit code: 0 it would be Completed, 1 it would not be made, 2 wrong arguments, 3 it would be PartiallyFailed.
 */
import { KubeConfig } from '@kubernetes/client-node';
import {
  type BackupPlan,
  createEngine,
  FileSystemObjectStore,
  type PlannedItem,
  type PlannedVolume,
} from '@lifeboat/core';
import { connectKubeConfig } from '@lifeboat/core/kubernetes';

function whyOf({ reason }: PlannedItem): string {
  switch (reason.type) {
    case 'selected':
      return `selected: ${[reason.namespaces, reason.resources, reason.labels].filter(Boolean).join(', ')}`;
    case 'pulledAlong':
      return `needed by ${reason.parent.groupResource} ${reason.parent.name} (${reason.action})`;
    case 'namespaceOfItems':
      return 'holds what is selected';
    case 'snapshotClass':
      return 'class of a snapshot';
  }
}

function howOf(volume: PlannedVolume): string {
  switch (volume.action) {
    case 'snapshot':
      return `${volume.driver}, class ${volume.volumeSnapshotClass}`;
    case 'groupSnapshot':
      return `${volume.driver}, group ${volume.group}, class ${volume.volumeGroupSnapshotClass}`;
    case 'skip':
    case 'fail':
      return volume.message;
  }
}

function print(plan: BackupPlan): void {
  console.table(
    plan.items.map((item) => ({
      resource: item.groupResource,
      namespace: item.namespace ?? '',
      name: item.name,
      why: whyOf(item),
    })),
  );
  console.table(
    plan.volumes.map((volume) => ({
      claim: `${volume.namespace}/${volume.claimName}`,
      action: volume.action,
      how: howOf(volume),
    })),
  );
  for (const { severity, reason, message } of plan.issues) {
    console.log(`${severity} ${reason}: ${message}`);
  }
  for (const { code, message } of plan.refusals) {
    console.log(`refused ${code}: ${message}`);
  }
  console.log(`backup ${plan.backupName} would be ${plan.phase}: ${plan.items.length} objects`);
}

const asJson = process.argv.includes('--json');
const [namespace, folder, name = `${namespace}-${Date.now()}`] = process.argv
  .slice(2)
  .filter((argument) => argument !== '--json');
if (namespace === undefined || folder === undefined) {
  console.error('usage: node plan-backup.ts NAMESPACE FOLDER [BACKUP] [--json]');
  process.exit(2);
}

// Ctrl-C ends the planning.
const interrupt = new AbortController();
process.once('SIGINT', () => interrupt.abort(new Error('interrupted')));

try {
  const kubeConfig = new KubeConfig();
  kubeConfig.loadFromDefault();
  await using connection = connectKubeConfig(kubeConfig);
  await using store = new FileSystemObjectStore({ directory: folder });
  const engine = createEngine({ ...connection, store });

  const plan = await engine.planBackup(
    { name, spec: { includedNamespaces: [namespace], ttl: '720h0m0s' } },
    { signal: interrupt.signal },
  );
  if (asJson) {
    console.log(JSON.stringify(plan, undefined, 2));
  } else {
    print(plan);
  }
  const isRefused = plan.refusals.length > 0 || plan.phase === 'Failed';
  process.exitCode = isRefused ? 1 : plan.phase === 'Completed' ? 0 : 3;
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
