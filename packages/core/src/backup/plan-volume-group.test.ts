import { expect, it } from 'vitest';
import type { KubernetesObject } from '../model/kubernetes.ts';
import { planVolumeGroup } from './plan-volume-group.ts';

function claim(name: string, volumeName?: string, phase = 'Bound'): KubernetesObject {
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: { name, namespace: 'shop' },
    spec: { ...(volumeName !== undefined && { volumeName }) },
    status: { phase },
  };
}

function volume(name: string, driver?: string): readonly [string, KubernetesObject] {
  const source = driver === undefined ? { hostPath: { path: '/' } } : { csi: { driver } };
  const metadata = { name };
  return [name, { apiVersion: 'v1', kind: 'PersistentVolume', metadata, spec: source }];
}

const volumes = new Map([
  volume('one', 'disk'),
  volume('two', 'disk'),
  volume('nfs', 'file'),
  volume('host'),
]);

it('takes bound claims whose volumes are of one CSI driver', () => {
  const claims = [claim('a', 'one'), claim('b', 'two')];
  expect(planVolumeGroup(claims, volumes)).toEqual({
    driver: 'disk',
    members: [
      { claim: claims[0], volume: volumes.get('one') },
      { claim: claims[1], volume: volumes.get('two') },
    ],
  });
});

it.each<[string, readonly KubernetesObject[], string]>([
  ['no claims', [], 'no claim carries its label'],
  [
    'a pending claim',
    [claim('a', 'one'), claim('b', undefined, 'Pending')],
    'claim b is not bound to a volume',
  ],
  [
    'a lost claim',
    [claim('a', 'one'), claim('b', 'two', 'Lost')],
    'claim b is not bound to a volume',
  ],
  ['a volume that is gone', [claim('a', 'gone')], 'claim a is not bound to a volume'],
  [
    'a volume of no CSI driver',
    [claim('a', 'one'), claim('b', 'host')],
    'the volume of claim b does not belong to a CSI driver',
  ],
  [
    'volumes of two drivers',
    [claim('a', 'one'), claim('b', 'nfs'), claim('c', 'two')],
    'its volumes are of several drivers: disk (a, c), file (b)',
  ],
])('refuses %s', (_title, claims, refusal) => {
  expect(planVolumeGroup(claims, volumes)).toEqual({ refusal });
});
