import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { expect, it } from 'vitest';
import type { KubernetesObject } from '../model/kubernetes.ts';
import type { ReadySnapshot } from '../snapshot/ready-snapshot.ts';
import { csiVolumeInfo, skippedVolumeInfo, snapshotOperation } from './volume-info.ts';

const vectors = new URL('../../../../test/vectors/seed-csi/', import.meta.url);
const volumeName = 'pvc-5eefdc3a-9906-40d1-a5ac-a61aef9e704c';
const completedAt = new Date('2026-11-24T14:09:08Z');
const claim = object('PersistentVolumeClaim', 'local-pvc', 'default');
const volume = object('PersistentVolume', volumeName, undefined);
const snapshot: ReadySnapshot = {
  claimNamespace: 'default',
  claimName: 'local-pvc',
  volumeName,
  volumeSnapshot: object('VolumeSnapshot', 'velero-local-pvc-pg6qb', 'default'),
  volumeSnapshotContent: object(
    'VolumeSnapshotContent',
    'snapcontent-09eeeda1-9a18-43dd-9859-961c1fc291f7',
    undefined,
  ),
  snapshotClass: object('VolumeSnapshotClass', 'hostpath', undefined),
  classDeletionPolicy: 'Delete',
  driver: 'hostpath.csi.k8s.io',
  snapshotHandle: '9a3e042d-e810-11f1-ab2d-069dd3634bc5',
  restoreSizeBytes: 31_457_280,
  createdAt: '2026-11-24T14:09:03Z',
};

it('describes a snapshotted volume as Velero did in the reference backup', () => {
  expect([csiVolumeInfo(claim, volume, snapshot, completedAt)]).toEqual(
    reference('default-volumeinfo.json.gz'),
  );
});

it('records the operation of a snapshot as Velero did in the reference backup', () => {
  const backup = { name: 'default', uid: '7d5d636c-c1d7-422c-ac4c-ff0f85381ef6' };
  expect([snapshotOperation(backup, snapshot, completedAt)]).toEqual(
    reference('default-itemoperations.json.gz'),
  );
});

it('describes a volume that was left out, with its reason', () => {
  const labelled = { ...volume, metadata: { name: volumeName, labels: { tier: 'db' } } };
  expect(skippedVolumeInfo(claim, labelled, 'no CSI volume')).toMatchObject({
    pvName: volumeName,
    skipped: true,
    skippedReason: 'csiSnapshot: no CSI volume;',
    pvInfo: { reclaimPolicy: 'Delete', labels: { tier: 'db' } },
  });
});

function reference(file: string): unknown {
  return JSON.parse(gunzipSync(readFileSync(new URL(file, vectors))).toString());
}

function object(kind: string, name: string, namespace: string | undefined): KubernetesObject {
  const metadata = namespace === undefined ? { name } : { name, namespace };
  return { apiVersion: 'v1', kind, metadata, spec: { persistentVolumeReclaimPolicy: 'Delete' } };
}
