import type { JsonObject } from '../model/json.ts';
import type { KubernetesObject } from '../model/kubernetes.ts';
import { archivedObject, type StoredBackup } from './stored-backup-fixture.ts';

/** Versions of Velero between which the traces of a CSI snapshot in a backup differ. */
export type VeleroEra = '1.6' | '1.9' | '1.13' | '1.16' | '1.18';

export const veleroEras: readonly VeleroEra[] = ['1.6', '1.9', '1.13', '1.16', '1.18'];

/** What the backup of {@link eraBackup} is of: a claim `data` of 10Mi whose snapshot takes 30Mi. */
export interface EraBackupOptions {
  readonly name: string;
  readonly namespace: string;
  readonly driver: string;
  readonly snapshotHandle: string;
  readonly storageClassName: string;
  /** What the archive lacks, so that only the files beside it tell. @default nothing */
  readonly archiveLacks?: readonly ('volumesnapshots' | 'volumesnapshotcontents')[];
}

const uid = '09eeeda1-9a18-43dd-9859-961c1fc291f7';
const snapshotName = 'velero-data-bdbw8';
const contentName = `snapcontent-${uid}`;
const restoreSizeBytes = 31_457_280;
const v1 = 'snapshot.storage.k8s.io/v1';

/** A backup as a version of Velero left it. */
export function eraBackup(era: VeleroEra, options: EraBackupOptions): StoredBackup {
  const volumeSnapshot = snapshotOf(era, options);
  const content = contentOf(era, options);
  const objects: StoredBackup['objects'] = [
    ['persistentvolumes', volumeOf(options)],
    ['persistentvolumeclaims', claimOf(options)],
    ['volumesnapshots', volumeSnapshot],
    ['volumesnapshotcontents', content],
  ];
  const lacks: readonly string[] = options.archiveLacks ?? [];
  const listsFiles = era !== '1.18';
  return {
    name: options.name,
    objects: objects.filter(([resource]) => !lacks.includes(resource)),
    volumeInfo: era === '1.6' || era === '1.9' ? 'none' : [volumeInfoOf(options)],
    ...(listsFiles && {
      csiVolumeSnapshots: [listed(volumeSnapshot)],
      csiVolumeSnapshotContents: [listed(content)],
    }),
  };
}

function volumeOf({ namespace }: EraBackupOptions): KubernetesObject {
  const spec = {
    persistentVolumeReclaimPolicy: 'Delete',
    claimRef: { namespace, name: 'data', uid: 'old' },
  };
  return archivedObject(
    'v1',
    'PersistentVolume',
    { name: 'pv-data', namespace: undefined },
    { spec },
  );
}

function claimOf({ name, namespace, storageClassName }: EraBackupOptions): KubernetesObject {
  const marks = { 'velero.io/volume-snapshot-name': snapshotName, 'velero.io/backup-name': name };
  return archivedObject(
    'v1',
    'PersistentVolumeClaim',
    {
      name: 'data',
      namespace,
      labels: marks,
      annotations: { ...marks, 'pv.kubernetes.io/bind-completed': 'yes' },
    },
    {
      spec: {
        accessModes: ['ReadWriteOnce'],
        resources: { requests: { storage: '10Mi' } },
        storageClassName,
        volumeName: 'pv-data',
      },
      status: { phase: 'Bound' },
    },
  );
}

function snapshotOf(era: VeleroEra, options: EraBackupOptions): KubernetesObject {
  const { name, namespace, driver, snapshotHandle } = options;
  const isMisspelt = era === '1.6' || era === '1.9' || era === '1.13';
  return archivedObject(
    apiVersionOf(era),
    'VolumeSnapshot',
    {
      name: snapshotName,
      namespace,
      uid,
      labels: { 'velero.io/backup-name': name },
      annotations: {
        'velero.io/csi-driver-name': driver,
        'velero.io/csi-volumesnapshot-handle': snapshotHandle,
        'velero.io/csi-vsc-deletion-policy': 'Delete',
        [`velero.io/${isMisspelt ? 'vsi' : 'csi'}-volumesnapshot-restore-size`]: '30Mi',
      },
    },
    {
      spec: { source: { persistentVolumeClaimName: 'data' }, volumeSnapshotClassName: 'gone' },
      // Stored before it was bound.
      ...(era !== '1.6' && {
        status: {
          boundVolumeSnapshotContentName: contentName,
          readyToUse: true,
          restoreSize: '30Mi',
        },
      }),
    },
  );
}

function contentOf(era: VeleroEra, options: EraBackupOptions): KubernetesObject {
  const { name, namespace, driver, snapshotHandle } = options;
  // Once the snapshot was ready, 1.9 to 1.15 put a content in the place of the first that is bound to nothing.
  const isRecreated = era === '1.9';
  return archivedObject(
    apiVersionOf(era),
    'VolumeSnapshotContent',
    { name: contentName, namespace: undefined, labels: { 'velero.io/backup-name': name } },
    {
      spec: {
        driver,
        deletionPolicy: isRecreated ? 'Retain' : 'Delete',
        source: isRecreated ? { snapshotHandle } : { volumeHandle: 'volume' },
        volumeSnapshotClassName: 'gone',
        volumeSnapshotRef: isRecreated
          ? { namespace: `ns-${uid}`, name: `name-${uid}` }
          : { namespace, name: snapshotName, uid },
      },
      ...(!isRecreated && {
        status: { snapshotHandle, readyToUse: true, restoreSize: restoreSizeBytes },
      }),
    },
  );
}

function volumeInfoOf({ namespace, driver, snapshotHandle }: EraBackupOptions): JsonObject {
  return {
    pvcName: 'data',
    pvcNamespace: namespace,
    pvName: 'pv-data',
    backupMethod: 'CSISnapshot',
    snapshotDataMoved: false,
    preserveLocalSnapshot: true,
    skipped: false,
    csiSnapshotInfo: {
      snapshotHandle,
      size: restoreSizeBytes,
      driver,
      vscName: contentName,
      ReadyToUse: true,
    },
    pvInfo: { reclaimPolicy: 'Delete', labels: null },
  };
}

function apiVersionOf(era: VeleroEra): string {
  return era === '1.6' ? 'snapshot.storage.k8s.io/v1beta1' : v1;
}

/** As an entry of a typed list is printed. */
function listed({ apiVersion: _apiVersion, kind: _kind, ...object }: KubernetesObject): JsonObject {
  return object;
}
