import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { describe, expect, it } from 'vitest';
import type { BackupArtifact } from '../catalog/artifact.ts';
import { backupDirectory, backupFileName, backupKey } from '../catalog/key-layout.ts';
import { isLifeboatError } from '../errors.ts';
import { silentLogger } from '../internal/silent-logger.ts';
import { systemClock } from '../internal/system-clock.ts';
import { Resources } from '../model/resources.ts';
import type { ObjectStore } from '../ports/object-store.ts';
import { findLeftovers } from '../retention/find-leftovers.ts';
import { removeLeftovers } from '../retention/remove-leftovers.ts';
import { FileSystemObjectStore } from '../stores/file-system-object-store.ts';
import { MemoryObjectStore } from '../stores/memory-object-store.ts';
import { FakeCluster } from '../testing/fake-cluster/fake-cluster.ts';
import type { FakeConnection } from '../testing/fake-cluster/fake-connection.ts';
import { createEngine } from './create-engine.ts';
import { KillPoint } from './kill-point-fixture.ts';
import { hesitantStore, hesitate, seededRandom, VeleroWriter } from './race-fixture.ts';

// 1,000 in all: what they do is decided by their seed, so that a race that fails can be run again alone.
const stores = [
  { where: 'in memory', races: 200, open: async () => new MemoryObjectStore() },
  {
    where: 'in a file system',
    races: 50,
    open: async (onClose: (close: () => Promise<void>) => void) => {
      const directory = await mkdtemp(join(tmpdir(), 'lifeboat-races-'));
      onClose(() => rm(directory, { recursive: true }));
      return new FileSystemObjectStore({ directory });
    },
  },
];

describe.each(stores)('runs that race for the name of a backup $where', ({ races, open }) => {
  it.each([
    { who: 'two or three runs', race: raceOfRuns },
    { who: 'a run and one that is aborted', race: raceWithAborted },
    { who: 'a run and one whose process dies', race: raceWithDead },
    { who: 'a run and Velero', race: raceWithVelero },
  ])(`leave one backup: $who`, { timeout: 300_000 }, async ({ race }) => {
    await using closing = new AsyncDisposableStack();
    const store = await open((close) => {
      closing.defer(close);
    });
    await using track = await RaceTrack.open(store);
    for (let seed = 1; seed <= races; seed += 1) {
      try {
        await race(track, seed);
      } catch (error) {
        throw new Error(`race ${seed} failed`, { cause: error });
      }
    }
    await track.expectOnlyBackups();
  });
});

async function raceOfRuns(track: RaceTrack, seed: number): Promise<void> {
  const random = seededRandom(seed);
  const name = `race-${seed}`;
  const runs = Array.from({ length: random() < 0.8 ? 2 : 3 }, () => track.run(name, random));
  const results = await Promise.all(runs.map(({ outcome }) => outcome));
  const winners = results.filter(({ ended }) => ended === 'completed');
  expect(winners).toHaveLength(1);
  for (const [index, { ended }] of results.entries()) {
    if (ended === 'AlreadyExists') {
      expect(runs[index]?.connection.requests).toEqual([]);
    }
  }
  await track.expectBackup(name, winners[0]?.uid);
}

async function raceWithAborted(track: RaceTrack, seed: number): Promise<void> {
  const random = seededRandom(seed);
  const name = `race-${seed}`;
  const stop = new AbortController();
  const aborted = track.run(name, random, { stop, stopAt: Math.floor(random() * 12) });
  const other = track.run(name, random);
  const results = await Promise.all([aborted.outcome, other.outcome]);
  const winners = results.filter(({ ended }) => ended === 'completed');
  if (winners.length === 0) {
    await track.expectNothing(name);
  } else {
    expect(winners).toHaveLength(1);
    await track.expectBackup(name, winners[0]?.uid);
  }
}

async function raceWithDead(track: RaceTrack, seed: number): Promise<void> {
  const random = seededRandom(seed);
  const name = `race-${seed}`;
  const when = random() < 0.5 ? 'before' : 'after';
  const process = new KillPoint({ at: Math.floor(random() * 20), when, die: () => undefined });
  const mortal = track.run(name, random, { process });
  const other = await track.run(name, random).outcome;
  await mortal.outcome;
  if (other.ended === 'completed') {
    await track.expectBackup(name, other.uid);
    return;
  }
  const stored = await createEngine(track).catalog.get(name);
  if (stored === undefined) {
    await track.removeLeftovers();
    await track.expectNothing(name);
  } else {
    await track.expectBackup(name, stored.metadata.uid);
  }
}

async function raceWithVelero(track: RaceTrack, seed: number): Promise<void> {
  const random = seededRandom(seed);
  const name = `race-${seed}`;
  const velero = new VeleroWriter();
  const [ours, veleroHasWon] = await Promise.all([
    track.run(name, random).outcome,
    velero.backUp(hesitantStore(track.store, random), name, (most) => hesitate(random, most)),
  ]);
  if (ours.ended === 'AlreadyExists') {
    expect(veleroHasWon).toBe(true);
    expect(await track.contentsOf(name)).toEqual(velero.written);
  } else if (veleroHasWon) {
    // It had looked before our backup was complete. Nobody takes the mixture for a backup of ours, and nobody knows the
    // snapshot of ours any more.
    await expect(createEngine(track).verify(name)).resolves.toMatchObject({ intact: false });
    track.unknownSnapshots += ours.snapshots ?? 0;
    await track.store.delete(backupKey(name, 'backup'));
    await track.removeLeftovers();
  } else {
    await track.expectBackup(name, ours.uid);
  }
}

