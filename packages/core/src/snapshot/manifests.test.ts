import { createReadStream } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { readArchive } from '../archive/archive-reader.ts';
import { isJsonObject, parseJson } from '../model/json.ts';
import type { KubernetesObject, StringMap } from '../model/kubernetes.ts';
import { numberAt, stringAt, withoutValueAt, withValueAt } from '../model/object-path.ts';
import {
  archivedClaim,
  archivedVolumeSnapshot,
  archivedVolumeSnapshotContent,
  keepPatch,
  volumeSnapshotManifest,
  volumeSnapshotNameOf,
  withoutVolumeSource,
} from './manifests.ts';
import type { ReadySnapshot } from './ready-snapshot.ts';

const mustInclude = 'backup.velero.io/must-include-additional-items';

function claimOf(fields: {
  readonly metadata?: KubernetesObject['metadata'];
  readonly spec?: KubernetesObject['spec'];
}): KubernetesObject {
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: { name: 'data', namespace: 'shop' },
    ...fields,
  };
}

function snapshotOf(overrides: Partial<ReadySnapshot> = {}): ReadySnapshot {
  const volumeSnapshot = {
    apiVersion: 'snapshot.storage.k8s.io/v1',
    kind: 'VolumeSnapshot',
    metadata: {
      name: 'velero-data-x7k2m',
      namespace: 'shop',
      labels: { 'velero.io/backup-name': 'b', 'lifeboat.dev/run': 'r' },
    },
  };
  return {
    claimNamespace: 'shop',
    claimName: 'data',
    volumeName: 'pv-1',
    volumeSnapshot,
    volumeSnapshotContent: {
      apiVersion: 'snapshot.storage.k8s.io/v1',
      kind: 'VolumeSnapshotContent',
      metadata: { name: 'snapcontent-1', labels: { 'lifeboat.dev/run': 'r' } },
      spec: { deletionPolicy: 'Retain' },
    },
    snapshotClass: claimOf({}),
    classDeletionPolicy: 'Delete',
    driver: 'disk.csi.example',
    snapshotHandle: 'h-1',
    restoreSizeBytes: 31_457_280,
    ...overrides,
  };
}

describe('archived forms, against a backup that Velero made', () => {
  const objects = new Map<string, KubernetesObject>();
  const stored = (resource: string): KubernetesObject => {
    const object = objects.get(resource);
    expect.assert(object !== undefined, `the vector holds ${resource}`);
    return object;
  };

  beforeAll(async () => {
    const archive = createReadStream(
      new URL('../../../../test/vectors/seed-csi/default.tar.gz', import.meta.url),
    );
    const { signal } = new AbortController();
    for await (const { entry, bytes } of readArchive(archive, { signal })) {
      const object = parseJson(Buffer.from(bytes).toString());
      expect.assert(isJsonObject(object), 'every entry is an object');
      objects.set(entry.groupResource, object as KubernetesObject);
    }
  });

  function ready(): ReadySnapshot {
    const volumeSnapshot = stored('volumesnapshots.snapshot.storage.k8s.io');
    const content = stored('volumesnapshotcontents.snapshot.storage.k8s.io');
    const run = { 'lifeboat.dev/run': 'r' };
    return snapshotOf({
      claimNamespace: 'default',
      claimName: 'local-pvc',
      volumeSnapshot: withValueAt(
        withoutValueAt(volumeSnapshot, ['metadata', 'annotations']),
        ['metadata', 'labels'],
        run,
      ),
      volumeSnapshotContent: withValueAt(
        withValueAt(content, ['metadata', 'labels'], run),
        ['spec', 'deletionPolicy'],
        'Retain',
      ),
      driver: stringAt(content, ['spec', 'driver']) ?? '',
      snapshotHandle: stringAt(content, ['status', 'snapshotHandle']) ?? '',
      restoreSizeBytes: numberAt(content, ['status', 'restoreSize']),
    });
  }

  it('stores the VolumeSnapshot as Velero does', () => {
    expect(archivedVolumeSnapshot(ready(), 'default')).toEqual(
      stored('volumesnapshots.snapshot.storage.k8s.io'),
    );
  });

  it('stores the VolumeSnapshotContent as Velero does', () => {
    expect(archivedVolumeSnapshotContent(ready(), 'default')).toEqual(
      stored('volumesnapshotcontents.snapshot.storage.k8s.io'),
    );
  });

  it('stores the claim as Velero does, without its transient annotation', () => {
    const claim = stored('persistentvolumeclaims');
    const live = withoutValueAt(withoutValueAt(claim, ['metadata', 'labels']), [
      'metadata',
      'annotations',
      'velero.io/volume-snapshot-name',
    ]);
    expect(archivedClaim(live, ready(), 'default')).toEqual(
      withoutValueAt(claim, ['metadata', 'annotations', mustInclude]),
    );
  });
});

