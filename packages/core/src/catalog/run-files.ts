import { isLifeboatError, LifeboatError } from '../errors.ts';
import type { CallOptions, ObjectBody, ObjectStore, PutOptions } from '../ports/object-store.ts';
import { readBackup } from './backup-files.ts';
import { createObject } from './create-object.ts';
import { backupKey, claimKey } from './key-layout.ts';
import { readClaim } from './stored-claim.ts';

/** The run that a {@link RunFiles} belongs to. */
export interface RunOfFiles {
  /** The name of the backup. */
  readonly name: string;
  /** The run, as its claim has it. */
  readonly runId: string;
  /** The uid of the Backup that the run is to store. Without it a stored backup is never taken for the run's own. */
  readonly uid?: string | undefined;
}

/**
 * The files of a backup that one run makes. Velero knows nothing of claims and may write into the same directory, so the run
 * replaces no file, and takes back only those that it has created.
 */
export class RunFiles {
  /**
   * The store, in which a `put` only creates: it rejects with AlreadyExists where another writer was first. A store without
   * `ifAbsent` is asked first, which a writer at the same moment can slip past.
   */
  readonly store: ObjectStore;
  readonly #inner: ObjectStore;
  readonly #run: RunOfFiles;
  // What the run has or may have created, with the size where it is known beforehand.
  readonly #created = new Map<string, number | undefined>();
  #hasMetAnother = false;

  constructor(store: ObjectStore, run: RunOfFiles) {
    this.#inner = store;
    this.#run = run;
    this.store = {
      location: store.location,
      capabilities: store.capabilities,
      put: (key, body, options) => this.#create(key, body, options),
      get: (key, options) => store.get(key, options),
      stat: (key, options) => store.stat(key, options),
      list: (prefix, options) => store.list(prefix, options),
      listPrefixes: (prefix, options) => store.listPrefixes(prefix, options),
      delete: (key, options) => store.delete(key, options),
      close: () => store.close(),
      [Symbol.asyncDispose]: () => store.close(),
    };
  }

  /**
   * Gives the name of the backup back after a run that failed: deletes what the run has created, its claim last, so that a
   * clean-up that is itself interrupted can still be recognised and finished. Repeating it is harmless. A file that cannot be
   * deleted does not keep the others, but the claim.
   *
   * A `velero-backup.json` with the run's uid is deleted first of all: a reader must not see half a backup. Once the run has met
   * another writer, or one has stored its `velero-backup.json`, none of the files that every backup has is deleted: Velero
   * writes its own over them, and nobody can look and delete in one.
   *
   * @throws the first error of a deletion.
   */
  async abandon({ signal }: CallOptions = {}): Promise<void> {
    const description = backupKey(this.#run.name, 'backup');
    const failures: unknown[] = [];
    const created = [...this.#created.keys()].filter((key) => key !== description);
    for (const key of this.#created.has(description) ? [description, ...created] : created) {
      try {
        if (await this.#isOwn(key, signal)) {
          await this.#inner.delete(key, { signal });
        }
      } catch (error) {
        signal?.throwIfAborted();
        failures.push(error);
      }
    }
    if (failures.length > 0) {
      throw failures[0];
    }
    await this.#releaseClaim(signal);
  }

  async #create(
    key: string,
    body: ObjectBody,
    { contentType = 'application/octet-stream', signal }: PutOptions = {},
  ): Promise<void> {
    const { name } = this.#run;
    this.#created.set(key, body instanceof Uint8Array ? body.byteLength : undefined);
    try {
      await createObject(this.#inner, key, body, { contentType, signal });
    } catch (error) {
      if (!isLifeboatError(error, 'AlreadyExists')) {
        throw error;
      }
      this.#created.delete(key);
      this.#hasMetAnother = true;
      throw new LifeboatError(
        `backup ${name} cannot be made in ${this.#inner.location}: another writer, such as Velero, has meanwhile stored ${key}. Choose another name`,
        { code: 'AlreadyExists', operation: 'backup', target: name, cause: error },
      );
    }
  }

  /** Whether a file that the run has created may be deleted as its own. Asked right before, since Velero may be at work. */
  async #isOwn(key: string, signal: AbortSignal | undefined): Promise<boolean> {
    const { name } = this.#run;
    if (key === backupKey(name, 'manifest') || key === backupKey(name, 'index')) {
      return true;
    }
    if (this.#hasMetAnother || (await this.#isForeign(signal))) {
      return false;
    }
    // Velero writes its log before its description.
    const sizeBytes = this.#created.get(key);
    return (
      sizeBytes === undefined || (await this.#inner.stat(key, { signal }))?.sizeBytes === sizeBytes
    );
  }

  async #isForeign(signal: AbortSignal | undefined): Promise<boolean> {
    const { name, uid } = this.#run;
    try {
      const stored = await readBackup(this.#inner, name, { signal });
      return stored !== undefined && (uid === undefined || stored.metadata.uid !== uid);
    } catch (error) {
      // What we store is whole or absent: a damaged one is not ours.
      if (isLifeboatError(error, 'CorruptBackup')) {
        return true;
      }
      throw error;
    }
  }

  /** A deletion that has taken the claim over needs it until it is done. */
  async #releaseClaim(signal: AbortSignal | undefined): Promise<void> {
    const { name, runId } = this.#run;
    const holder = await readClaim(this.#inner, name, { signal });
    if (holder?.runId === undefined || holder.runId === runId) {
      await this.#inner.delete(claimKey(name), { signal });
    }
  }
}
