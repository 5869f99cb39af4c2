import type { BackupManifest } from '../catalog/artifacts/backup-manifest.ts';
import { readBackup, readManifest } from '../catalog/backup-files.ts';
import { isMarkedForDeletion } from '../catalog/deletion-mark.ts';
import { LifeboatError } from '../errors.ts';
import { runAll } from '../internal/run-all.ts';
import type { Backup } from '../model/backup.ts';
import { Resources } from '../model/resources.ts';
import type { Clock } from '../ports/clock.ts';
import type { Cluster } from '../ports/cluster.ts';
import type { ObjectStore } from '../ports/object-store.ts';
import { probeSnapshot, type SnapshotProbe } from '../snapshot/probe-snapshot.ts';
import { readBackupSnapshots } from './backup-snapshots.ts';
import type { StoredSnapshot } from './stored-snapshot.ts';
import { Findings } from './verification-findings.ts';
import { verifyArchive } from './verify-archive.ts';
import { verifyFiles } from './verify-files.ts';
import type { VerifyOptions, VerifyResult } from './verify-request.ts';

/** What a verification needs from the outside. */
export interface VerifyDependencies {
  readonly cluster: Cluster;
  readonly store: ObjectStore;
  readonly clock: Clock;
  /** How many snapshots are looked for at a time. */
  readonly concurrency: number;
}

/**
 * Reads a backup whole and holds it against what is known of it: its files against the digests of its manifest, its archive
 * against index and resource list, and its snapshots against the storage. Nothing is changed.
 */
export async function verifyBackup(
  dependencies: VerifyDependencies,
  name: string,
  options: VerifyOptions = {},
): Promise<VerifyResult> {
  const { store } = dependencies;
  const { signal, snapshots: looksForSnapshots = true } = options;
  signal?.throwIfAborted();
  const backup = await existingBackup(store, name, signal);
  const findings = new Findings();
  if (await isMarkedForDeletion(store, name, { signal })) {
    findings.addError(
      'DeletionBegun',
      `the deletion of backup ${name} has begun and has not come to its end: it may have lost snapshots, and cannot be restored. Finish it with deleteBackup`,
    );
  }
  const manifest = await findings.unlessCorrupt(() => readManifest(store, name, { signal }));
  checkOwner(manifest, backup, findings);
  await verifyFiles(store, name, { manifest, findings }, { signal });
  const objects = await verifyArchive({ store, backup, manifest, findings, signal });
  const snapshots = looksForSnapshots
    ? await verifySnapshots(dependencies, name, findings, options)
    : 0;
  const { issues } = findings;
  return {
    backup,
    intact: issues.every(({ severity }) => severity !== 'error'),
    heldAgainst: manifest === undefined ? 'structure' : 'digests',
    objects,
    snapshots,
    claims: manifest?.claims,
    issues,
  };
}

async function existingBackup(
  store: ObjectStore,
  name: string,
  signal: AbortSignal | undefined,
): Promise<Backup> {
  const backup = await readBackup(store, name, { signal });
  if (backup === undefined) {
    throw new LifeboatError(
      `there is no backup ${name} in ${store.location} that could be verified`,
      {
        code: 'NotFound',
        operation: 'verify',
        target: name,
      },
    );
  }
  return backup;
}

function checkOwner(
  manifest: BackupManifest | undefined,
  { metadata: { uid } }: Backup,
  findings: Findings,
): void {
  if (manifest !== undefined && manifest.backup.uid !== uid) {
    findings.addError(
      'FileDamaged',
      `the manifest is of another backup, with uid ${manifest.backup.uid}: files of two backups are mixed`,
    );
  }
}

/** Looks for the storage snapshots; returns how many were found. */
async function verifySnapshots(
  { cluster, store, clock, concurrency }: VerifyDependencies,
  backupName: string,
  findings: Findings,
  { signal, snapshotTimeoutMs = 60_000 }: VerifyOptions,
): Promise<number> {
  const known = await findings.unlessCorrupt(() =>
    readBackupSnapshots(store, backupName, { signal }),
  );
  if (known === undefined || known.snapshots.length === 0) {
    return 0;
  }
  const listed = cluster.list(Resources.volumeSnapshotClasses, { signal });
  const volumeSnapshotClasses = await Array.fromAsync(listed);
  let found = 0;
  const probe = async (snapshot: StoredSnapshot, workSignal: AbortSignal): Promise<void> => {
    const request = { cluster, clock, backupName, volumeSnapshotClasses, ...snapshot };
    const result = await probeSnapshot(
      { ...request, timeoutMs: snapshotTimeoutMs },
      { signal: workSignal },
    );
    found += result.state === 'found' ? 1 : 0;
    report(snapshot, result, findings);
  };
  await runAll(known.snapshots, probe, { concurrency, signal });
  return found;
}

function report(
  { driver, snapshotHandle }: StoredSnapshot,
  probe: SnapshotProbe,
  findings: Findings,
): void {
  const what = `snapshot ${snapshotHandle} of driver ${driver}`;
  switch (probe.state) {
    case 'found':
      break;
    case 'missing':
      findings.addError(
        'SnapshotMissing',
        `${what} is not in the storage that this cluster reaches: ${probe.reason}. Its volume cannot be restored here`,
      );
      break;
    case 'unknown':
      findings.addWarning(
        'SnapshotNotVerified',
        `it could not be found out whether ${what} exists: ${probe.reason}`,
      );
      break;
    default:
      probe satisfies never;
  }
}
