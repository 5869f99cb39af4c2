/**
 * Snapshots the CSI volumes of a namespace and keeps their VolumeSnapshots, without a backup around them.
 *
 *     node snapshot-claims.ts NAMESPACE
 *
 * Needs Node 24 and: npm install @lifeboat/core @kubernetes/client-node
 * Exit code: 0 all done, 1 something failed, 2 wrong arguments.
 */
import { randomUUID } from 'node:crypto';
import { KubeConfig } from '@kubernetes/client-node';
import {
  type Cluster,
  chooseVolumeSnapshotClass,
  type KubernetesObject,
  Resources,
  type TakeSnapshotRequest,
  VolumeSnapshotter,
} from '@lifeboat/core';
import { connectKubeConfig } from '@lifeboat/core/kubernetes';

/** The parts of a claim, a volume and a class that are read here. */
interface Claim extends KubernetesObject {
  readonly spec: { readonly volumeName?: string };
}
interface Volume extends KubernetesObject {
  readonly spec: { readonly csi?: { readonly driver: string } };
}

async function requestFor(
  cluster: Cluster,
  claim: Claim,
  classes: readonly KubernetesObject[],
): Promise<TakeSnapshotRequest | undefined> {
  const name = claim.spec.volumeName;
  const volume =
    name === undefined
      ? undefined
      : ((await cluster.get({ ...Resources.persistentVolumes, name })) as Volume | undefined);
  const driver = volume?.spec.csi?.driver;
  if (volume === undefined || driver === undefined) {
    console.error(`${claim.metadata.name} has no CSI volume`);
    return undefined;
  }
  const choice = chooseVolumeSnapshotClass({
    classes,
    driver,
    claimAnnotations: claim.metadata.annotations ?? {},
    backupAnnotations: {},
  });
  if ('refusal' in choice) {
    throw new Error(choice.refusal);
  }
  return {
    claim,
    volume,
    snapshotClass: choice.snapshotClass,
    onDelay: ({ finding, advice }) => {
      console.error(`${claim.metadata.name} takes long: ${finding}. ${advice}`);
    },
  };
}

const [namespace] = process.argv.slice(2);
if (namespace === undefined) {
  console.error('usage: node snapshot-claims.ts NAMESPACE');
  process.exit(2);
}

// Ctrl-C removes what has not become ready.
const interrupt = new AbortController();
process.once('SIGINT', () => interrupt.abort(new Error('interrupted')));
const { signal } = interrupt;

try {
  const kubeConfig = new KubeConfig();
  kubeConfig.loadFromDefault();
  await using connection = connectKubeConfig(kubeConfig);
  const { cluster } = connection;
  const classes = await Array.fromAsync(cluster.list(Resources.volumeSnapshotClasses));
  const requests: TakeSnapshotRequest[] = [];
  for await (const claim of cluster.list(Resources.persistentVolumeClaims, { namespace })) {
    const request = await requestFor(cluster, claim as Claim, classes);
    if (request !== undefined) {
      requests.push(request);
    }
  }

  const snapshotter = new VolumeSnapshotter({ cluster });
  const run = { backupName: `snapshot-${Date.now()}`, runId: randomUUID(), signal };
  await using session = await snapshotter.openSession(run);
  // All are requested at once. Whatever had stopped the application may let it go on when they are cut.
  const requested = await Promise.allSettled(
    requests.map((request) => session.request(request, { signal })),
  );
  const cut = requested.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
  console.log(`${cut.length} of ${requests.length} snapshots are cut`);
  const kept = await Promise.allSettled(
    cut.map(async (snapshotCut) => {
      const snapshot = await snapshotCut.ready({ signal });
      await session.keep(snapshot, { signal });
      console.log(`${snapshot.claimName}: ${snapshot.volumeSnapshot.metadata.name}`);
    }),
  );
  for (const result of [...requested, ...kept]) {
    if (result.status === 'rejected') {
      console.error(result.reason instanceof Error ? result.reason.message : result.reason);
      process.exitCode = 1;
    }
  }
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
