import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../model/json.ts';
import type { StringMap } from '../model/kubernetes.ts';
import { originalOf, originalOfRecord, volumePatch } from './original-volume.ts';

const zone = 'topology.kubernetes.io/zone';

function volume(labels: StringMap | undefined, persistentVolumeReclaimPolicy = 'Delete') {
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolume',
    metadata: { name: 'pv', ...(labels === undefined ? {} : { labels }) },
    spec: { persistentVolumeReclaimPolicy },
  };
}

describe('volumePatch', () => {
  it.each<[string, StringMap | undefined, StringMap, JsonObject | undefined]>([
    ['nothing to do', { a: '1' }, { a: '1' }, undefined],
    ['nothing at all', undefined, {}, undefined],
    ['a label to add', undefined, { a: '1' }, { metadata: { labels: { a: '1' } } }],
    ['a label to change', { a: '2' }, { a: '1' }, { metadata: { labels: { a: '1' } } }],
    ['a label to remove', { b: '1' }, {}, { metadata: { labels: { b: null } } }],
    ['labels of the place', { [zone]: 'new' }, { [zone]: 'old' }, undefined],
    ['the place of the original alone', {}, { [zone]: 'old' }, undefined],
    [
      'labels of an earlier restore',
      {},
      { 'velero.io/restore-name': 'r', 'velero.io/backup-name': 'b' },
      undefined,
    ],
  ])('%s', (_, present, labels, patch) => {
    expect(volumePatch(volume(present), { labels, reclaimPolicy: 'Delete' })).toEqual(patch);
  });

  it('puts the reclaim policy back where it differs and is known', () => {
    const policy = { spec: { persistentVolumeReclaimPolicy: 'Retain' } };
    expect(volumePatch(volume({}), { labels: {}, reclaimPolicy: 'Retain' })).toEqual(policy);
    expect(volumePatch(volume({}), { labels: {}, reclaimPolicy: undefined })).toBeUndefined();
    expect(volumePatch(volume({}), { labels: { a: '1' }, reclaimPolicy: 'Retain' })).toEqual({
      ...policy,
      metadata: { labels: { a: '1' } },
    });
  });
});

describe('the original', () => {
  it('is read from the backed-up volume', () => {
    expect(originalOf(volume({ a: '1' }, 'Retain'))).toEqual({
      labels: { a: '1' },
      reclaimPolicy: 'Retain',
    });
    expect(originalOf(volume(undefined, 'Recycle'))).toEqual({
      labels: {},
      reclaimPolicy: undefined,
    });
  });

  it('is read from the volume information', () => {
    expect(
      originalOfRecord({ pvInfo: { reclaimPolicy: 'Retain', labels: { a: '1', b: 2 } } }),
    ).toEqual({ labels: { a: '1' }, reclaimPolicy: 'Retain' });
    expect(originalOfRecord({ pvInfo: { reclaimPolicy: 'Delete', labels: null } })).toEqual({
      labels: {},
      reclaimPolicy: 'Delete',
    });
    expect(originalOfRecord({})).toBeUndefined();
  });
});
