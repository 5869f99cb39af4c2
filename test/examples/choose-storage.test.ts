import type { KubernetesObject } from '@lifeboat/core';
import { describe, expect, it } from 'vitest';
import { chooseStorage } from '../../examples/demo/choose-storage.ts';

function storageClass(name: string, provisioner: string, isDefault = false): KubernetesObject {
  const annotations = isDefault ? { 'storageclass.kubernetes.io/is-default-class': 'true' } : {};
  return {
    apiVersion: 'storage.k8s.io/v1',
    kind: 'StorageClass',
    metadata: { name, annotations },
    provisioner,
  };
}

function snapshotClass(driver: string): KubernetesObject {
  return {
    apiVersion: 'snapshot.storage.k8s.io/v1',
    kind: 'VolumeSnapshotClass',
    metadata: { name: `of-${driver}` },
    driver,
  };
}

describe('the storage of the demo', () => {
  it.for([
    {
      which: 'the default class, if its volumes can be snapshotted',
      storageClasses: [storageClass('a', 'x'), storageClass('b', 'x', true)],
      chosen: { storageClassName: 'b', driver: 'x' },
    },
    {
      which: 'another class, if those of the default one cannot',
      storageClasses: [storageClass('a', 'local', true), storageClass('b', 'x')],
      chosen: { storageClassName: 'b', driver: 'x' },
    },
    {
      which: 'the first by name, if none is the default',
      storageClasses: [storageClass('b', 'x'), storageClass('a', 'x')],
      chosen: { storageClassName: 'a', driver: 'x' },
    },
  ])('is $which', ({ storageClasses, chosen }) => {
    const offer = { storageClasses, volumeSnapshotClasses: [snapshotClass('x')] };
    expect(chooseStorage(offer)).toEqual(chosen);
  });

  it.for([
    {
      what: 'the VolumeSnapshot API',
      offer: { storageClasses: [storageClass('a', 'x')], volumeSnapshotClasses: undefined },
      missing: [/VolumeSnapshot API/],
    },
    {
      what: 'every class',
      offer: { storageClasses: [], volumeSnapshotClasses: [] },
      missing: [/a StorageClass/, /a VolumeSnapshotClass/],
    },
    {
      what: 'a snapshot class of the driver',
      offer: {
        storageClasses: [storageClass('a', 'x')],
        volumeSnapshotClasses: [snapshotClass('y')],
      },
      missing: [/provisioners x: those there are belong to y/],
    },
  ])('names what is missing: $what', ({ offer, missing }) => {
    const choice = chooseStorage(offer);
    expect(choice).toEqual({
      missing: missing.map((pattern) => expect.stringMatching(pattern) as string),
    });
  });
});
