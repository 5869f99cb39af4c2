import { expect, it } from 'vitest';
import type { JsonObject } from '../model/json.ts';
import { Resources } from '../model/resources.ts';
import { volumeObstacle, whyVolumeIsLeftOut } from './persistent-volume-decision.ts';

const cases: readonly [
  policy: string,
  backupMethod: string | undefined,
  claimHasSnapshot: boolean,
  reason: string | undefined,
][] = [
  ['Retain', undefined, false, undefined],
  ['Recycle', undefined, false, undefined],
  ['Retain', 'CSISnapshot', false, 'provisioned from its snapshot'],
  ['Retain', undefined, true, 'provisioned from its snapshot'],
  ['Retain', 'NativeSnapshot', false, 'cannot be read'],
  ['Delete', 'PodVolumeBackup', false, 'cannot be read'],
  ['Delete', undefined, false, 'a new volume is provisioned'],
];

it.each(cases)(
  'a volume of policy %s, saved as %s, claim snapshotted %s: %s',
  (policy, backupMethod, claimHasSnapshot, reason) => {
    const volume = {
      apiVersion: 'v1',
      kind: 'PersistentVolume',
      metadata: { name: 'v' },
      spec: { persistentVolumeReclaimPolicy: policy },
    };
    const answer = whyVolumeIsLeftOut({ volume, backupMethod, claimHasSnapshot });
    if (reason === undefined) {
      expect(answer).toBeUndefined();
    } else {
      expect(answer).toContain(reason);
    }
  },
);

const claim = { ...Resources.persistentVolumeClaims, namespace: 'shop', name: 'data' };
const obstacles: readonly [
  what: string,
  claimRef: JsonObject | undefined,
  reason: string | undefined,
][] = [
  ['nobody', {}, undefined],
  ['the claim by name', { namespace: 'shop', name: 'data' }, undefined],
  ['the claim that was deleted', { namespace: 'shop', name: 'data', uid: 'old' }, 'VolumeReserved'],
  ['the claim of another namespace', { namespace: 'other', name: 'data' }, 'VolumeInUse'],
];

it.each(obstacles)('a volume that waits for %s', (_what, claimRef, reason) => {
  const volume = {
    apiVersion: 'v1',
    kind: 'PersistentVolume',
    metadata: { name: 'pv' },
    spec: { claimRef },
  };
  expect(volumeObstacle(claim, 'pv', volume)?.reason).toBe(reason);
});

it('a volume that could not be restored stands in the way of its claim', () => {
  expect(volumeObstacle(claim, 'pv', undefined)?.reason).toBe('VolumeMissing');
});
