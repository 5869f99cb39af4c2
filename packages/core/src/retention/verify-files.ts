import { MeasuredBody } from '../archive/measured-body.ts';
import type { backupArtifacts } from '../catalog/artifact.ts';
import type { BackupManifest } from '../catalog/artifacts/backup-manifest.ts';
import { readArtifact } from '../catalog/backup-files.ts';
import { backupDirectory, backupFileName } from '../catalog/key-layout.ts';
import type { StoredFile } from '../catalog/stored-file.ts';
import { isLifeboatError } from '../errors.ts';
import type { CallOptions, ObjectStore } from '../ports/object-store.ts';
import type { Findings } from './verification-findings.ts';

const jsonArtifacts = [
  'podVolumeBackups',
  'volumeSnapshots',
  'resourceList',
  'csiVolumeSnapshots',
  'csiVolumeSnapshotContents',
  'csiVolumeSnapshotClasses',
  'results',
  'itemOperations',
  'volumeInfo',
] as const satisfies readonly (keyof typeof backupArtifacts)[];

/** Holds every file of a backup but its archive against the manifest; without one, sees whether it can be read. */
export async function verifyFiles(
  store: ObjectStore,
  name: string,
  {
    manifest,
    findings,
  }: { readonly manifest: BackupManifest | undefined; readonly findings: Findings },
  options: CallOptions,
): Promise<void> {
  if (manifest === undefined) {
    for (const artifact of jsonArtifacts) {
      await findings.unlessCorrupt(() => readArtifact(store, name, artifact, options));
    }
    return;
  }
  for (const file of manifest.files) {
    if (file.fileName !== backupFileName(name, 'archive')) {
      findings.compareFile(file, await measure(store, name, file.fileName, options));
    }
  }
}

async function measure(
  store: ObjectStore,
  name: string,
  fileName: string,
  { signal }: CallOptions,
): Promise<StoredFile | undefined> {
  try {
    const body = new MeasuredBody(await store.get(backupDirectory(name) + fileName, { signal }));
    await drain(body);
    return { fileName, sizeBytes: body.sizeBytes, sha256: body.sha256 };
  } catch (error) {
    if (isLifeboatError(error, 'NotFound')) {
      return undefined;
    }
    throw error;
  }
}

async function drain(body: AsyncIterable<unknown>): Promise<void> {
  const chunks = body[Symbol.asyncIterator]();
  while ((await chunks.next()).done !== true) {
    // What counts is that it has been read.
  }
}
