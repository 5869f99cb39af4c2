import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Header, pack } from 'tar-stream';
import { expect } from 'vitest';
import { entryBytes } from '../archive/entry-bytes.ts';
import { backupKey } from '../catalog/key-layout.ts';
import type { KubernetesObject } from '../model/kubernetes.ts';
import type { GetOptions } from '../ports/object-store.ts';
import type { RestoreOptions, RestoreResult } from '../restore/request.ts';
import { archivedObject, storeBackup } from '../restore/stored-backup-fixture.ts';
import { MemoryObjectStore } from '../stores/memory-object-store.ts';
import { FakeCluster } from '../testing/fake-cluster/fake-cluster.ts';
import type { ClusterRequest } from '../testing/fake-cluster/request-log.ts';
import { createEngine } from './create-engine.ts';
import type { Engine } from './engine.ts';

/** The name of the backup that a scene holds. */
export const backupName = 'shop';

/** An entry of a tar, whoever writes it. */
export type TarEntry = Partial<Header> & { readonly name: string; readonly body?: string };

/** A tar of entries as they are given. */
export async function tarOf(entries: readonly TarEntry[]): Promise<Buffer> {
  const tar = pack();
  for (const { body = '', ...header } of entries) {
    tar.entry(header, body);
  }
  tar.finalize();
  return Buffer.from(await entryBytes(tar));
}

/** Sets a field of the tar header at a place, and makes its checksum right. */
export function withHeaderField(
  tar: Uint8Array,
  offset: number,
  field: Uint8Array,
  at = 0,
): Buffer {
  const changed = Buffer.from(tar);
  changed.set(field, at + offset);
  changed.fill(' ', at + 148, at + 156);
  const sum = changed.subarray(at, at + 512).reduce((total, byte) => total + byte, 0);
  changed.write(`${sum.toString(8).padStart(6, '0')}\0 `, at + 148);
  return changed;
}

/** The path of a ConfigMap in namespace `shop`. */
export function pathOf(name: string): string {
  return `resources/configmaps/namespaces/shop/${name}.json`;
}

/** A ConfigMap as an archive holds it, whatever it says of itself. */
export function configMapEntry(name: string, object: KubernetesObject = configMap(name)): TarEntry {
  return { name: pathOf(name), body: JSON.stringify(object) };
}

/** A ConfigMap in namespace `shop`. */
export function configMap(name: string): KubernetesObject {
  return archivedObject('v1', 'ConfigMap', { name }, { data: { key: name } });
}

/** A store that can serve streams of any length in place of a file, and counts what is read of each. */
export class StreamingStore extends MemoryObjectStore {
  readonly #streams = new Map<string, () => AsyncIterable<Uint8Array>>();
  /** By key. */
  readonly readBytes: Map<string, number> = new Map();

  /** Serves a stream, made anew for each reader. */
  serve(key: string, stream: () => AsyncIterable<Uint8Array>): void {
    this.#streams.set(key, stream);
  }

  override async get(key: string, options: GetOptions = {}): Promise<AsyncIterable<Uint8Array>> {
    const stream = this.#streams.get(key);
    return this.#counted(key, stream === undefined ? await super.get(key, options) : stream());
  }

  async *#counted(key: string, body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    for await (const chunk of body) {
      this.readBytes.set(key, (this.readBytes.get(key) ?? 0) + chunk.byteLength);
      yield chunk;
    }
  }
}

/** An engine, and a store with a backup of one ConfigMap whose files a test replaces. */
export interface HostileScene extends AsyncDisposable {
  readonly cluster: FakeCluster;
  readonly store: StreamingStore;
  readonly engine: Engine;
  restore(options?: Pick<RestoreOptions, 'maximumArchiveEntries'>): Promise<RestoreResult>;
  /** What the cluster was asked to change. */
  writes(): readonly ClusterRequest[];
  /** Fails when the cluster was asked to change anything, the store has a file of a restore, or the machine has one at all. */
  expectNothingWritten(): Promise<void>;
}

// What cannot come is not waited for.
const impatient = { claimBoundTimeoutMs: 50, snapshotImportTimeoutMs: 50, namespaceTimeoutMs: 50 };
const reads: readonly ClusterRequest['operation'][] = [
  'version',
  'discover',
  'get',
  'list',
  'watch',
];

/** Stores a backup and opens an engine on it. */
export async function hostileScene(archive?: Uint8Array): Promise<HostileScene> {
  const directory = await mkdtemp(join(tmpdir(), 'lifeboat-hostile-'));
  const tempDirectory = join(directory, 'temp');
  await mkdir(tempDirectory);
  const cluster = new FakeCluster();
  const store = new StreamingStore();
  await storeBackup(store, { name: backupName, objects: [['configmaps', configMap('settings')]] });
  if (archive !== undefined) {
    await store.put(backupKey(backupName, 'archive'), archive);
  }
  const engine = createEngine({ cluster, store });
  const writes = (): readonly ClusterRequest[] =>
    cluster.requests.filter(({ operation, dryRun }) => !reads.includes(operation) && !dryRun);
  return {
    ...{ cluster, store, engine, writes },
    restore: (options) =>
      engine.restore({ spec: { backupName } }, { tempDirectory, ...impatient, ...options }),
    async expectNothingWritten() {
      expect(writes()).toEqual([]);
      expect(await Array.fromAsync(store.list('restores/'))).toEqual([]);
      expect(await readdir(directory, { recursive: true })).toEqual(['temp']);
    },
    async [Symbol.asyncDispose]() {
      await cluster.close();
      await store.close();
      await rm(directory, { recursive: true });
    },
  };
}