it('stores a content without the mark of a sidecar that is not done with it', () => {
  const { volumeSnapshotContent } = snapshotOf();
  const mark = { 'snapshot.storage.kubernetes.io/volumesnapshot-being-created': 'yes' };
  const annotationsWith = (annotations: StringMap): StringMap | undefined =>
    archivedVolumeSnapshotContent(
      snapshotOf({
        volumeSnapshotContent: withValueAt(
          volumeSnapshotContent,
          ['metadata', 'annotations'],
          annotations,
        ),
      }),
      'b',
    ).metadata.annotations;
  expect(annotationsWith({ ...mark, note: 'x' })).toEqual({ note: 'x' });
  expect(annotationsWith(mark)).toBeUndefined();
});

it('copies the labels of the claim but those that tools prune by, and asks tools to leave it alone', () => {
  const labels = {
    app: 'shop',
    'argocd.argoproj.io/instance': 'x',
    'velero.io/backup-name': 'old',
  };
  const { metadata } = volumeSnapshotManifest({
    claim: claimOf({ metadata: { name: 'data', namespace: 'shop', labels } }),
    snapshotClass: { ...claimOf({}), metadata: { name: 'fast' } },
    name: 'velero-data-x7k2m',
    backupName: 'b-1',
    runId: 'run-1',
  });
  expect(metadata.labels).toEqual({
    app: 'shop',
    'velero.io/backup-name': 'b-1',
    'lifeboat.dev/run': 'run-1',
  });
  expect(metadata.annotations).toEqual({
    'argocd.argoproj.io/compare-options': 'IgnoreExtraneous',
    'argocd.argoproj.io/sync-options': 'Prune=false',
  });
});

it('stores a VolumeSnapshot with the labels it has from its claim, without what was for tools', () => {
  const { volumeSnapshot } = snapshotOf();
  const live = withValueAt(
    withValueAt(volumeSnapshot, ['metadata', 'labels', 'app'], 'shop'),
    ['metadata', 'annotations'],
    { note: 'x', 'argocd.argoproj.io/sync-options': 'Prune=false' },
  );
  const { metadata } = archivedVolumeSnapshot(snapshotOf({ volumeSnapshot: live }), 'b');
  expect(metadata.labels).toEqual({ app: 'shop', 'velero.io/backup-name': 'b' });
  expect(metadata.annotations).toHaveProperty('note', 'x');
  expect(Object.keys(metadata.annotations ?? {}).join(' ')).not.toContain('argocd');
});

it('requests a snapshot under a known name, with the labels of backup and run', () => {
  const manifest = volumeSnapshotManifest({
    claim: claimOf({
      metadata: { name: 'data', namespace: 'shop', labels: { 'argocd.argoproj.io/instance': 'x' } },
    }),
    snapshotClass: { ...claimOf({}), metadata: { name: 'fast' } },
    name: 'velero-data-x7k2m',
    backupName: 'b-1',
    runId: 'run-1',
  });
  expect(manifest).toEqual({
    apiVersion: 'snapshot.storage.k8s.io/v1',
    kind: 'VolumeSnapshot',
    metadata: {
      name: 'velero-data-x7k2m',
      generateName: 'velero-data-',
      namespace: 'shop',
      labels: {
        'velero.io/backup-name': 'b-1',
        'lifeboat.dev/run': 'run-1',
      },
    },
    spec: {
      source: { persistentVolumeClaimName: 'data' },
      volumeSnapshotClassName: 'fast',
    },
  });
});

