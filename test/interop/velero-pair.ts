import { randomBytes } from 'node:crypto';
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import type { BackupStorageLocationSpec, ObjectStore } from '@lifeboat/core';
import { s3ObjectStoreFromLocation } from '@lifeboat/storage-s3';
import { inject } from 'vitest';
import { type ClusterNumber, clusterUnavailable } from '../cluster/test-cluster.ts';
import { startS3Server } from '../object-stores/servers.ts';
import { VeleroServer } from './velero-server.ts';

/** Returns why no Velero can stand beside us here, or undefined if one can: for `describe.skipIf`. Under CI one can. */
export function veleroUnavailable(): string | undefined {
  const velero = inject('velero');
  return velero.available ? clusterUnavailable({ node: true }) : velero.reason;
}

/** A Velero in each of the two clusters, over one bucket on an S3 server of their own. */
export class VeleroPair {
  /** Where the backups of both are, as Velero's custom resource says it. */
  readonly location: BackupStorageLocationSpec;
  readonly #credentials: string;
  readonly #servers: Record<ClusterNumber, VeleroServer>;
  readonly #resources: AsyncDisposableStack;
  #keepLogs = false;

  private constructor(
    { location, credentials }: Bucket,
    servers: Record<ClusterNumber, VeleroServer>,
    resources: AsyncDisposableStack,
  ) {
    this.location = location;
    this.#credentials = credentials;
    this.#servers = servers;
    this.#resources = resources;
  }

  /** Starts both; `name` tells the pair from those of other tests. */
  static async start(name: string): Promise<VeleroPair> {
    await using resources = new AsyncDisposableStack();
    const bucket = await createBucket(resources);
    const velero = inject('velero');
    const clusters = inject('testCluster');
    if (!velero.available || !clusters.available) throw new Error(veleroUnavailable());
    // A second try of a test comes from the same process.
    const namespace = `velero-${name}-${randomBytes(4).toString('hex')}`;
    const [first, second] = await Promise.all(
      clusters.clusters.map((cluster) =>
        VeleroServer.start({
          ...{ binaries: velero.binaries, cluster, namespace },
          ...bucket,
        }),
      ),
    );
    if (first === undefined || second === undefined) throw new Error('there are two clusters');
    return new VeleroPair(bucket, { 1: first, 2: second }, resources.move());
  }

  server(cluster: ClusterNumber = 1): VeleroServer {
    return this.#servers[cluster];
  }

  /** Opens the bucket as we do it; the caller closes it. */
  openStore(): ObjectStore {
    return s3ObjectStoreFromLocation(this.location, { credentials: this.#credentials });
  }

  /** Sees that the logs stay behind: for a test that has failed. */
  keepLogs(): void {
    this.#keepLogs = true;
  }

  async stop(): Promise<void> {
    const options = { keepLog: this.#keepLogs };
    await Promise.all([this.#servers[1].stop(options), this.#servers[2].stop(options)]);
    await this.#resources.disposeAsync();
  }
}

interface Bucket {
  readonly location: BackupStorageLocationSpec;
  readonly credentials: string;
}

async function createBucket(resources: AsyncDisposableStack): Promise<Bucket> {
  const { server } = resources.use(await startS3Server((line) => console.log(`velero: ${line}`)));
  const { endpoint, region, accessKeyId, secretAccessKey } = server;
  const client = new S3Client({
    ...{ endpoint, region, forcePathStyle: true },
    credentials: { accessKeyId, secretAccessKey },
  });
  await client.send(new CreateBucketCommand({ Bucket: 'backups' }));
  client.destroy();
  return {
    location: {
      provider: 'aws',
      objectStorage: { bucket: 'backups' },
      config: { region, s3ForcePathStyle: 'true', s3Url: endpoint },
    },
    credentials: `[default]\naws_access_key_id=${accessKeyId}\naws_secret_access_key=${secretAccessKey}\n`,
  };
}
