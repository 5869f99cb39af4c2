import { ValidationError } from '../errors.ts';
import { isDnsSubdomain } from '../model/kubernetes-name.ts';
import {
  type ArtifactDescription,
  type BackupArtifact,
  backupArtifacts,
  type RestoreArtifact,
  restoreArtifacts,
} from './artifact.ts';

// Every key that Lifeboat reads or writes is made here. Velero refuses a bucket in which it finds any top-level folder
// besides its own (velero: pkg/persistence/object_store_layout.go), so what is ours lives inside `backups/<name>/`.

/** The folder of all backups; what {@link backupDirectory} returns begins with it. */
export const backupsDirectory = 'backups/';

/** The folder of all restores. */
export const restoresDirectory = 'restores/';

/**
 * The folder of a backup, `backups/<name>/`.
 *
 * @throws {ValidationError} when the name is not a DNS-1123 subdomain: it could leave its folder.
 */
export function backupDirectory(name: string): string {
  return `${backupsDirectory}${checkedName('backup', name)}/`;
}

/** The key of one of a backup's files. @throws {ValidationError} as {@link backupDirectory} does. */
export function backupKey(name: string, artifact: BackupArtifact): string {
  return backupDirectory(name) + backupFileName(name, artifact);
}

/** The name of one of a backup's files in its folder. */
export function backupFileName(name: string, artifact: BackupArtifact): string {
  return fileName(backupArtifacts[artifact], name);
}

/**
 * The key of the claim that a run takes a backup's name with.
 *
 * @throws {ValidationError} as {@link backupDirectory} does.
 */
export function claimKey(name: string): string {
  return `${backupDirectory(name)}lifeboat-claim.json`;
}

/**
 * The key of the mark that the deletion of a backup has begun.
 *
 * @throws {ValidationError} as {@link backupDirectory} does.
 */
export function deletionMarkKey(name: string): string {
  return `${backupDirectory(name)}lifeboat-deletion.json`;
}

/**
 * A key in a backup's folder that never exists: whoever may delete it may delete the others.
 *
 * @throws {ValidationError} as {@link backupDirectory} does.
 */
export function deletionProbeKey(name: string): string {
  return `${backupDirectory(name)}lifeboat-deletion-probe`;
}

/**
 * The folder of a restore, `restores/<name>/`.
 *
 * @throws {ValidationError} when the name is not a DNS-1123 subdomain.
 */
export function restoreDirectory(name: string): string {
  return `${restoresDirectory}${checkedName('restore', name)}/`;
}

/** The key of one of a restore's files. @throws {ValidationError} as {@link restoreDirectory} does. */
export function restoreKey(name: string, artifact: RestoreArtifact): string {
  return restoreDirectory(name) + fileName(restoreArtifacts[artifact], name);
}

function fileName(description: ArtifactDescription, name: string): string {
  return description.fileName.replace('{name}', name);
}

function checkedName(kind: 'backup' | 'restore', name: string): string {
  if (!isDnsSubdomain(name)) {
    throw new ValidationError('catalog', [
      {
        path: 'name',
        rule: `must be the name of a ${kind}, a DNS-1123 subdomain: up to 253 of a-z, 0-9, "-" and ".", beginning and ending with a letter or digit`,
        received: name,
      },
    ]);
  }
  return name;
}