it('cuts a long name so that it has at most 63 characters', () => {
  const claim = claimOf({ metadata: { name: 'c'.repeat(200), namespace: 'shop' } });
  expect(volumeSnapshotNameOf(claim, 'x7k2m')).toBe(`velero-${'c'.repeat(51)}x7k2m`);
});

it('stores the policy of the class, and no restore size where the driver tells none', () => {
  const snapshot = snapshotOf({ classDeletionPolicy: 'Retain', restoreSizeBytes: undefined });
  expect(archivedVolumeSnapshot(snapshot, 'b').metadata.annotations).toEqual({
    'velero.io/csi-driver-name': 'disk.csi.example',
    'velero.io/csi-volumesnapshot-handle': 'h-1',
    'velero.io/csi-vsc-deletion-policy': 'Retain',
  });
});

it('annotates a kept VolumeSnapshot with the policy it has live', () => {
  expect(keepPatch(snapshotOf())).toEqual({
    metadata: {
      annotations: {
        'velero.io/csi-driver-name': 'disk.csi.example',
        'velero.io/csi-volumesnapshot-handle': 'h-1',
        'velero.io/csi-vsc-deletion-policy': 'Retain',
        'velero.io/csi-volumesnapshot-restore-size': '30Mi',
      },
    },
  });
});

it.each([
  ['a smaller request', '20Mi', '30Mi'],
  ['no request', undefined, '30Mi'],
  ['a request that is not a quantity', 'much', '30Mi'],
  ['an equal request in another unit', '30720Ki', '30720Ki'],
  ['a larger request', '1Gi', '1Gi'],
])('with %s asks for what the snapshot needs', (_case, requested, expected) => {
  const requests = requested === undefined ? {} : { storage: requested };
  const claim = claimOf({ spec: { storageClassName: 'x', resources: { requests } } });
  const archived = archivedClaim(claim, snapshotOf(), 'b');
  expect(stringAt(archived, ['spec', 'resources', 'requests', 'storage'])).toBe(expected);
});

it.each([undefined, 0])(
  'leaves a request alone when the restore size is %s',
  (restoreSizeBytes) => {
    const claim = claimOf({ spec: { resources: { requests: { storage: '1Mi' } } } });
    const archived = archivedClaim(claim, snapshotOf({ restoreSizeBytes }), 'b');
    expect(stringAt(archived, ['spec', 'resources', 'requests', 'storage'])).toBe('1Mi');
  },
);

it('drops from a claim what an earlier restore left and where its data came from', () => {
  const claim = claimOf({
    metadata: {
      name: 'data',
      namespace: 'shop',
      labels: {
        app: 'shop',
        'velero.io/backup-name': 'old',
        'velero.io/restore-name': 'old',
        'velero.io/volume-snapshot-name': 'old',
        [mustInclude]: 'true',
      },
      annotations: { note: 'x', 'velero.io/volume-snapshot-name': 'old', [mustInclude]: 'true' },
    },
    spec: {
      storageClassName: 'x',
      volumeName: 'pv-1',
      dataSource: { kind: 'VolumeSnapshot', name: 'old' },
      dataSourceRef: { kind: 'VolumeSnapshot', name: 'old' },
      selector: { matchLabels: { disk: 'fast' } },
    },
  });
  expect(withoutVolumeSource(claim)).toEqual(
    claimOf({
      metadata: {
        name: 'data',
        namespace: 'shop',
        labels: { app: 'shop' },
        annotations: { note: 'x' },
      },
      spec: { storageClassName: 'x', volumeName: 'pv-1' },
    }),
  );
});

it('keeps the selector of a claim that was bound by hand, but for keys of Velero', () => {
  const matchLabels = { disk: 'fast', 'velero.io/dynamic-pv-restore': 'shop.data.abcde' };
  const claim = claimOf({ spec: { storageClassName: '', selector: { matchLabels } } });
  expect(withoutVolumeSource(claim)['spec']).toEqual({
    storageClassName: '',
    selector: { matchLabels: { disk: 'fast' } },
  });
});
