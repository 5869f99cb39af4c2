import { expect, it } from 'vitest';
import { runAll } from '../internal/run-all.ts';
import { silentLogger } from '../internal/silent-logger.ts';
import { systemClock } from '../internal/system-clock.ts';
import type { KubernetesManifest, KubernetesObject } from '../model/kubernetes.ts';
import { Resources } from '../model/resources.ts';
import { findLeftovers } from '../retention/find-leftovers.ts';
import { removeLeftovers } from '../retention/remove-leftovers.ts';
import { MemoryObjectStore } from '../stores/memory-object-store.ts';
import { FakeCluster } from '../testing/fake-cluster/fake-cluster.ts';
import { createEngine } from './create-engine.ts';
import type { Engine } from './engine.ts';
import { KillPoint } from './kill-point-fixture.ts';

const request = { name: 'first', spec: { includedNamespaces: ['shop'] } };

/** What a process does until it dies, and what was done before it began. */
interface Flow {
  readonly name: string;
  readonly before?: (engine: Engine) => Promise<unknown>;
  readonly run: (engine: Engine) => Promise<unknown>;
  /** How many snapshot objects stay when it comes to its end. */
  readonly kept?: number;
  /** What is backed up: a claim alone, or two that are a volume group. @default 'claim' */
  readonly what?: 'claim' | 'group';
}

const backUp = (engine: Engine): Promise<unknown> => engine.backup(request);

const flows: readonly Flow[] = [
  { name: 'a backup', run: backUp },
  {
    name: 'a backup that keeps its snapshot objects',
    run: (engine) => engine.backup(request, { snapshotObjects: 'keep' }),
    kept: 2,
  },
  {
    name: 'a backup that is aborted',
    run: async (engine) => {
      const stop = new AbortController();
      const backup = engine.backup(request, {
        signal: stop.signal,
        onEvent: (event) => {
          if (event.type === 'snapshot' && event.state === 'ReadyToUse') {
            stop.abort(new Error('enough'));
          }
        },
      });
      await expect(backup).rejects.toThrow();
    },
  },
  {
    name: 'a restore beside the original',
    before: backUp,
    run: (engine) =>
      engine.restore({ spec: { backupName: 'first', namespaceMapping: { shop: 'copy' } } }),
  },
  { name: 'a deletion', before: backUp, run: (engine) => engine.deleteBackup('first') },
  {
    name: 'the deletion of a backup that has kept its snapshot objects',
    before: (engine) => engine.backup(request, { snapshotObjects: 'keep' }),
    run: (engine) => engine.deleteBackup('first'),
    kept: 2,
  },
];

const onGroup = flows.map(({ kept, ...flow }): Flow => {
  const ofGroup = { ...flow, name: `${flow.name}, of a volume group,`, what: 'group' } as const;
  return kept === undefined ? ofGroup : { ...ofGroup, kept: 3 * kept };
});

it.concurrent.for(
  [...flows, ...onGroup].flatMap((flow) => [
    { flow, name: flow.name, when: 'before', found: 'at once' } as const,
    { flow, name: flow.name, when: 'after', found: 'later' } as const,
  ]),
)(
  '$name that is killed $when any call that writes leaves nothing that cannot be removed $found',
  { timeout: 180_000 },
  async ({ flow, when, found }) => {
    const kill = async (at: number): Promise<readonly string[]> => {
      await using lab = await Lab.open(flow.what);
      const calls = await lab.kill(flow, { at, when });
      if (found === 'later') {
        await lab.cluster.settle();
      }
      await lab.removeLeftovers(flow.kept ?? 0);
      return calls;
    };
    const calls = await kill(never);
    expect(calls.length).toBeGreaterThan(3);
    const killAt = async (at: number): Promise<void> => {
      await kill(at);
    };
    await runAll(calls.keys(), killAt, { concurrency: atATime });
  },
);

/** More than any flow makes. */
const never = 1_000;
// What the flows do most of the time is wait.
const atATime = 10;

class Lab implements AsyncDisposable {
  readonly store = new MemoryObjectStore();
  readonly cluster = new FakeCluster();
  readonly #claims: readonly KubernetesManifest[];

  private constructor(claims: readonly KubernetesManifest[]) {
    this.#claims = claims;
  }

  static async open(what: Flow['what']): Promise<Lab> {
    const lab = new Lab(what === 'group' ? ['a', 'b'].map(claimOfGroup) : [claim]);
    lab.cluster.seed([{ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop' } }]);
    for (const each of lab.#claims) {
      await lab.cluster.create(Resources.persistentVolumeClaims, each);
    }
    await lab.cluster.settle();
    return lab;
  }

  /** Runs a flow that dies on its way; returns the calls that it has come to. */
  async kill(
    { before, run }: Flow,
    { at, when }: { readonly at: number; readonly when: 'before' | 'after' },
  ): Promise<readonly string[]> {
    const { cluster, store } = this;
    await before?.(createEngine({ cluster, store }));
    const process = new KillPoint({ at, when, die: () => undefined });
    const engine = createEngine({ cluster: process.cluster(cluster), store: process.store(store) });
    try {
      await run(engine);
    } catch (error) {
      if (!process.hasDied) {
        throw error;
      }
    }
    return process.calls;
  }

  /** Removes what is left, and asserts that nothing is: no snapshot without a backup, and no backup without its snapshot. */
  async removeLeftovers(kept: number): Promise<void> {
    const { cluster, store } = this;
    const dependencies = {
      cluster,
      store,
      clock: systemClock,
      logger: silentLogger,
      concurrency: 4,
    };
    const told: unknown[] = [];
    for (let attempt = 0; attempt < 5; attempt += 1) {
      const leftovers = await findLeftovers(dependencies, { minimumAgeMs: 0 });
      if (leftovers.length === 0) {
        break;
      }
      told.push(await removeLeftovers(dependencies, leftovers));
      await cluster.settle();
    }
    expect({
      left: await findLeftovers(dependencies, { minimumAgeMs: 0 }),
      told,
    }).toEqual({ left: [], told });
    const engine = createEngine({ cluster, store });
    const backups = await Array.fromAsync(engine.catalog.list());
    const keys = await Array.fromAsync(store.list('backups/'));
    const objects: KubernetesObject[] = [];
    for (const resource of snapshotResources) {
      objects.push(...(await Array.fromAsync(cluster.list(resource))));
    }
    expect(cluster.csi.storage.snapshots.size).toBe(backups.length * this.#claims.length);
    expect(keys.length > 0).toBe(backups.length > 0);
    expect([0, kept]).toContain(objects.length);
    if (backups.length > 0) {
      await engine.deleteBackup('first');
      expect(cluster.csi.storage.snapshots.size).toBe(0);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.cluster.close();
  }
}

const groupApi = { group: 'groupsnapshot.storage.k8s.io', version: 'v1' };
const snapshotResources = [
  Resources.volumeSnapshots,
  Resources.volumeSnapshotContents,
  { ...groupApi, resource: 'volumegroupsnapshots' },
  { ...groupApi, resource: 'volumegroupsnapshotcontents' },
];

const claim: KubernetesManifest = {
  apiVersion: 'v1',
  kind: 'PersistentVolumeClaim',
  metadata: { name: 'data', namespace: 'shop' },
  spec: {
    storageClassName: 'fake-csi',
    accessModes: ['ReadWriteOnce'],
    resources: { requests: { storage: '1Mi' } },
  },
};

function claimOfGroup(name: string): KubernetesManifest {
  const labels = { 'velero.io/volume-group': 'db' };
  return { ...claim, metadata: { namespace: 'shop', name, labels } };
}
