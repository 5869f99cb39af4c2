import { hash } from 'node:crypto';
import type { ArchiveIndex } from '../archive/archive-index.ts';
import { type ArchiveObject, readArchive } from '../archive/archive-reader.ts';
import { parseArchivedObject } from '../archive/archived-object.ts';
import { MeasuredBody } from '../archive/measured-body.ts';
import type { BackupManifest } from '../catalog/artifacts/backup-manifest.ts';
import { openArchive, readArchiveIndex, readArtifact } from '../catalog/backup-files.ts';
import { backupFileName } from '../catalog/key-layout.ts';
import type { Backup } from '../model/backup.ts';
import { isJsonArray, isJsonObject } from '../model/json.ts';
import { groupResourceOf, type KubernetesObject } from '../model/kubernetes.ts';
import type { CallOptions, ObjectStore } from '../ports/object-store.ts';
import type { Findings } from './verification-findings.ts';

/** What {@link verifyArchive} works with. */
export interface VerifyArchiveRequest extends CallOptions {
  readonly store: ObjectStore;
  readonly backup: Backup;
  readonly manifest: BackupManifest | undefined;
  readonly findings: Findings;
}

/**
 * Reads an archive from end to end: that it is sound, that every object is what its path says, that index and manifest are
 * true of it, and that it holds what the resource list names. Returns how many objects it holds.
 */
export async function verifyArchive(request: VerifyArchiveRequest): Promise<number> {
  const { store, backup, manifest, findings, signal } = request;
  const { name } = backup.metadata;
  const index = await findings.unlessCorrupt(() => readArchiveIndex(store, name, { signal }));
  const missing = await listedNames(request);
  let objects = 0;
  const body = await findings.unlessCorrupt(async () => {
    const measured = new MeasuredBody(await openArchive(store, name, { signal }));
    for await (const entry of readArchive(measured, { signal })) {
      const object = checkObject(entry, findings);
      checkPlace(entry, index, objects, findings);
      objects += 1;
      missing.delete(object === undefined ? '' : listNameOf(object));
    }
    return measured;
  });
  if (body === undefined) {
    return objects;
  }
  const fileName = backupFileName(name, 'archive');
  const expected = manifest?.files.find((file) => file.fileName === fileName);
  if (expected !== undefined) {
    findings.compareFile(expected, { fileName, sizeBytes: body.sizeBytes, sha256: body.sha256 });
  }
  const counted = manifest?.objects ?? index?.objects.length ?? objects;
  if (counted !== objects) {
    findings.addError(
      'ObjectMissing',
      `the archive holds ${objects} objects; ${counted} were written`,
    );
  }
  reportMissing(missing, backup, findings);
  return objects;
}

function checkObject(
  { entry, bytes }: ArchiveObject,
  findings: Findings,
): KubernetesObject | undefined {
  const { object, problem } = parseArchivedObject(entry, bytes);
  if (problem !== undefined) {
    findings.addError('CorruptObject', `it cannot be restored: ${problem}`, entry);
  }
  return object;
}

function checkPlace(
  { entry, bytes }: ArchiveObject,
  index: ArchiveIndex | undefined,
  position: number,
  findings: Findings,
): void {
  const place = index?.objects[position];
  if (
    place !== undefined &&
    (place.name !== entry.name ||
      place.namespace !== entry.namespace ||
      groupResourceOf(place) !== entry.groupResource ||
      place.sha256 !== hash('sha256', bytes, 'base64'))
  ) {
    findings.addError('ObjectDamaged', 'it is not the object that was written here', entry);
  }
}

/** The names in the resource list, `<apiVersion>/<Kind> <namespace>/<name>`; none when there is no list. */
async function listedNames({
  store,
  backup,
  findings,
  signal,
}: VerifyArchiveRequest): Promise<Set<string>> {
  const { name } = backup.metadata;
  const list = await findings.unlessCorrupt(() =>
    readArtifact(store, name, 'resourceList', { signal }),
  );
  const names = Object.entries(isJsonObject(list) ? list : {}).flatMap(([kind, listed]) =>
    (isJsonArray(listed) ? listed : [])
      .filter((listedName) => typeof listedName === 'string')
      .map((listedName) => `${kind} ${listedName}`),
  );
  return new Set(names);
}

function listNameOf({ apiVersion, kind, metadata: { namespace, name } }: KubernetesObject): string {
  return `${apiVersion}/${kind} ${namespace === undefined ? name : `${namespace}/${name}`}`;
}

const namesInMessage = 10;

// Velero lists what it tried to store, so a backup that says it has errors may lack some of it.
function reportMissing(
  missing: ReadonlySet<string>,
  { status: { errors = 0 } }: Backup,
  findings: Findings,
): void {
  if (missing.size === 0) {
    return;
  }
  const named = [...missing].slice(0, namesInMessage).join(', ');
  const others = missing.size > namesInMessage ? `, and ${missing.size - namesInMessage} more` : '';
  const message = `the archive lacks what the resource list names: ${named}${others}`;
  if (errors > 0) {
    findings.addWarning('ObjectMissing', `${message}. The backup says itself that it has errors`);
  } else {
    findings.addError('ObjectMissing', message);
  }
}
