// A child process of bench.ts: backs up objects once, and prints the figures as JSON.
import { createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { KubeConfig } from '@kubernetes/client-node';
import { createEngine, FileSystemObjectStore, type ObjectStore } from '@lifeboat/core';
import { connectKubeConfig } from '@lifeboat/core/kubernetes';
import { S3ObjectStore } from '@lifeboat/storage-s3';
import type { S3Server } from '../test/object-stores/servers.ts';
import { apiServerOf } from './api-server.ts';
import { type BareSelection, backUpBarely, type Sink } from './object-floor.ts';
import { reportFigures } from './report-figures.ts';
import { s3ClientOf, sendInParts } from './s3-client.ts';

/** Where the archive goes. */
export type Target =
  | { readonly kind: 'file'; readonly folder: string }
  | { readonly kind: 's3'; readonly server: S3Server; readonly bucket: string };

/** What a child process is told. */
export interface ObjectsTask {
  readonly contender: 'floor' | 'backup' | 'plan';
  readonly kubeconfigPath: string;
  readonly selection: BareSelection;
  readonly target: Target;
  /** Of the backup, unique in the target. */
  readonly name: string;
}

const { contender, kubeconfigPath, selection, target, name } = JSON.parse(
  process.argv[2] ?? '',
) as ObjectsTask;
const kubeConfig = new KubeConfig();
kubeConfig.loadFromFile(kubeconfigPath);
const run = contender === 'floor' ? floorRun() : engineRun();
await reportFigures(run);

/** The floor's work, ready to start. */
function floorRun(): () => Promise<number> {
  const sink = bareSink();
  return () => backUpBarely(apiServerOf(kubeConfig), selection, sink);
}

/** The engine's work, ready to start. */
function engineRun(): () => Promise<number> {
  const connection = connectKubeConfig(kubeConfig);
  const engine = createEngine({ ...connection, store: objectStore() });
  const { namespaces, resources } = selection;
  const spec = { includedNamespaces: namespaces, includedNamespaceScopedResources: resources };
  return async () => {
    if (contender === 'plan') return (await engine.planBackup({ name, spec })).items.length;
    let stored = 0;
    const { issues } = await engine.backup(
      { name, spec },
      { onEvent: (event) => void (event.type === 'progress' && (stored = event.done)) },
    );
    // The test cluster forgets the snapshot of a list within seconds: on a busy machine a page comes too late for it.
    const problems = issues.filter(({ reason }) => reason !== 'ListNotAtomic');
    if (problems.length > 0) throw new Error(JSON.stringify(problems));
    return stored;
  };
}

function objectStore(): ObjectStore {
  return target.kind === 'file'
    ? new FileSystemObjectStore({ directory: target.folder })
    : new S3ObjectStore({ bucket: target.bucket, client: s3ClientOf(target.server) });
}

function bareSink(): Sink {
  if (target.kind === 'file') {
    const path = join(target.folder, `${name}.tar.gz`);
    return (body) => pipeline(body, createWriteStream(path));
  }
  const client = s3ClientOf(target.server);
  return (body) => sendInParts(client, target.bucket, `${name}.tar.gz`, body);
}
