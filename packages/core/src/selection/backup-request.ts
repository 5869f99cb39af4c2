import type { Violation } from '../errors.ts';
import type { BackupSpec } from '../model/backup.ts';
import { formatDuration, parseDuration } from '../model/duration.ts';
import { isDnsSubdomain } from '../model/kubernetes-name.ts';
import { arrayAt, objectAt, stringAt } from '../model/object-path.ts';
import { usesGlobalFilter } from './resource-filter.ts';
import { volumeSnapshotContents, volumeSnapshots } from './snapshot-resources.ts';
import { validateBackupSpec } from './validate-backup-spec.ts';

// The longest suffix of a file is 25 characters, and file systems take 255 bytes for a name: better refused at once than when
// the files are written.
const longestName = 230;
const hourMs = 3_600_000;
const minuteMs = 60_000;

/** What {@link validateBackupRequest} checks of a request. */
export interface BackupNameAndSpec {
  readonly name: string;
  readonly spec?: BackupSpec | undefined;
}

/** Finds everything that is wrong with the request of a backup; empty when it can be made as it is asked for. */
export function validateBackupRequest({
  name,
  spec = {},
}: BackupNameAndSpec): readonly Violation[] {
  return [...nameViolations(name), ...validateBackupSpec(spec)];
}

/**
 * The spec as a finished backup carries it: Velero's defaults filled in, durations as Go prints them, and the snapshot
 * resources excluded, as Velero does since 1.17: a snapshot is stored with its claim. Completing a complete spec changes
 * nothing.
 */
export function completeBackupSpec(spec: BackupSpec): BackupSpec {
  return {
    ...spec,
    metadata: objectAt(spec, ['metadata']) ?? {},
    includedNamespaces: spec.includedNamespaces?.length ? spec.includedNamespaces : ['*'],
    ...automaticExclusions(spec),
    ttl: durationOr(spec.ttl, 720 * hourMs),
    volumeGroupSnapshotLabelKey:
      stringAt(spec, ['volumeGroupSnapshotLabelKey']) || 'velero.io/volume-group',
    hooks: spec.hooks ?? {},
    storageLocation: spec.storageLocation || 'default',
    defaultVolumesToFsBackup: false,
    csiSnapshotTimeout: durationOr(spec.csiSnapshotTimeout, 10 * minuteMs),
    itemOperationTimeout: durationOr(spec.itemOperationTimeout, 4 * hourMs),
    snapshotMoveData: false,
  };
}

/** The spec with namespaces added to its exclusions: those that carry `velero.io/exclude-from-backup=true`. */
export function withExcludedNamespaces(spec: BackupSpec, names: readonly string[]): BackupSpec {
  return names.length === 0
    ? spec
    : { ...spec, excludedNamespaces: withNames(spec.excludedNamespaces ?? [], names) };
}

function nameViolations(name: string): readonly Violation[] {
  return isDnsSubdomain(name) && name.length <= longestName
    ? []
    : [
        {
          path: 'name',
          rule: `must be a DNS-1123 subdomain: up to ${longestName} of a-z, 0-9, "-" and ".", beginning and ending with a letter or digit`,
          received: name,
        },
      ];
}

function automaticExclusions(spec: BackupSpec): BackupSpec {
  const exclude = (field: string, ...names: readonly string[]): readonly string[] =>
    withNames(
      arrayAt(spec, [field]).filter((name) => typeof name === 'string'),
      names,
    );
  return usesGlobalFilter(spec)
    ? { excludedResources: exclude('excludedResources', volumeSnapshots, volumeSnapshotContents) }
    : {
        excludedClusterScopedResources: exclude(
          'excludedClusterScopedResources',
          volumeSnapshotContents,
        ),
        excludedNamespaceScopedResources: exclude(
          'excludedNamespaceScopedResources',
          volumeSnapshots,
        ),
      };
}

function withNames(names: readonly string[], added: readonly string[]): readonly string[] {
  return [...names, ...added.filter((name) => !names.includes(name))];
}

// Go has no absent duration: zero stands for it.
function durationOr(text: string | undefined, defaultMs: number): string {
  return formatDuration((text && parseDuration(text)) || defaultMs);
}
