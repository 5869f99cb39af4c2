import { readBackup } from '../catalog/backup-files.ts';
import { backupsDirectory, deletionMarkKey } from '../catalog/key-layout.ts';
import { isLifeboatError } from '../errors.ts';
import { runAll } from '../internal/run-all.ts';
import type { Issue } from '../model/issue.ts';
import type { KubernetesObject } from '../model/kubernetes.ts';
import { isDnsSubdomain } from '../model/kubernetes-name.ts';
import { Resources } from '../model/resources.ts';
import type { Cluster } from '../ports/cluster.ts';
import type { Logger } from '../ports/logger.ts';
import type { ObjectStore } from '../ports/object-store.ts';
import { knownDrivers } from '../snapshot/known-drivers.ts';
import { snapshotApiMissing } from '../snapshot/served-snapshot-api.ts';
import { readListedSnapshots } from './backup-snapshots.ts';
import { createSyncedContent, removeSyncedContent } from './change-synced-content.ts';
import { planSync } from './plan-sync.ts';
import type { StoredSnapshot } from './stored-snapshot.ts';
import { SyncRecord } from './sync-record.ts';
import type { SyncSnapshotsOptions, SyncSnapshotsResult } from './sync-request.ts';
import {
  syncedContentManifest,
  syncedSnapshotOf,
  syncSourceOf,
  type WantedSnapshot,
  wantedSnapshot,
  withoutSource,
} from './synced-content.ts';

const concurrency = 8;
const contents = Resources.volumeSnapshotContents;

/** What a sync needs from the outside. */
export interface SyncSnapshotsDependencies {
  readonly cluster: Cluster;
  readonly store: ObjectStore;
  readonly logger: Logger;
}

/** Makes a cluster know the snapshots of the backups in a store, and forget those of backups that are gone. */
export async function syncSnapshots(
  dependencies: SyncSnapshotsDependencies,
  { signal, dryRun = false }: SyncSnapshotsOptions = {},
): Promise<SyncSnapshotsResult> {
  const { cluster, store, logger } = dependencies;
  signal?.throwIfAborted();
  const source = syncSourceOf(store.location);
  // The cluster is read before the store: what another call has made meanwhile then belongs to a backup that this one finds.
  const state = await readCluster(cluster, signal);
  const backups = await readStore(store, source, signal);
  const plan = planSync({ source, ...state, ...backups });
  const record = new SyncRecord(plan, backups.issues);
  const origin = { source, location: store.location, classes: state.classes };
  const create = (wanted: WantedSnapshot, workSignal: AbortSignal): Promise<void> => {
    const manifest = syncedContentManifest(wanted, origin);
    const options = { dryRun, signal: workSignal };
    const work = (): ReturnType<typeof createSyncedContent> =>
      createSyncedContent(cluster, manifest, options);
    return record.collect(withoutSource(wanted), 'created', work, workSignal);
  };
  const remove = (content: KubernetesObject, workSignal: AbortSignal): Promise<void> => {
    const options = { dryRun, signal: workSignal };
    const work = (): ReturnType<typeof removeSyncedContent> =>
      removeSyncedContent(cluster, content, options);
    return record.collect(syncedSnapshotOf(content), 'removed', work, workSignal);
  };
  await runAll(plan.create, create, { concurrency, signal });
  await runAll(plan.remove, remove, { concurrency, signal });
  const result = record.result();
  logger.info(dryRun ? 'sync of snapshots tried' : 'snapshots synced', {
    created: result.created.length,
    removed: result.removed.length,
  });
  return result;
}

interface ClusterState {
  readonly contents: readonly KubernetesObject[];
  readonly classes: readonly KubernetesObject[];
  readonly drivers: ReadonlySet<string> | undefined;
}

async function readCluster(
  cluster: Cluster,
  signal: AbortSignal | undefined,
): Promise<ClusterState> {
  try {
    return {
      contents: await Array.fromAsync(cluster.list(contents, { signal })),
      classes: await Array.fromAsync(cluster.list(Resources.volumeSnapshotClasses, { signal })),
      drivers: await knownDrivers(cluster, { signal }),
    };
  } catch (error) {
    throw isLifeboatError(error, 'NotFound')
      ? snapshotApiMissing('syncSnapshots', cluster, error)
      : error;
  }
}

interface StoreState {
  readonly wanted: readonly WantedSnapshot[];
  readonly unreadable: ReadonlySet<string>;
  readonly issues: readonly Issue[];
}

async function readStore(
  store: ObjectStore,
  source: string,
  signal: AbortSignal | undefined,
): Promise<StoreState> {
  const wanted: WantedSnapshot[] = [];
  const unreadable = new Set<string>();
  const issues: Issue[] = [];
  const read = async (name: string, workSignal: AbortSignal): Promise<void> => {
    try {
      const snapshots = await snapshotsOf(store, name, workSignal);
      wanted.push(...snapshots.map((snapshot) => wantedSnapshot(source, name, snapshot)));
    } catch (error) {
      if (!isLifeboatError(error, 'CorruptBackup')) {
        throw error;
      }
      unreadable.add(name);
      issues.push({ severity: 'warning', reason: error.code, message: error.message });
    }
  };
  await runAll(directoryNames(store, signal), read, { concurrency, signal });
  return { wanted, unreadable, issues };
}

async function* directoryNames(
  store: ObjectStore,
  signal: AbortSignal | undefined,
): AsyncGenerator<string> {
  for await (const prefix of store.listPrefixes(backupsDirectory, { signal })) {
    const name = prefix.slice(backupsDirectory.length, -1);
    if (isDnsSubdomain(name)) {
      yield name;
    }
  }
}

/** The snapshots of a complete backup. Those of one whose deletion has begun are gone, or going. */
async function snapshotsOf(
  store: ObjectStore,
  name: string,
  signal: AbortSignal,
): Promise<readonly StoredSnapshot[]> {
  const phase = (await readBackup(store, name, { signal }))?.status.phase;
  if (phase !== 'Completed' && phase !== 'PartiallyFailed') {
    return [];
  }
  const isBeingDeleted = (await store.stat(deletionMarkKey(name), { signal })) !== undefined;
  return isBeingDeleted ? [] : readListedSnapshots(store, name, { signal });
}
