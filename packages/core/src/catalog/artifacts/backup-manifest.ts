import { LifeboatError, messageOf } from '../../errors.ts';
import { version } from '../../internal/version.ts';
import type { ClaimConsistency } from '../../model/claim-consistency.ts';
import {
  isJsonObject,
  type JsonObject,
  type JsonValue,
  stringifyPrettyJson,
} from '../../model/json.ts';
import { arrayAt, objectAt, stringAt } from '../../model/object-path.ts';
import { parseUntrustedJson } from '../../model/untrusted-json.ts';
import type { StoredFile } from '../stored-file.ts';

const formatVersion = 1;

/**
 * What decided about the objects of a backup and is not in it: the option `include`, an item action that kept one out, the filters of a
 * resource policy.
 */
export type UnstoredFilter = 'include' | 'itemAction' | 'resourcePolicy';

/** What a backup consists of, so that it can be verified. */
export interface BackupManifest {
  readonly backup: { readonly name: string; readonly uid: string };
  /** Version of the API server that the objects are from. */
  readonly kubernetesVersion: string;
  /** Objects in the archive. */
  readonly objects: number;
  /** Files in the archive. */
  readonly entries: number;
  /** Absent when the manifest does not tell. */
  readonly unstoredFilters?: readonly UnstoredFilter[] | undefined;
  /** What it has of each claim that was snapshotted; absent when the manifest does not tell. */
  readonly claims?: readonly ClaimConsistency[] | undefined;
  /** Every file of the backup's directory, but for the manifest itself and marks such as the claim. */
  readonly files: readonly StoredFile[];
}

/** The manifest as it is stored. */
export function encodeBackupManifest(manifest: BackupManifest): string {
  const { backup, kubernetesVersion, objects, entries, unstoredFilters, claims, files } = manifest;
  const document: JsonObject = {
    formatVersion,
    writer: { name: 'lifeboat', version },
    backup: { name: backup.name, uid: backup.uid },
    kubernetesVersion,
    objects,
    entries,
    ...(unstoredFilters === undefined ? {} : { unstoredFilters }),
    ...(claims === undefined
      ? {}
      : { claims: claims.map(({ ...consistency }): JsonObject => consistency) }),
    files: Object.fromEntries(
      files.map(({ fileName, sizeBytes, sha256 }) => [fileName, { sizeBytes, sha256 }]),
    ),
  };
  return `${stringifyPrettyJson(document)}\n`;
}

/**
 * Reads a stored manifest.
 *
 * @throws {LifeboatError} code CorruptBackup when it is not a manifest, or one of a later format.
 */
export function decodeBackupManifest(bytes: Uint8Array, target: string): BackupManifest {
  let document: unknown;
  try {
    document = parseUntrustedJson(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (error) {
    throw corruptManifest(target, messageOf(error), error);
  }
  const manifest = isJsonObject(document) ? manifestOf(document) : undefined;
  if (manifest === undefined) {
    throw corruptManifest(target, 'it is not a manifest that this version of Lifeboat knows');
  }
  return manifest;
}

function manifestOf(document: JsonObject): BackupManifest | undefined {
  const name = stringAt(document, ['backup', 'name']);
  const uid = stringAt(document, ['backup', 'uid']);
  const kubernetesVersion = stringAt(document, ['kubernetesVersion']);
  const { objects, entries } = document;
  const unstoredFilters = arrayAt(document, ['unstoredFilters']);
  const claims = arrayAt(document, ['claims']).map(consistencyOf);
  const files = Object.entries(objectAt(document, ['files']) ?? {}).map(
    ([fileName, file]): StoredFile | undefined => {
      const sizeBytes = isJsonObject(file) ? file['sizeBytes'] : undefined;
      const sha256 = isJsonObject(file) ? file['sha256'] : undefined;
      return typeof sizeBytes === 'number' && typeof sha256 === 'string'
        ? { fileName, sizeBytes, sha256 }
        : undefined;
    },
  );
  return document['formatVersion'] === formatVersion &&
    name !== undefined &&
    uid !== undefined &&
    kubernetesVersion !== undefined &&
    typeof objects === 'number' &&
    typeof entries === 'number' &&
    files.every((file) => file !== undefined) &&
    unstoredFilters.every(isUnstoredFilter) &&
    claims.every((claim) => claim !== undefined)
    ? {
        ...{ backup: { name, uid }, kubernetesVersion, objects, entries, files },
        ...(document['unstoredFilters'] !== undefined && { unstoredFilters }),
        ...(document['claims'] !== undefined && { claims }),
      }
    : undefined;
}

function isUnstoredFilter(value: JsonValue): value is UnstoredFilter {
  return value === 'include' || value === 'itemAction' || value === 'resourcePolicy';
}

function consistencyOf(entry: JsonValue): ClaimConsistency | undefined {
  const claim = isJsonObject(entry) ? entry : {};
  const namespace = stringAt(claim, ['namespace']);
  const claimName = stringAt(claim, ['claimName']);
  const volumeGroup = stringAt(claim, ['volumeGroup']);
  const { level } = claim;
  return namespace !== undefined &&
    claimName !== undefined &&
    (level === 'application' || level === 'crash')
    ? { namespace, claimName, level, ...(volumeGroup !== undefined && { volumeGroup }) }
    : undefined;
}

function corruptManifest(target: string, why: string, cause?: unknown): LifeboatError {
  return new LifeboatError(
    `${target} cannot be read: ${why}. Without it the backup can be restored all the same, but not be verified whole`,
    { code: 'CorruptBackup', operation: 'catalog.read', target, cause },
  );
}
