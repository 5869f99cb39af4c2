import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../model/json.ts';
import type { KubernetesObject, ObjectMeta } from '../model/kubernetes.ts';
import {
  contentNameFor,
  originOf,
  pairSnapshotObjects,
  snapshotHandleOf,
} from './leftover-pair.ts';

function volumeSnapshot(
  metadata: Partial<ObjectMeta> = {},
  rest: JsonObject = {},
): KubernetesObject {
  return {
    apiVersion: 'snapshot.storage.k8s.io/v1',
    kind: 'VolumeSnapshot',
    metadata: { name: 'vs', namespace: 'shop', uid: 'vs-1', ...metadata },
    ...rest,
  };
}

function content(volumeSnapshotRef: JsonObject, rest: JsonObject = {}): KubernetesObject {
  return {
    apiVersion: 'snapshot.storage.k8s.io/v1',
    kind: 'VolumeSnapshotContent',
    metadata: { name: 'c' },
    spec: { driver: 'd', volumeSnapshotRef },
    ...rest,
  };
}

describe('pairSnapshotObjects', () => {
  const reference = { namespace: 'shop', name: 'vs' };
  it.each<[string, JsonObject, boolean]>([
    ['to its VolumeSnapshot by name and uid', { ...reference, uid: 'vs-1' }, true],
    ['by name alone when it was made by hand', reference, true],
    ['not to a later VolumeSnapshot of that name', { ...reference, uid: 'vs-0' }, false],
    ['not to one of another namespace', { ...reference, namespace: 'copy' }, false],
  ])('puts a content %s', (_, volumeSnapshotRef, belongs) => {
    const snapshot = volumeSnapshot();
    const other = content(volumeSnapshotRef);
    expect(pairSnapshotObjects([snapshot], [other])).toEqual(
      belongs
        ? [{ volumeSnapshot: snapshot, volumeSnapshotContent: other }]
        : [{ volumeSnapshot: snapshot }, { volumeSnapshotContent: other }],
    );
  });
});

it('finds the content of a VolumeSnapshot by what its status, its spec or its uid tells', () => {
  const status = { status: { boundVolumeSnapshotContentName: 'bound' } };
  const spec = { spec: { source: { volumeSnapshotContentName: 'static' } } };
  expect(contentNameFor(volumeSnapshot({}, { ...status, ...spec }))).toBe('bound');
  expect(contentNameFor(volumeSnapshot({}, spec))).toBe('static');
  expect(contentNameFor(volumeSnapshot())).toBe('snapcontent-vs-1');
});

it('knows a snapshot by the handle in the status, else by that of a static content', () => {
  const source = { spec: { driver: 'd', source: { snapshotHandle: 'static' } } };
  const status = { status: { snapshotHandle: 'cut' } };
  const handleOf = (rest: JsonObject): unknown =>
    snapshotHandleOf({ volumeSnapshotContent: content({}, rest) });
  expect(handleOf({ ...source, ...status })).toEqual({ driver: 'd', snapshotHandle: 'cut' });
  expect(handleOf(source)).toEqual({ driver: 'd', snapshotHandle: 'static' });
  expect(handleOf({})).toBeUndefined();
  expect(snapshotHandleOf({ volumeSnapshot: volumeSnapshot() })).toBeUndefined();
});

describe('originOf', () => {
  const imported = 'f'.repeat(64);
  it.each([
    [{ name: 'velero-data-x', labels: { 'lifeboat.dev/run': 'r' } }, 'run'],
    [
      {
        name: 'velero-data-x',
        labels: { 'lifeboat.dev/run': 'r' },
        annotations: { 'velero.io/csi-volumesnapshot-handle': 'h' },
      },
      'kept',
    ],
    [{ name: imported, labels: { 'velero.io/restore-name': 'r' } }, 'restore'],
    [{ name: 'velero-data-x', labels: { 'velero.io/restore-name': 'r' } }, 'other'],
    [{ name: 'lifeboat-release-1', labels: {} }, 'release'],
    [{ name: 'lifeboat-probe-1', labels: { 'lifeboat.dev/run': 'r' } }, 'probe'],
    [{ name: 'lifeboat-synced-1', labels: { 'lifeboat.dev/synced-from': 's' } }, 'synced'],
    [{ name: 'velero-data-x', labels: {} }, 'other'],
  ] as const)('%o was made for: %s', (metadata, origin) => {
    expect(originOf({ volumeSnapshot: volumeSnapshot(metadata) })).toBe(origin);
  });

  it('knows what Velero before 1.16 made by where it points', () => {
    const velero = (rest: JsonObject): unknown =>
      originOf({
        volumeSnapshotContent: content(
          {},
          {
            spec: {
              driver: 'd',
              deletionPolicy: 'Retain',
              source: { snapshotHandle: 'h' },
              volumeSnapshotRef: { namespace: 'ns-1', name: 'name-1' },
              ...rest,
            },
          },
        ),
      });
    expect(velero({})).toBe('retained by Velero');
    expect(velero({ deletionPolicy: 'Delete' })).toBe('other');
    expect(velero({ source: { volumeHandle: 'v' } })).toBe('other');
    expect(velero({ volumeSnapshotRef: { namespace: 'shop', name: 'vs' } })).toBe('other');
  });
});
