import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../model/json.ts';
import type { KubernetesObject } from '../model/kubernetes.ts';
import { type ClaimEvidence, decideClaimSource } from './claim-source.ts';
import { type VolumeRecord, volumeRecordOf } from './volume-record.ts';

function claim(
  annotations: Record<string, string>,
  spec: JsonObject = { volumeName: 'pv' },
): KubernetesObject {
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: { name: 'data', namespace: 'shop', annotations },
    spec,
  };
}

function snapshot(annotations: Record<string, string>, status: JsonObject = {}): KubernetesObject {
  return {
    apiVersion: 'snapshot.storage.k8s.io/v1',
    kind: 'VolumeSnapshot',
    metadata: { name: 'vs', namespace: 'shop', annotations },
    status,
  };
}

const content: KubernetesObject = {
  apiVersion: 'snapshot.storage.k8s.io/v1',
  kind: 'VolumeSnapshotContent',
  metadata: { name: 'vsc' },
  spec: { driver: 'csi.example.com' },
  status: { snapshotHandle: 'handle-1', restoreSize: 31_457_280 },
};

function volume(persistentVolumeReclaimPolicy: string): KubernetesObject {
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolume',
    metadata: { name: 'pv' },
    spec: { persistentVolumeReclaimPolicy },
  };
}

function record(entry: JsonObject): VolumeRecord {
  return volumeRecordOf({ pvName: 'pv', ...entry });
}

const csiRecord = {
  backupMethod: 'CSISnapshot',
  csiSnapshotInfo: { driver: 'd', snapshotHandle: 'handle-3', vscName: 'vsc', size: 1024 },
};
const snapshotted = claim({ 'velero.io/volume-snapshot-name': 'vs' });

function decide(evidence: Partial<ClaimEvidence>): ReturnType<typeof decideClaimSource> {
  return decideClaimSource({
    claim: snapshotted,
    restorePVs: undefined,
    volumeSnapshot: undefined,
    volumeSnapshotContent: undefined,
    volume: undefined,
    volumeRecord: undefined,
    movesData: false,
    ...evidence,
  });
}

describe('decideClaimSource', () => {
  it('takes the handle from the content and the size from whatever tells it', () => {
    const cases: readonly [KubernetesObject, string | undefined][] = [
      [snapshot({ 'velero.io/csi-volumesnapshot-restore-size': '1Gi' }), '1Gi'],
      [snapshot({ 'velero.io/vsi-volumesnapshot-restore-size': '2Gi' }), '2Gi'],
      [snapshot({}, { restoreSize: '3Gi' }), '3Gi'],
      [snapshot({}), '30Mi'],
    ];
    for (const [volumeSnapshot, restoreSize] of cases) {
      expect(decide({ volumeSnapshot, volumeSnapshotContent: content })).toMatchObject({
        kind: 'snapshot',
        snapshot: { driver: 'csi.example.com', snapshotHandle: 'handle-1', restoreSize },
      });
    }
  });

  it('takes driver and handle from the annotations of the VolumeSnapshot where there is no content', () => {
    const volumeSnapshot = snapshot({
      'velero.io/csi-volumesnapshot-handle': 'handle-2',
      'velero.io/csi-driver-name': 'old.example.com',
    });
    expect(decide({ volumeSnapshot })).toMatchObject({
      kind: 'snapshot',
      snapshot: { driver: 'old.example.com', snapshotHandle: 'handle-2', restoreSize: undefined },
    });
  });

  it('takes the handle of a content that was re-created for it from its spec', () => {
    const recreated = {
      ...content,
      spec: { driver: 'csi.example.com', source: { snapshotHandle: 'handle-4' } },
      status: {},
    };
    expect(
      decide({ volumeSnapshot: snapshot({}), volumeSnapshotContent: recreated }),
    ).toMatchObject({ snapshot: { snapshotHandle: 'handle-4' } });
  });

  it.each([
    ['without its VolumeSnapshot', snapshotted, 'vs'],
    ['without the mark of its claim', claim({}), 'vsc'],
  ])('takes a snapshot %s from the volume information', (_case, marked, name) => {
    expect(decide({ claim: marked, volumeRecord: record(csiRecord) })).toMatchObject({
      kind: 'snapshot',
      snapshot: {
        volumeSnapshot: { metadata: { name, namespace: 'shop' } },
        driver: 'd',
        snapshotHandle: 'handle-3',
        restoreSize: '1Ki',
      },
    });
  });

  const outOfReach: readonly [what: string, Partial<ClaimEvidence>, reason: string][] = [
    ['a snapshot that the backup lacks', {}, 'does not hold VolumeSnapshot vs'],
    ['a snapshot without handle', { volumeSnapshot: snapshot({}) }, 'no snapshotHandle'],
    [
      'moved data',
      { claim: claim({ 'velero.io/data-upload-name': 'velero/du' }) },
      'snapshotMoveData',
    ],
    [
      'data that the volume information calls moved',
      { claim: claim({}), volumeRecord: record({ ...csiRecord, snapshotDataMoved: true }) },
      'snapshotMoveData',
    ],
    [
      'a snapshot in a backup that moves data',
      { movesData: true, volumeSnapshot: snapshot({}), volumeSnapshotContent: content },
      'restore it with Velero',
    ],
    [
      'a file system backup',
      {
        claim: claim({}),
        volume: volume('Delete'),
        volumeRecord: record({ backupMethod: 'PodVolumeBackup' }),
      },
      'saved as PodVolumeBackup',
    ],
    [
      'a snapshot of a plugin',
      {
        claim: claim({}),
        volume: volume('Retain'),
        volumeRecord: record({ backupMethod: 'NativeSnapshot' }),
      },
      'saved as NativeSnapshot',
    ],
  ];
  it.each(outOfReach)('does not pass off an empty volume for %s', (_what, evidence, reason) => {
    expect(decide(evidence)).toMatchObject({
      kind: 'out of reach',
      reason: expect.stringContaining(reason) as string,
    });
  });

  it('provisions a new volume when no data is wanted', () => {
    expect(decide({ restorePVs: false })).toEqual({ kind: 'new volume' });
  });

  it('warns of an empty volume when the old one went with its claim and was not snapshotted', () => {
    expect(decide({ claim: claim({}), volume: volume('Delete') })).toMatchObject({
      kind: 'new volume',
      warning: expect.stringContaining('restored empty') as string,
    });
  });

  it('binds a claim again to a volume that outlived it', () => {
    expect(decide({ claim: claim({}), volume: volume('Retain') })).toEqual({
      kind: 'same volume',
      volumeName: 'pv',
    });
  });

  it('leaves a claim as it stands that had no volume, or one that the backup does not know', () => {
    expect(decide({ claim: claim({}, {}) })).toEqual({ kind: 'as it stands' });
    expect(decide({ claim: claim({}) })).toEqual({ kind: 'as it stands' });
  });
});
