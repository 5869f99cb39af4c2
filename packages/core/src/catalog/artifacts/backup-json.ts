import { LifeboatError, messageOf } from '../../errors.ts';
import { excerptOf } from '../../internal/excerpt.ts';
import type { Backup, BackupMeta, BackupSpec, BackupStatus } from '../../model/backup.ts';
import {
  isJsonObject,
  type JsonObject,
  type JsonValue,
  stringifyPrettyJson,
} from '../../model/json.ts';
import { objectAt, stringAt } from '../../model/object-path.ts';
import type { BackupPhase } from '../../model/phase.ts';
import { parseUntrustedJson } from '../../model/untrusted-json.ts';
import { metadataKeys, orderKeys, specKeys, statusKeys } from './backup-key-order.ts';
import { type FieldKind, misfitOf } from './field-kind.ts';

const metadataFields: Readonly<Record<string, FieldKind>> = {
  name: 'string',
  namespace: 'string',
  uid: 'string',
  creationTimestamp: 'string',
  labels: 'stringMap',
  annotations: 'stringMap',
};
const specFields: Readonly<Record<string, FieldKind>> = {
  includedNamespaces: 'strings',
  excludedNamespaces: 'strings',
  excludedClusterScopedResources: 'strings',
  excludedNamespaceScopedResources: 'strings',
  snapshotVolumes: 'boolean',
  ttl: 'string',
  storageLocation: 'string',
  csiSnapshotTimeout: 'string',
  itemOperationTimeout: 'string',
  snapshotMoveData: 'boolean',
};
const statusFields: Readonly<Record<string, FieldKind>> = {
  version: 'number',
  formatVersion: 'string',
  phase: 'string',
  expiration: 'string',
  startTimestamp: 'string',
  completionTimestamp: 'string',
  progress: 'object',
  warnings: 'number',
  errors: 'number',
  csiVolumeSnapshotsAttempted: 'number',
  csiVolumeSnapshotsCompleted: 'number',
  backupItemOperationsAttempted: 'number',
  backupItemOperationsCompleted: 'number',
};
const phases: Readonly<Record<BackupPhase, true>> = {
  New: true,
  Queued: true,
  ReadyToStart: true,
  FailedValidation: true,
  InProgress: true,
  WaitingForPluginOperations: true,
  WaitingForPluginOperationsPartiallyFailed: true,
  Finalizing: true,
  FinalizingPartiallyFailed: true,
  Completed: true,
  PartiallyFailed: true,
  Failed: true,
  Deleting: true,
};

/**
 * Encodes a Backup as `velero-backup.json`: indented, fields in the order of Velero's own encoder, the fields that it never
 * leaves out filled in, unknown fields kept at the end.
 */
export function encodeBackup(backup: Backup): string {
  const { kind, apiVersion, metadata, spec, status, ...rest } = backup;
  return stringifyPrettyJson({
    kind,
    apiVersion,
    metadata: orderKeys({ creationTimestamp: null, ...metadata }, metadataKeys),
    spec: orderKeys(
      {
        metadata: {},
        ttl: '0s',
        hooks: {},
        csiSnapshotTimeout: '0s',
        itemOperationTimeout: '0s',
        ...spec,
      },
      specKeys,
    ),
    status: orderKeys(status, statusKeys),
    ...rest,
  });
}

/**
 * Decodes `velero-backup.json` of any version of Velero. Fields that are missing or `null` are absent in the result, unknown
 * fields are kept, and a status without a phase counts as New.
 *
 * @throws {LifeboatError} code CorruptBackup when it is not a `velero.io/v1` Backup of the given name, or a field has the
 * wrong type.
 */
export function decodeBackup(
  bytes: Uint8Array,
  { name, target }: { readonly name: string; readonly target: string },
): Backup {
  const document = parseDocument(bytes, target);
  const { apiVersion, kind } = document;
  if (apiVersion !== 'velero.io/v1' || kind !== 'Backup') {
    throw corrupt(target, 'it is not a Backup of velero.io/v1');
  }
  const metadata = withoutNulls(objectAt(document, ['metadata']));
  const spec = withoutNulls(objectAt(document, ['spec']));
  const status = completeStatus(withoutNulls(objectAt(document, ['status'])));
  const misfit =
    misfitOf('metadata', metadata, metadataFields) ??
    misfitOf('spec', spec, specFields) ??
    misfitOf('status', status, statusFields);
  if (misfit !== undefined) {
    throw corrupt(target, misfit);
  }
  if (metadata['name'] !== name) {
    throw corrupt(
      target,
      `it describes the backup ${nameOf(metadata)}, not ${JSON.stringify(name)}, which is what its directory says`,
    );
  }
  if (!isMeta(metadata) || !isSpec(spec) || !isStatus(status)) {
    throw corrupt(
      target,
      `it is in the unknown phase ${excerptOf(stringAt(status, ['phase']) ?? '')}`,
    );
  }
  return { ...document, kind, apiVersion, metadata, spec, status };
}

// The guards hold because of the checks that ran before them: `misfitOf` for the fields, the name, the phase.
function isMeta(value: JsonObject): value is BackupMeta {
  return typeof value['name'] === 'string';
}

function isSpec(value: JsonObject): value is BackupSpec {
  return misfitOf('spec', value, specFields) === undefined;
}

function isStatus(value: JsonObject): value is BackupStatus {
  return Object.hasOwn(phases, stringAt(value, ['phase']) ?? '');
}

function parseDocument(bytes: Uint8Array, target: string): JsonObject {
  let document: JsonValue;
  try {
    document = parseUntrustedJson(new TextDecoder().decode(bytes));
  } catch (error) {
    throw corrupt(target, messageOf(error), error);
  }
  if (!isJsonObject(document)) {
    throw corrupt(target, 'it does not hold a JSON object');
  }
  return document;
}

// Go leaves out counters that are zero and an empty phase, which means New; backups older than 1.1 have no format version.
function completeStatus(status: JsonObject): JsonObject {
  const progress = objectAt(status, ['progress']);
  return {
    version: 1,
    formatVersion: '1',
    ...status,
    phase: stringAt(status, ['phase']) || 'New',
    ...(progress && { progress: { totalItems: 0, itemsBackedUp: 0, ...progress } }),
  };
}

function nameOf(metadata: JsonObject): string {
  const name = stringAt(metadata, ['name']);
  return name === undefined ? 'undefined' : excerptOf(name);
}

function withoutNulls(object: JsonObject = {}): JsonObject {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== null));
}

function corrupt(target: string, why: string, cause?: unknown): LifeboatError {
  return new LifeboatError(`${target} does not describe a backup: ${why}`, {
    code: 'CorruptBackup',
    operation: 'catalog.read',
    target,
    cause,
  });
}
