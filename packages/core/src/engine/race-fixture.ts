import { randomUUID } from 'node:crypto';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { encodeBackup } from '../catalog/artifacts/backup-json.ts';
import { backupKey } from '../catalog/key-layout.ts';
import type { Backup } from '../model/backup.ts';
import type {
  CallOptions,
  GetOptions,
  ObjectBody,
  ObjectStat,
  ObjectStore,
  PutOptions,
} from '../ports/object-store.ts';

/** Numbers from 0 to below 1 that are the same for the same seed (mulberry32). */
export function seededRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Lets others go first, a number of times that the seed tells. */
export async function hesitate(random: () => number, most: number): Promise<void> {
  for (let turns = Math.floor(random() * most); turns > 0; turns -= 1) {
    await nextTurn();
  }
}

/** A store whose calls take as long as the seed tells, before and after what they do. */
export function hesitantStore(store: ObjectStore, random: () => number): ObjectStore {
  const around = async <T>(call: () => Promise<T>): Promise<T> => {
    await hesitate(random, 6);
    const result = await call();
    await hesitate(random, 3);
    return result;
  };
  return {
    location: store.location,
    capabilities: store.capabilities,
    put: (key: string, body: ObjectBody, options?: PutOptions) =>
      around(() => store.put(key, body, options)),
    get: (key: string, options?: GetOptions) => around(() => store.get(key, options)),
    stat: (key: string, options?: CallOptions) => around(() => store.stat(key, options)),
    async *list(prefix: string, options?: CallOptions): AsyncGenerator<ObjectStat> {
      await hesitate(random, 6);
      yield* store.list(prefix, options);
    },
    listPrefixes: (prefix: string, options?: CallOptions) => store.listPrefixes(prefix, options),
    delete: (key: string, options?: CallOptions) => around(() => store.delete(key, options)),
    close: () => store.close(),
    [Symbol.asyncDispose]: () => store.close(),
  };
}

/** What Velero stores beside `velero-backup.json` and the archive. */
const besides = [
  'podVolumeBackups',
  'volumeSnapshots',
  'itemOperations',
  'resourceList',
  'results',
  'volumeInfo',
] as const;

/** Velero's way of storing a backup: it knows no claims, looks once, long before it writes, and then writes over what is there. */
export class VeleroWriter {
  readonly uid: string = randomUUID();
  /** What it has stored, by key. */
  readonly written: Map<string, string> = new Map();

  /** Whether it has made a backup; `false` when it found one at the beginning. */
  async backUp(
    store: ObjectStore,
    name: string,
    hesitateUpTo: (most: number) => Promise<void>,
  ): Promise<boolean> {
    await hesitateUpTo(250);
    if ((await store.stat(backupKey(name, 'backup'))) !== undefined) {
      return false;
    }
    await hesitateUpTo(100);
    const put = async (key: string, text: string): Promise<void> => {
      await store.put(key, Buffer.from(text));
      this.written.set(key, text);
    };
    await put(backupKey(name, 'logs'), `the log of ${this.uid}`);
    await put(backupKey(name, 'backup'), encodeBackup(this.#describe(name)));
    await put(backupKey(name, 'archive'), `the archive of ${this.uid}`);
    for (const artifact of besides) {
      await put(backupKey(name, artifact), `${artifact} of ${this.uid}`);
    }
    return true;
  }

  #describe(name: string): Backup {
    return {
      kind: 'Backup',
      apiVersion: 'velero.io/v1',
      metadata: { name, uid: this.uid },
      spec: {},
      status: { version: 1, formatVersion: '1.1.0', phase: 'Completed' },
    };
  }
}
