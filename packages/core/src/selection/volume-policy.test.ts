import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../model/json.ts';
import type { KubernetesObject, StringMap } from '../model/kubernetes.ts';
import type { VolumeConditions, VolumePolicy } from '../model/resource-policy.ts';
import {
  claimVolumeFacts,
  matchVolumePolicy,
  podVolumeFacts,
  type VolumeFacts,
} from './volume-policy.ts';

function claim(labels: StringMap, phase = 'Bound'): KubernetesObject {
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: { name: 'data', namespace: 'shop', labels },
    spec: { storageClassName: 'of the claim' },
    status: { phase, capacity: { storage: '1Pi' } },
  };
}

function volume(spec: JsonObject): KubernetesObject {
  return { apiVersion: 'v1', kind: 'PersistentVolume', metadata: { name: 'pv' }, spec };
}

const csi = claimVolumeFacts(
  claim({ env: 'prod', tier: 'db' }),
  volume({
    capacity: { storage: '20Gi' },
    storageClassName: 'fast',
    csi: { driver: 'd.example.com', volumeAttributes: { pool: 'a', disk: 'ssd' } },
  }),
);
const nfs = claimVolumeFacts(claim({}), volume({ nfs: { server: 's', path: '/p' } }));
const storageOs = claimVolumeFacts(claim({}), volume({ storageos: { volumeName: 'x' } }));
const pending = claimVolumeFacts(claim({ env: 'prod' }, 'Pending'), undefined);
const emptyDir = podVolumeFacts({ name: 'cache', emptyDir: {} });
const inlineNfs = podVolumeFacts({ name: 'share', nfs: { server: 's', path: '/q' } });
const inlineCsi = podVolumeFacts({ name: 'secrets', csi: { driver: 'd.example.com' } });

describe('the conditions of a volume policy', () => {
  it.each<[VolumeConditions, VolumeFacts, boolean]>([
    [{}, csi, true],
    [{}, emptyDir, true],
    [{ capacity: '10Gi,100Gi' }, csi, true],
    [{ capacity: '30Gi,' }, csi, false],
    [{ capacity: '1,' }, pending, false],
    [{ capacity: ',1Gi' }, pending, true],
    [{ capacity: ',' }, csi, true],
    [{ storageClass: ['slow', 'fast'] }, csi, true],
    [{ storageClass: ['of the claim'] }, csi, false],
    [{ storageClass: [] }, csi, true],
    [{ storageClass: ['fast'] }, emptyDir, false],
    [{ storageClass: ['of the claim'] }, pending, false],
    [{ nfs: {} }, nfs, true],
    [{ nfs: {} }, csi, false],
    [{ nfs: { server: 's' } }, nfs, true],
    [{ nfs: { server: 't' } }, nfs, false],
    [{ nfs: { path: '/p' } }, nfs, true],
    [{ nfs: { server: 's', path: '/p' } }, inlineNfs, false],
    [{ nfs: { path: '/q' } }, inlineNfs, true],
    [{ csi: {} }, csi, true],
    [{ csi: {} }, nfs, false],
    [{ csi: { driver: 'd.example.com' } }, csi, true],
    [{ csi: { driver: 'other' } }, csi, false],
    [{ csi: { driver: 'd.example.com', volumeAttributes: { pool: 'a' } } }, csi, true],
    [{ csi: { driver: 'd.example.com', volumeAttributes: { pool: 'b' } } }, csi, false],
    [{ csi: { driver: 'd.example.com', volumeAttributes: { pool: 'a' } } }, inlineCsi, false],
    [{ volumeTypes: ['csi', 'nfs'] }, csi, true],
    [{ volumeTypes: ['nfs'] }, csi, false],
    [{ volumeTypes: ['emptyDir'] }, emptyDir, true],
    [{ volumeTypes: ['csi'] }, inlineCsi, true],
    [{ volumeTypes: ['storageOS'] }, storageOs, true],
    [{ volumeTypes: ['storageos'] }, storageOs, false],
    [{ volumeTypes: ['capacity', 'name', 'floppy'] }, csi, false],
    [{ volumeTypes: [] }, csi, true],
    [{ pvcLabels: { env: 'prod' } }, csi, true],
    [{ pvcLabels: { env: 'prod', tier: 'web' } }, csi, false],
    [{ pvcLabels: { constructor: 'x' } }, csi, false],
    [{ pvcLabels: {} }, emptyDir, true],
    [{ pvcLabels: { env: 'prod' } }, emptyDir, false],
    [{ pvcLabels: { env: 'prod' } }, pending, true],
    [{ pvcPhase: ['Pending', 'Lost'] }, pending, true],
    [{ pvcPhase: ['Pending', 'Lost'] }, csi, false],
    [{ pvcPhase: ['Bound'] }, csi, true],
    [{ pvcPhase: ['Bound'] }, emptyDir, false],
    [{ storageClass: ['fast'], csi: {}, pvcLabels: { tier: 'db' } }, csi, true],
    [{ storageClass: ['fast'], csi: {}, pvcLabels: { tier: 'web' } }, csi, false],
  ])('%j of %j: %j', (conditions, facts, expected) => {
    const policies: readonly VolumePolicy[] = [{ conditions, action: { type: 'skip' } }];
    expect(matchVolumePolicy(policies, facts) !== undefined).toBe(expected);
  });

  it('hold nothing where YAML left them empty', () => {
    const text = '[{"conditions":{"nfs":null,"csi":null,"capacity":null,"storageClass":null}}]';
    const [policy] = JSON.parse(text) as { conditions: VolumeConditions }[];
    const policies: readonly VolumePolicy[] = [{ ...policy, action: { type: 'skip' } }];
    expect(matchVolumePolicy(policies, csi)).toBeDefined();
  });
});

describe('matchVolumePolicy', () => {
  const policies: readonly VolumePolicy[] = [
    { conditions: { nfs: {} }, action: { type: 'skip' } },
    { conditions: { csi: {} }, action: { type: 'snapshot' } },
    { action: { type: 'fs-backup' } },
  ];

  it.each<[string, VolumeFacts, unknown]>([
    ['the first policy', nfs, { action: 'skip', index: 0 }],
    ['the first that holds', csi, { action: 'snapshot', index: 1 }],
    ['one without conditions', emptyDir, { action: 'fs-backup', index: 2 }],
  ])('goes by %s', (_what, facts, expected) => {
    expect(matchVolumePolicy(policies, facts)).toEqual(expected);
  });

  it('says nothing where no policy holds', () => {
    expect(matchVolumePolicy(policies.slice(0, 2), emptyDir)).toBeUndefined();
    expect(matchVolumePolicy([], csi)).toBeUndefined();
  });
});
