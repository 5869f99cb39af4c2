// A child process of bench.ts: restores once, or does what no restore can do without, and prints the figures as JSON.
import { join } from 'node:path';
import { KubeConfig } from '@kubernetes/client-node';
import { createEngine, FileSystemObjectStore } from '@lifeboat/core';
import { connectKubeConfig } from '@lifeboat/core/kubernetes';
import { apiServerOf } from './api-server.ts';
import type { BareSelection } from './object-floor.ts';
import { reportFigures } from './report-figures.ts';
import { compareBarely, createBarely, readBarePosts } from './restore-floor.ts';

/** What a child process is told. */
export interface RestoreTask {
  /** Backs up what is then restored; creates with bare requests; lists and unpacks alone; restores. */
  readonly contender: 'backup' | 'create' | 'compare' | 'restore';
  readonly kubeconfigPath: string;
  readonly selection: BareSelection;
  /** Of the store. */
  readonly folder: string;
  readonly backupName: string;
  /** Where the objects of each namespace go. */
  readonly mapping: Readonly<Record<string, string>>;
  /** Of the bare requests. */
  readonly concurrency: number;
  /** How many objects the bare requests create at most. */
  readonly most?: number | undefined;
}

const task = JSON.parse(process.argv[2] ?? '') as RestoreTask;
const { selection, folder, backupName, mapping } = task;
const archivePath = join(folder, 'backups', backupName, `${backupName}.tar.gz`);
const kubeConfig = new KubeConfig();
kubeConfig.loadFromFile(task.kubeconfigPath);
const run = await prepare();
await reportFigures(run);

/** The work, ready to start. */
async function prepare(): Promise<() => Promise<number>> {
  switch (task.contender) {
    case 'backup':
      return backUp;
    case 'restore':
      return restore;
    case 'compare':
      return () =>
        compareBarely(apiServerOf(kubeConfig), archivePath, selection, Object.values(mapping));
    case 'create': {
      const posts = await readBarePosts(archivePath, selection, mapping, task.most);
      return () => createBarely(apiServerOf(kubeConfig), posts, task.concurrency);
    }
  }
}

async function backUp(): Promise<number> {
  const { namespaces, resources } = selection;
  const spec = { includedNamespaces: namespaces, includedNamespaceScopedResources: resources };
  const { backup } = await engine().backup({ name: backupName, spec });
  return backup.status.progress?.itemsBackedUp ?? 0;
}

async function restore(): Promise<number> {
  const { items, issues } = await engine().restore({
    spec: { backupName, namespaceMapping: mapping },
  });
  // A controller makes kube-root-ca.crt in every namespace: it is there, with the certificate of this cluster.
  const failed = items.filter(({ action }) => action === 'failed');
  const errors = issues.filter(({ severity }) => severity === 'error');
  if (failed.length + errors.length > 0) throw new Error(JSON.stringify([failed[0], errors[0]]));
  return items.length;
}

function engine(): ReturnType<typeof createEngine> {
  const store = new FileSystemObjectStore({ directory: folder });
  return createEngine({ ...connectKubeConfig(kubeConfig), store });
}
