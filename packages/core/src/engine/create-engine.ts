import { builtInBackupActions } from '../backup/actions/built-in-backup-actions.ts';
import { planBackup } from '../backup/plan-backup.ts';
import { runBackup } from '../backup/run-backup.ts';
import { BackupCatalog } from '../catalog/backup-catalog.ts';
import { ValidationError, type Violation } from '../errors.ts';
import { silentLogger } from '../internal/silent-logger.ts';
import { systemClock } from '../internal/system-clock.ts';
import { wholeNumberViolations } from '../internal/whole-number-violations.ts';
import { planRestore } from '../restore/plan-restore.ts';
import { runRestore } from '../restore/run-restore.ts';
import { deleteBackup } from '../retention/delete-backup.ts';
import { expireBackups } from '../retention/expire-backups.ts';
import { findLeftovers } from '../retention/find-leftovers.ts';
import { removeLeftovers } from '../retention/remove-leftovers.ts';
import { syncSnapshots } from '../retention/sync-snapshots.ts';
import { verifyBackup } from '../retention/verify-backup.ts';
import { servedSnapshotApi } from '../snapshot/served-snapshot-api.ts';
import { VolumeSnapshotter } from '../snapshot/volume-snapshotter.ts';
import type { Engine, EngineConcurrency, EngineOptions } from './engine.ts';

/**
 * Creates an engine. The only place where defaults are resolved; does no I/O.
 *
 * @example
 * ```ts
 * const engine = createEngine({ cluster, store });
 * await engine.backup({ name: 'shop', spec: { includedNamespaces: ['shop'] } });
 * await engine.restore({ spec: { backupName: 'shop', namespaceMapping: { shop: 'shop-copy' } } });
 * ```
 *
 * @throws {ValidationError} a concurrency below one, a negative timeout, or two actions of one name.
 */
export function createEngine(options: EngineOptions): Engine {
  const {
    store,
    logger = silentLogger,
    clock = systemClock,
    podExec,
    timeouts = {},
    backupItemActions = [],
    restoreItemActions = [],
    allowUnsafeConcurrentWriters = false,
  } = options;
  const backupActions = [...builtInBackupActions(), ...backupItemActions];
  const limits = limitsOf(options.concurrency);
  const violations = [
    ...wholeNumberViolations('concurrency.', limits),
    ...negative({ ...timeouts }),
    ...repeatedNames('backupItemActions', backupActions),
    ...repeatedNames('restoreItemActions', restoreItemActions),
  ];
  if (violations.length > 0) {
    throw new ValidationError('createEngine', violations);
  }

  const cluster = servedSnapshotApi(options.cluster);
  const snapshotter = new VolumeSnapshotter({
    cluster,
    clock,
    logger,
    concurrencyPerDriver: limits.snapshotsPerDriver,
    errorGraceMs: timeouts.snapshotErrorGraceMs,
    diagnoseAfterMs: timeouts.snapshotDiagnosisMs,
    cleanUpTimeoutMs: timeouts.snapshotCleanUpMs,
  });
  const shared = { cluster, store, clock, logger };
  const backingUp = {
    ...{ ...shared, podExec, snapshotter, allowUnsafeConcurrentWriters },
    ...{ hookedPods: limits.hookedPods, lists: limits.lists, itemActions: limits.itemActions },
    ...{ actions: backupActions, slowActions: backupItemActions },
  };
  const restoring = {
    ...{ ...shared, podExec, actions: restoreItemActions },
    concurrency: limits.restoredObjects,
    hookedPods: limits.hookedPods,
  };
  const retention = { ...shared, concurrency: limits.releasedSnapshots };
  return {
    catalog: new BackupCatalog(store, logger),
    backup: (request, callOptions) => runBackup(backingUp, request, callOptions),
    planBackup: (request, callOptions) => planBackup(backingUp, request, callOptions),
    restore: (request, callOptions) => runRestore(restoring, request, callOptions),
    planRestore: (request, callOptions) => planRestore(restoring, request, callOptions),
    verify: (name, callOptions) => verifyBackup(retention, name, callOptions),
    deleteBackup: (name, callOptions) => deleteBackup(retention, name, callOptions),
    expire: (callOptions) => expireBackups(retention, callOptions),
    syncSnapshots: (callOptions) => syncSnapshots(shared, callOptions),
    findLeftovers: (callOptions) => findLeftovers(retention, callOptions),
    removeLeftovers: (leftovers, callOptions) => removeLeftovers(retention, leftovers, callOptions),
  };
}

function limitsOf({
  snapshotsPerDriver = 8,
  hookedPods = 4,
  lists = 4,
  itemActions = 8,
  restoredObjects = 16,
  releasedSnapshots = 8,
}: EngineConcurrency = {}): Readonly<Record<keyof EngineConcurrency, number>> {
  return { snapshotsPerDriver, hookedPods, lists, itemActions, restoredObjects, releasedSnapshots };
}

function negative(timeouts: Readonly<Record<string, number | undefined>>): readonly Violation[] {
  return Object.entries(timeouts)
    .filter(([, value]) => value !== undefined && !(value >= 0))
    .map(([name, received]) => ({
      path: `timeouts.${name}`,
      rule: 'must be a number of milliseconds, zero or more',
      received,
    }));
}

function repeatedNames(
  path: string,
  actions: readonly { readonly name: string }[],
): readonly Violation[] {
  const names = actions.map(({ name }) => name);
  return names
    .filter((name, index) => names.indexOf(name) !== index)
    .map((name) => ({ path, rule: 'must have unique names', received: name }));
}
