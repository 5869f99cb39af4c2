import type { JsonObject } from '../model/json.ts';
import type { KubernetesObject } from '../model/kubernetes.ts';
import { Resources } from '../model/resources.ts';
import type { FakeCluster } from '../testing/fake-cluster/fake-cluster.ts';
import { archivedObject, type StoredBackup } from './stored-backup-fixture.ts';

/** An object of a backup. */
export type Entry = StoredBackup['objects'][number];

export interface SnapshottedClaim {
  readonly name?: string;
  readonly storageClassName?: string;
  readonly driver?: string;
  readonly handle?: string;
  readonly claim?: JsonObject;
}

/** What a backup holds of a claim whose volume holds a file and was snapshotted. */
export function snapshottedClaim(
  cluster: FakeCluster,
  options: SnapshottedClaim = {},
): readonly Entry[] {
  const { name = 'data', storageClassName = 'fake-csi', driver = cluster.csi.name } = options;
  const { handle: snapshotHandle = takeSnapshot(cluster, name) } = options;
  const snapshotName = `velero-${name}-abcde`;
  return [
    [
      'persistentvolumes',
      archivedObject(
        'v1',
        'PersistentVolume',
        { name: `pv-${name}`, namespace: undefined },
        {
          spec: {
            persistentVolumeReclaimPolicy: 'Delete',
            claimRef: { namespace: 'shop', name, uid: 'old' },
          },
        },
      ),
    ],
    [
      'persistentvolumeclaims',
      archivedObject(
        'v1',
        'PersistentVolumeClaim',
        {
          name,
          labels: { 'velero.io/volume-snapshot-name': snapshotName },
          annotations: {
            'velero.io/volume-snapshot-name': snapshotName,
            'pv.kubernetes.io/bind-completed': 'yes',
          },
        },
        {
          spec: {
            accessModes: ['ReadWriteOnce'],
            resources: { requests: { storage: '10Mi' } },
            storageClassName,
            volumeName: `pv-${name}`,
            ...options.claim,
          },
          status: { phase: 'Bound' },
        },
      ),
    ],
    ...snapshotObjectsOf(name, { driver, snapshotHandle }),
  ];
}

function snapshotObjectsOf(
  name: string,
  { driver, snapshotHandle }: { readonly driver: string; readonly snapshotHandle: string },
): readonly Entry[] {
  const snapshotName = `velero-${name}-abcde`;
  return [
    [
      'volumesnapshots',
      archivedObject(
        'snapshot.storage.k8s.io/v1',
        'VolumeSnapshot',
        {
          name: snapshotName,
          annotations: { 'velero.io/csi-volumesnapshot-restore-size': '30Mi' },
        },
        {
          spec: { source: { persistentVolumeClaimName: name } },
          status: { boundVolumeSnapshotContentName: `content-${name}`, readyToUse: true },
        },
      ),
    ],
    [
      'volumesnapshotcontents',
      archivedObject(
        'snapshot.storage.k8s.io/v1',
        'VolumeSnapshotContent',
        { name: `content-${name}`, namespace: undefined },
        {
          spec: { driver, deletionPolicy: 'Delete', sourceVolumeMode: 'Filesystem' },
          status: { snapshotHandle, readyToUse: true, restoreSize: 31_457_280 },
        },
      ),
    ],
  ];
}

function takeSnapshot(cluster: FakeCluster, name: string): string {
  const createdAt = new Date(0);
  return cluster.csi.storage.addSnapshot({
    name,
    sourceVolumeHandle: 'gone',
    sizeBytes: 31_457_280n,
    createdAt,
    readyAt: createdAt,
    files: new Map([['f', Buffer.from(`precious ${name}`)]]),
  }).handle;
}

export function getClaim(
  cluster: FakeCluster,
  namespace: string,
  name = 'data',
): Promise<KubernetesObject | undefined> {
  return cluster.get({ ...Resources.persistentVolumeClaims, namespace, name });
}

export async function snapshotObjects(cluster: FakeCluster): Promise<readonly KubernetesObject[]> {
  return [
    ...(await Array.fromAsync(cluster.list(Resources.volumeSnapshots))),
    ...(await Array.fromAsync(cluster.list(Resources.volumeSnapshotContents))),
  ];
}