interface RunOptions {
  readonly stop?: AbortController;
  readonly stopAt?: number;
  readonly process?: KillPoint;
}

/** How a run ended, with the uid of the backup if it has made one. */
interface Outcome {
  readonly ended: 'completed' | 'AlreadyExists' | 'aborted' | 'dead';
  readonly uid?: string | undefined;
  readonly snapshots?: number | undefined;
}

/** A cluster with a small application, and a store for many backups of it. */
class RaceTrack implements AsyncDisposable {
  readonly cluster = new FakeCluster();
  readonly store: ObjectStore;
  unknownSnapshots = 0;

  private constructor(store: ObjectStore) {
    this.store = store;
  }

  static async open(store: ObjectStore): Promise<RaceTrack> {
    const track = new RaceTrack(store);
    const metadata = { namespace: 'shop', name: 'data' };
    track.cluster.seed([{ apiVersion: 'v1', kind: 'ConfigMap', metadata }]);
    await track.cluster.create(Resources.persistentVolumeClaims, {
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      metadata,
      spec: {
        storageClassName: 'fake-csi',
        accessModes: ['ReadWriteOnce'],
        resources: { requests: { storage: '1Mi' } },
      },
    });
    await track.cluster.settle();
    return track;
  }

  /** Starts a run with a connection of its own. */
  run(
    backupName: string,
    random: () => number,
    { stop, stopAt, process }: RunOptions = {},
  ): { readonly connection: FakeConnection; readonly outcome: Promise<Outcome> } {
    const connection = this.cluster.connect();
    const store = hesitantStore(this.store, random);
    const engine = createEngine({
      cluster: process?.cluster(connection) ?? connection,
      store: process?.store(store) ?? store,
    });
    let events = 0;
    const onEvent = (): void => {
      events += 1;
      if (events === stopAt) {
        stop?.abort(new Error('enough'));
      }
    };
    // A snapshot takes most of the time, and few races are about them.
    const snapshotVolumes = random() < 0.1;
    const spec = { includedNamespaces: ['shop'], snapshotVolumes };
    const backup = engine.backup(
      { name: backupName, spec },
      { onEvent, ...(stop && { signal: stop.signal }) },
    );
    const outcome = backup.then(
      ({ backup: { metadata, status } }): Outcome => ({
        ended: 'completed',
        uid: metadata.uid,
        snapshots: status.csiVolumeSnapshotsCompleted,
      }),
      (error: unknown): Outcome => {
        if (isLifeboatError(error, 'AlreadyExists')) {
          return { ended: 'AlreadyExists' };
        }
        if (process?.hasDied === true) {
          return { ended: 'dead' };
        }
        if (stop !== undefined && error === stop.signal.reason) {
          return { ended: 'aborted' };
        }
        throw error;
      },
    );
    return { connection, outcome };
  }

  /** The files of the winner, each whole, and nothing else. */
  async expectBackup(name: string, uid: string | undefined): Promise<void> {
    const engine = createEngine(this);
    expect((await engine.catalog.get(name))?.metadata.uid).toBe(uid);
    expect(await this.#filesOf(name)).toEqual(filesOfRun(name));
    expect(await engine.verify(name)).toMatchObject({ intact: true });
  }

  async expectNothing(name: string): Promise<void> {
    expect(await this.#filesOf(name)).toEqual([]);
  }

  /** No snapshot without a backup, and none of the objects that stand for one. */
  async expectOnlyBackups(): Promise<void> {
    await this.removeLeftovers();
    const backups = await Array.fromAsync(createEngine(this).catalog.list());
    const snapshots = backups.filter(({ status }) => (status.csiVolumeSnapshotsCompleted ?? 0) > 0);
    expect(this.cluster.csi.storage.snapshots.size).toBe(snapshots.length + this.unknownSnapshots);
    expect(await Array.fromAsync(this.cluster.list(Resources.volumeSnapshotContents))).toEqual([]);
  }

  async removeLeftovers(): Promise<void> {
    await this.cluster.settle();
    const { cluster, store } = this;
    const dependencies = { cluster, store, clock: systemClock, logger: silentLogger };
    const leftovers = await findLeftovers(dependencies, { minimumAgeMs: 0 });
    await removeLeftovers({ ...dependencies, concurrency: 4 }, leftovers);
    await this.cluster.settle();
  }

  async contentsOf(name: string): Promise<ReadonlyMap<string, string>> {
    const contents = new Map<string, string>();
    for await (const { key } of this.store.list(backupDirectory(name))) {
      contents.set(key, await text(await this.store.get(key)));
    }
    return contents;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.cluster.close();
  }

  async #filesOf(name: string): Promise<readonly string[]> {
    const directory = backupDirectory(name);
    const stats = await Array.fromAsync(this.store.list(directory));
    return stats.map(({ key }) => key.slice(directory.length)).sort();
  }
}

function filesOfRun(name: string): readonly string[] {
  const artifacts = ['backup', 'archive', 'logs', 'podVolumeBackups', 'volumeSnapshots'] as const;
  const more = ['resourceList', 'results', 'itemOperations', 'volumeInfo'] as const;
  const own = ['index', 'manifest'] as const;
  return [...artifacts, ...more, ...own]
    .map((artifact: BackupArtifact) => backupFileName(name, artifact))
    .concat('lifeboat-claim.json')
    .sort();
}
