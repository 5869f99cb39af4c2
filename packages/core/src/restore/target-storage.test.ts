import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../model/json.ts';
import type { KubernetesManifest, KubernetesObject } from '../model/kubernetes.ts';
import type { ClaimSource } from './claim-source.ts';
import { type StorageFacts, TargetStorage } from './target-storage.ts';

function named(name: string, fields: JsonObject = {}): KubernetesObject {
  return { apiVersion: 'storage.k8s.io/v1', kind: 'StorageClass', metadata: { name }, ...fields };
}

const facts: StorageFacts = {
  storageClasses: [
    named('fast', { provisioner: 'csi.example.com' }),
    named('late', { provisioner: 'csi.example.com', volumeBindingMode: 'WaitForFirstConsumer' }),
  ],
  csiDrivers: [named('third.example.com')],
  servesSnapshots: true,
};

function claim(storageClassName: string | undefined): KubernetesManifest {
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: { name: 'data', namespace: 'shop' },
    spec: storageClassName === undefined ? {} : { storageClassName },
  };
}

function fromSnapshot(driver: string): ClaimSource {
  const volumeSnapshot = named('vs');
  return {
    kind: 'snapshot',
    snapshot: {
      volumeSnapshot,
      volumeSnapshotContent: undefined,
      driver,
      snapshotHandle: 'h',
      restoreSize: undefined,
    },
  };
}

const newVolume: ClaimSource = { kind: 'new volume' };

describe('TargetStorage.problemOf', () => {
  const cases: readonly [
    what: string,
    facts: Partial<StorageFacts>,
    claim: KubernetesManifest,
    source: ClaimSource,
    reason: string | undefined,
  ][] = [
    ['a class that exists', {}, claim('fast'), newVolume, undefined],
    ['the default class', {}, claim(undefined), newVolume, undefined],
    ['no class at all', {}, claim(''), newVolume, undefined],
    ['a missing class', {}, claim('slow'), newVolume, 'StorageClassMissing'],
    [
      'a missing class that is not needed',
      {},
      claim('slow'),
      { kind: 'same volume', volumeName: 'v' },
      undefined,
    ],
    [
      'classes that may not be read',
      { storageClasses: undefined },
      claim('slow'),
      newVolume,
      undefined,
    ],
    [
      'a driver known by its StorageClass',
      {},
      claim('fast'),
      fromSnapshot('csi.example.com'),
      undefined,
    ],
    [
      'a driver known by its CSIDriver',
      {},
      claim('fast'),
      fromSnapshot('third.example.com'),
      undefined,
    ],
    ['an unknown driver', {}, claim('fast'), fromSnapshot('gone.example.com'), 'DriverMissing'],
    [
      'drivers that may not be read',
      { csiDrivers: undefined },
      claim('fast'),
      fromSnapshot('gone.example.com'),
      undefined,
    ],
    [
      'no snapshot API',
      { servesSnapshots: false },
      claim('fast'),
      fromSnapshot('csi.example.com'),
      'SnapshotApiMissing',
    ],
  ];
  it.each(cases)('judges %s', (_what, changed, manifest, source, reason) => {
    const storage = new TargetStorage({ ...facts, ...changed });
    expect(storage.problemOf(manifest, source)?.reason).toBe(reason);
  });

  it('names what is missing and what there is', () => {
    const message = new TargetStorage(facts).problemOf(claim('slow'), newVolume)?.message;
    expect(message).toContain(
      'StorageClass slow does not exist in the target cluster, which has fast, late',
    );
  });
});

describe('TargetStorage.waitsForConsumer', () => {
  it('is true of a class that binds when a pod uses the claim', () => {
    const storage = new TargetStorage(facts);
    expect(
      ['fast', 'late', 'unknown', undefined].map((name) => storage.waitsForConsumer(name)),
    ).toEqual([false, true, false, false]);
  });
});
