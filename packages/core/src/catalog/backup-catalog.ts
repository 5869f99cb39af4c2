import { isLifeboatError, LifeboatError, messageOf } from '../errors.ts';
import type { Backup } from '../model/backup.ts';
import type { ClaimConsistency } from '../model/claim-consistency.ts';
import type { Issue } from '../model/issue.ts';
import { compareCodePoints } from '../model/json.ts';
import type { KubernetesObject, ResourceIdentifier } from '../model/kubernetes.ts';
import { isDnsSubdomain } from '../model/kubernetes-name.ts';
import type { Logger } from '../ports/logger.ts';
import type { CallOptions, ObjectStore } from '../ports/object-store.ts';
import { backupExists, readBackup, readManifest } from './backup-files.ts';
import { deleteBackupFiles } from './delete-backup-files.ts';
import { isMarkedForDeletion } from './deletion-mark.ts';
import { backupsDirectory } from './key-layout.ts';
import { listStoredObjects, readStoredObject } from './stored-objects.ts';

/** Options of {@link BackupCatalog.list}. */
export interface ListBackupsOptions extends CallOptions {
  /** Told of each directory whose backup cannot be read; the list goes on without it. */
  readonly onIssue?: ((issue: Issue) => void) | undefined;
}

/** The backups in an object store, whether Lifeboat or Velero made them. It never touches a cluster. */
export class BackupCatalog {
  readonly #store: ObjectStore;
  readonly #logger: Logger;

  constructor(store: ObjectStore, logger: Logger) {
    this.#store = store;
    this.#logger = logger;
  }

  /**
   * Lists the complete backups by name, reading one description at a time; nothing more once the loop is left. It costs one
   * list of names, and for each backup a read and a look whether it is being deleted, both at once.
   *
   * - One whose deletion has begun and has not come to its end is in phase `Deleting`, whatever its file says: it may have lost
   *   snapshots. `deleteBackup` finishes the deletion.
   * - A directory without `velero-backup.json` is an unfinished or half deleted backup and is left out.
   * - A backup deleted meanwhile is left out; one that cannot be read is an issue, and a warning in the log.
   * - Aborted: rejects with `signal.reason`.
   *
   * @throws {ObjectStoreError} when the store cannot be read.
   */
  async *list({ signal, onIssue }: ListBackupsOptions = {}): AsyncIterable<Backup> {
    for (const name of await this.#names(signal)) {
      signal?.throwIfAborted();
      const backup = await this.#readOrReport(name, { signal, onIssue });
      if (backup !== undefined) {
        yield backup;
      }
    }
  }

  /**
   * Reads the description of a backup; `undefined` when there is no complete backup of that name. Its phase is `Deleting` once its
   * deletion has begun, as in {@link list}.
   *
   * @throws {LifeboatError} code CorruptBackup when what is stored there does not describe a backup of that name.
   * @throws {ValidationError} when the name cannot be a backup's.
   */
  async get(name: string, { signal }: CallOptions = {}): Promise<Backup | undefined> {
    signal?.throwIfAborted();
    return this.#read(name, { signal });
  }

  /**
   * Lists the objects that a backup holds, in the order of its archive. One made by Lifeboat has an index, which is all that is
   * read; of another the whole archive is.
   *
   * @throws {LifeboatError} code NotFound when there is no such backup; CorruptBackup when its archive is damaged, which may show
   * after objects have been yielded.
   */
  async *listObjects(
    name: string,
    { signal }: CallOptions = {},
  ): AsyncIterable<ResourceIdentifier> {
    signal?.throwIfAborted();
    const source = { store: this.#store, backupName: name, logger: this.#logger };
    yield* listStoredObjects(source, { signal });
  }

  /**
   * Reads one object as a backup holds it; `undefined` when the backup does not hold it. Of a backup made by Lifeboat about 1 MiB
   * at most is fetched besides the index; of another the archive is read as far as the object.
   *
   * @example
   * ```ts
   * const object = { groupResource: 'configmaps', namespace: 'shop', name: 'settings' };
   * const settings = await engine.catalog.getObject('shop-20261124', object);
   * ```
   *
   * @throws {LifeboatError} code NotFound when there is no such backup; CorruptBackup when what is stored is not that object.
   */
  async getObject(
    name: string,
    object: ResourceIdentifier,
    { signal }: CallOptions = {},
  ): Promise<KubernetesObject | undefined> {
    signal?.throwIfAborted();
    const source = { store: this.#store, backupName: name, logger: this.#logger };
    return readStoredObject(source, object, { signal });
  }

  /**
   * Says how consistent the data of each claim is that a backup has a snapshot of, sorted by namespace and name; `undefined` when it does
   * not tell: those of Velero do not.
   *
   * @throws {LifeboatError} code NotFound when there is no such backup; CorruptBackup when its manifest is damaged.
   */
  async getConsistency(
    name: string,
    { signal }: CallOptions = {},
  ): Promise<readonly ClaimConsistency[] | undefined> {
    signal?.throwIfAborted();
    if (!(await backupExists(this.#store, name, { signal }))) {
      throw new LifeboatError(`there is no backup ${name} in ${this.#store.location}`, {
        ...{ code: 'NotFound', operation: 'catalog.getConsistency', target: name },
      });
    }
    return (await readManifest(this.#store, name, { signal }))?.claims;
  }

  /**
   * Deletes every file of a backup. A missing backup is success; so the rest of an interrupted deletion is deleted by repeating
   * it. The backup's storage snapshots are not freed: that takes a cluster, and the engine's `deleteBackup`.
   *
   * @throws {ObjectStoreError} code Retained when a lock of the store forbids it.
   * @throws {ValidationError} when the name cannot be a backup's.
   */
  async delete(name: string, { signal }: CallOptions = {}): Promise<void> {
    signal?.throwIfAborted();
    await deleteBackupFiles(this.#store, name, { signal });
  }

  async #names(signal: AbortSignal | undefined): Promise<readonly string[]> {
    signal?.throwIfAborted();
    const names: string[] = [];
    for await (const prefix of this.#store.listPrefixes(backupsDirectory, { signal })) {
      names.push(prefix.slice(backupsDirectory.length, -1));
    }
    // A store sorts `a-b/` before `a/`; by name it is the other way round.
    return names.sort(compareCodePoints);
  }

  async #read(name: string, options: CallOptions): Promise<Backup | undefined> {
    const [backup, isMarked] = await Promise.all([
      readBackup(this.#store, name, options),
      isMarkedForDeletion(this.#store, name, options),
    ]);
    return backup !== undefined && isMarked
      ? { ...backup, status: { ...backup.status, phase: 'Deleting' } }
      : backup;
  }

  async #readOrReport(
    name: string,
    { signal, onIssue }: ListBackupsOptions,
  ): Promise<Backup | undefined> {
    if (!isDnsSubdomain(name)) {
      this.#report(name, 'the name of the directory cannot be the name of a backup', onIssue);
      return undefined;
    }
    try {
      return await this.#read(name, { signal });
    } catch (error) {
      if (!isLifeboatError(error, 'CorruptBackup')) {
        throw error;
      }
      this.#report(name, messageOf(error), onIssue);
      return undefined;
    }
  }

  #report(name: string, why: string, onIssue: ListBackupsOptions['onIssue']): void {
    this.#logger.warn('a backup cannot be read', {
      backup: name,
      store: this.#store.location,
      error: why,
    });
    onIssue?.({
      severity: 'warning',
      reason: 'CorruptBackup',
      message: `${backupsDirectory}${name}/ in ${this.#store.location} is left out of the list: ${why}`,
    });
  }
}
