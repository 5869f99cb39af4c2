import { describe, expect, it } from 'vitest';
import type { KubernetesObject } from '../model/kubernetes.ts';
import type { VolumeAction, VolumePolicy } from '../model/resource-policy.ts';
import { decideVolume } from './volume-decision.ts';

const bound = claim({ volumeName: 'pv-1' }, { phase: 'Bound' });
const csiVolume = volume({ csi: { driver: 'dirvol.csi.example.com' } });

describe('decideVolume', () => {
  it.each([
    { name: 'a Pending claim', claim: claim({}, { phase: 'Pending' }), volume: undefined },
    { name: 'a claim without status', claim: claim({ volumeName: 'pv-1' }, {}), volume: undefined },
    {
      name: 'a Lost claim',
      claim: claim({ volumeName: 'pv-1' }, { phase: 'Lost' }),
      volume: csiVolume,
    },
    {
      name: 'a Bound claim without volume name',
      claim: claim({}, { phase: 'Bound' }),
      volume: undefined,
    },
  ])('stores $name as an object only', ({ claim: pending, volume: its }) => {
    expect(decideVolume({ claim: pending, volume: its, snapshotVolumes: undefined })).toMatchObject(
      { action: 'skip', reason: 'ClaimNotBound' },
    );
  });

  it('names the volume that is missing', () => {
    const decision = decideVolume({ claim: bound, volume: undefined, snapshotVolumes: undefined });
    expect(decision).toMatchObject({ action: 'skip', reason: 'VolumeMissing' });
    expect(decision).toHaveProperty('message', expect.stringContaining('pv-1'));
  });

  it('does not snapshot a volume without a CSI driver', () => {
    const hostPath = volume({ hostPath: { path: '/data' } });
    expect(
      decideVolume({ claim: bound, volume: hostPath, snapshotVolumes: undefined }),
    ).toMatchObject({ action: 'skip', reason: 'NotACsiVolume' });
  });

  it.each([
    { snapshotVolumes: undefined, action: 'snapshot' },
    { snapshotVolumes: true, action: 'snapshot' },
    { snapshotVolumes: false, action: 'skip' },
  ])(
    'with snapshotVolumes $snapshotVolumes a CSI volume is: $action',
    ({ snapshotVolumes, action }) => {
      expect(decideVolume({ claim: bound, volume: csiVolume, snapshotVolumes })).toMatchObject({
        action,
      });
    },
  );

  it.each<[VolumeAction['type'], boolean | undefined, object]>([
    ['snapshot', undefined, { action: 'snapshot' }],
    ['snapshot', false, { action: 'snapshot' }],
    [
      'skip',
      true,
      { action: 'leaveOut', message: expect.stringContaining('volumePolicies[1]') as string },
    ],
    ['fs-backup', true, { action: 'skip', reason: 'VolumeActionNotDone' }],
    ['custom', undefined, { action: 'skip', reason: 'VolumeActionNotDone' }],
  ])(
    'obeys a policy that says %s when snapshotVolumes is %s',
    (type, snapshotVolumes, expected) => {
      const policies: readonly VolumePolicy[] = [
        { conditions: { nfs: {} }, action: { type: 'skip' } },
        { conditions: { csi: { driver: 'dirvol.csi.example.com' } }, action: { type } },
      ];
      expect(
        decideVolume({ claim: bound, volume: csiVolume, snapshotVolumes, policies }),
      ).toMatchObject(expected);
    },
  );

  it.each<[VolumeAction['type'], object]>([
    ['skip', { action: 'leaveOut' }],
    ['snapshot', { action: 'skip', reason: 'ClaimNotBound' }],
    ['fs-backup', { action: 'skip', reason: 'VolumeActionNotDone' }],
  ])('asks a policy first when the claim is not bound: %s', (type, expected) => {
    const pending = claim({}, { phase: 'Pending' });
    const policies: readonly VolumePolicy[] = [
      { conditions: { pvcPhase: ['Pending'] }, action: { type } },
    ];
    expect(
      decideVolume({ claim: pending, volume: undefined, snapshotVolumes: undefined, policies }),
    ).toMatchObject(expected);
  });

  it('goes its own way where no policy matches', () => {
    const policies: readonly VolumePolicy[] = [
      { conditions: { nfs: {} }, action: { type: 'snapshot' } },
    ];
    expect(
      decideVolume({ claim: bound, volume: csiVolume, snapshotVolumes: false, policies }),
    ).toMatchObject({ action: 'skip', reason: 'SnapshotsDisabled' });
  });

  it('snapshots through the driver of the volume', () => {
    expect(decideVolume({ claim: bound, volume: csiVolume, snapshotVolumes: undefined })).toEqual({
      action: 'snapshot',
      driver: 'dirvol.csi.example.com',
      volume: csiVolume,
    });
  });
});

function claim(
  spec: { readonly volumeName?: string },
  status: { readonly phase?: string },
): KubernetesObject {
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: { name: 'data', namespace: 'shop' },
    spec,
    status,
  };
}

function volume(spec: KubernetesObject['spec']): KubernetesObject {
  return { apiVersion: 'v1', kind: 'PersistentVolume', metadata: { name: 'pv-1' }, spec };
}
