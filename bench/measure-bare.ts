// A child process of bench.ts: does what no backup or restore can do without, and prints what the process took as JSON.
import { createWriteStream } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { GetObjectCommand } from '@aws-sdk/client-s3';
import { KubeConfig } from '@kubernetes/client-node';
import { Resources } from '@lifeboat/core';
import { connectKubeConfig } from '@lifeboat/core/kubernetes';
import type { S3Server } from '../test/object-stores/servers.ts';
import { apiServerOf } from './api-server.ts';
import { takeBareSnapshots } from './bare-snapshots.ts';
import { type BareSelection, backUpBarely } from './object-floor.ts';
import { reportProcess } from './report-process.ts';
import { createBarely, readBarePosts } from './restore-floor.ts';
import { s3ClientOf, sendInParts } from './s3-client.ts';

/** What a child process is told. */
export interface BareTask {
  readonly kubeconfigPath: string;
  readonly server: S3Server;
  readonly bucket: string;
  readonly work: BareWork;
}

/** Which bare requests to send. */
export type BareWork =
  /** Writes an archive under the key. */
  | { readonly type: 'backup'; readonly selection: BareSelection; readonly key: string }
  | {
      readonly type: 'restore';
      readonly selection: BareSelection;
      /** Of the archive. */
      readonly key: string;
      readonly mapping: Readonly<Record<string, string>>;
    }
  | {
      readonly type: 'snapshots';
      readonly namespace: string;
      /** Where the driver keeps the snapshots, which are removed in the end. */
      readonly storagePath: string;
    };

/** What `pnpm bench restore` has found to be the best here. */
const postsAtATime = 32;

const task = JSON.parse(process.argv[2] ?? '') as BareTask;
const kubeConfig = new KubeConfig();
kubeConfig.loadFromFile(task.kubeconfigPath);
const s3 = s3ClientOf(task.server);
await run(task.work);
reportProcess();

async function run(work: BareWork): Promise<void> {
  switch (work.type) {
    case 'backup':
      await backUpBarely(apiServerOf(kubeConfig), work.selection, (body) =>
        sendInParts(s3, task.bucket, work.key, body),
      );
      return;
    case 'restore':
      await createBarely(apiServerOf(kubeConfig), await postsOf(work), postsAtATime);
      return;
    case 'snapshots':
      await takeSnapshots(work);
  }
}

async function postsOf({
  selection,
  key,
  mapping,
}: BareWork & { readonly type: 'restore' }): ReturnType<typeof readBarePosts> {
  const folder = await mkdtemp(join(tmpdir(), 'lifeboat-bench-'));
  try {
    const archivePath = join(folder, 'archive.tar.gz');
    const { Body } = await s3.send(new GetObjectCommand({ Bucket: task.bucket, Key: key }));
    await pipeline(Body as Readable, createWriteStream(archivePath));
    return await readBarePosts(archivePath, selection, mapping);
  } finally {
    await rm(folder, { recursive: true });
  }
}

async function takeSnapshots({
  namespace,
  storagePath,
}: BareWork & { readonly type: 'snapshots' }): Promise<void> {
  const { cluster } = connectKubeConfig(kubeConfig);
  const claims = await Array.fromAsync(
    cluster.list(Resources.persistentVolumeClaims, { namespace }),
  );
  const names = claims.map(({ metadata }) => metadata.name);
  const handles = await takeBareSnapshots(cluster, namespace, names, 'dirvol');
  for (const handle of handles) {
    await rm(join(storagePath, handle), { recursive: true });
  }
}
