import { createHash } from 'node:crypto';

import type { KubernetesManifest, KubernetesObject } from '../model/kubernetes.ts';
import { LifeboatAnnotation, LifeboatLabel, labelValueOf, VeleroLabel } from '../model/labels.ts';
import { stringAt } from '../model/object-path.ts';
import { staticContentManifest } from '../snapshot/static-pair.ts';
import type { StoredSnapshot } from './stored-snapshot.ts';
import type { SyncedSnapshot } from './sync-request.ts';

const idLength = 16;

/** A snapshot of a backup that the cluster should know of. */
export interface WantedSnapshot extends SyncedSnapshot {
  readonly snapshot: StoredSnapshot;
}

/** What tells the contents of one store from those of others: a label value. */
export function syncSourceOf(location: string): string {
  return digestOf(location).slice(0, idLength);
}

/** A snapshot of a backup with the name of its content, which is the same in every call and every process. */
export function wantedSnapshot(
  source: string,
  backupName: string,
  snapshot: StoredSnapshot,
): WantedSnapshot {
  const { driver, snapshotHandle } = snapshot;
  const digest = digestOf([source, backupName, driver, snapshotHandle].join('\n'));
  const volumeSnapshotContentName = `lifeboat-synced-${digest.slice(0, 2 * idLength)}`;
  return { backupName, driver, snapshotHandle, volumeSnapshotContentName, snapshot };
}

/**
 * The content that stands for a snapshot of a backup in a cluster that has not seen it. It is bound to no VolumeSnapshot that could
 * exist, as those that Velero 1.9 to 1.15 made, and its policy is Retain: deleting it does not touch the storage.
 */
export function syncedContentManifest(
  wanted: WantedSnapshot,
  {
    source,
    location,
    classes,
  }: {
    readonly source: string;
    readonly location: string;
    readonly classes: readonly KubernetesObject[];
  },
): KubernetesManifest {
  const { backupName, driver, snapshotHandle, volumeSnapshotContentName: name } = wanted;
  const origin = wanted.snapshot.volumeSnapshotContent;
  const uid = (origin && stringAt(origin, ['spec', 'volumeSnapshotRef', 'uid'])) ?? digestOf(name);
  const manifest = staticContentManifest({
    name,
    driver,
    snapshotHandle,
    deletionPolicy: 'Retain',
    volumeSnapshotRef: { namespace: `ns-${uid}`, name: `name-${uid}` },
    labels: {
      [VeleroLabel.backupName]: labelValueOf(backupName),
      [LifeboatLabel.syncedFrom]: source,
    },
    origin,
    classes,
  });
  const annotations = {
    ...manifest.metadata.annotations,
    [LifeboatAnnotation.syncedBackup]: backupName,
    [LifeboatAnnotation.syncedLocation]: location,
  };
  return { ...manifest, metadata: { ...manifest.metadata, annotations } };
}

/** What a content that a sync has made stands for. */
export function syncedSnapshotOf(content: KubernetesObject): SyncedSnapshot {
  return {
    backupName: content.metadata.annotations?.[LifeboatAnnotation.syncedBackup] ?? '',
    driver: stringAt(content, ['spec', 'driver']) ?? '',
    snapshotHandle: stringAt(content, ['spec', 'source', 'snapshotHandle']) ?? '',
    volumeSnapshotContentName: content.metadata.name,
  };
}

/** A wanted snapshot as results name it. */
export function withoutSource({ snapshot: _snapshot, ...synced }: WantedSnapshot): SyncedSnapshot {
  return synced;
}

/** Whether a sync from a store has made a content. */
export function isSyncedFrom(content: KubernetesObject, source: string): boolean {
  return content.metadata.labels?.[LifeboatLabel.syncedFrom] === source;
}

function digestOf(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
