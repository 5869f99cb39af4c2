import {
  createEngine,
  type Engine,
  type EngineOptions,
  MemoryObjectStore,
  Resources,
} from '@lifeboat/core';
import { FakeCluster } from '@lifeboat/core/testing';
import { describe, expect, it } from 'vitest';
import { KubernetesCluster } from '../packages/core/src/kubernetes/kubernetes-cluster.ts';
import { scriptedClient } from '../packages/core/src/kubernetes/scripted-client.ts';
import { FaultyApiServer, type ServerFault, type Verb } from './faulty-api-server.ts';

const request = { name: 'first', spec: { includedNamespaces: ['shop'] } };
// What never comes is not waited for long; what comes may take as long as a busy machine needs.
const impatient = { ...request, spec: { ...request.spec, csiSnapshotTimeout: '500ms' } };

interface FaultRow {
  readonly how: string;
  readonly fault: ServerFault;
}

const faults: readonly FaultRow[] = [
  { how: '429', fault: { status: 429 } },
  { how: '429 with Retry-After', fault: { status: 429, retryAfter: '1' } },
  { how: '500', fault: { status: 500 } },
  { how: '503', fault: { status: 503 } },
  { how: 'a reset', fault: { reset: 'before' } },
  { how: 'a reset after it has done what it was asked', fault: { reset: 'after' } },
];
const reads: readonly Verb[] = ['version', 'discover', 'get', 'list', 'watch'];
const writes: readonly Verb[] = ['create', 'patch', 'delete'];
const expired: FaultRow = { how: '410', fault: { status: 410 } };

function rowsOf(verbs: readonly Verb[]): readonly (FaultRow & { readonly verb: Verb })[] {
  return verbs.flatMap((verb) => faults.map((row) => ({ ...row, verb })));
}

describe('an API server that goes wrong for a while', { timeout: 120_000 }, () => {
  it.each([...rowsOf([...reads, ...writes]), { ...expired, verb: 'watch' as const }])(
    'is waited for: $how to $verb',
    async ({ verb, fault }) => {
      await using lab = await Lab.open();
      let left = 2;
      lab.server.script = (asked) => (asked.verb === verb && left-- > 0 ? fault : undefined);
      const { backup, issues } = await lab.engine.backup(request);
      expect(lab.server.faults).toBe(2);
      expect(issues).toEqual([]);
      expect(backup.status).toMatchObject({ phase: 'Completed', csiVolumeSnapshotsCompleted: 1 });
      await lab.expectSameObjects();
    },
  );

  it('and forgets a list between its pages, is asked for the rest, which is a warning', async () => {
    await using lab = await Lab.open();
    let left = 1;
    lab.server.script = ({ isFurtherPage }) =>
      isFurtherPage && left-- > 0 ? expired.fault : undefined;
    const { backup, issues } = await lab.engine.backup(request);
    expect(backup.status.phase).toBe('Completed');
    expect(new Set(issues.map(({ reason }) => reason))).toEqual(new Set(['ListNotAtomic']));
    await lab.expectSameObjects();
  });
});

describe('an API server that goes wrong for good', { timeout: 120_000 }, () => {
  it.each(rowsOf(['version', 'discover', 'get']))(
    'ends the backup, which leaves nothing: $how to $verb',
    async ({ verb, fault }) => {
      await using lab = await Lab.open({ snapshotCleanUpMs: 300 });
      lab.server.script = (asked) => (asked.verb === verb ? fault : undefined);
      await expect(lab.engine.backup(request)).rejects.toMatchObject({
        name: 'ClusterError',
        code: 'status' in fault && fault.status === 429 ? 'RateLimited' : 'Unavailable',
        retryable: true,
        operation: `Cluster.${verb}`,
      });
      await lab.expectNoRemains({ backups: 0 });
    },
  );

  it.each([...rowsOf(['list']), { ...expired, verb: 'list' as const }])(
    'has lists that are missing, or is out of reach: $how',
    async ({ fault }) => {
      await using lab = await Lab.open({ snapshotCleanUpMs: 300 });
      lab.server.script = ({ verb }) => (verb === 'list' ? fault : undefined);
      const backup = lab.engine.backup(request);
      if ('reset' in fault) {
        await expect(backup).rejects.toMatchObject({ code: 'Unavailable' });
        await lab.expectNoRemains({ backups: 0 });
        return;
      }
      const { issues, backup: partial } = await backup;
      expect(partial.status.phase).toBe('PartiallyFailed');
      expect(new Set(issues.map(({ reason }) => reason))).toEqual(new Set(['ListFailed']));
      await lab.expectNoRemains({ backups: 1 });
    },
  );

  it.each([...rowsOf(['watch', 'create', 'patch'])])(
    'costs the snapshot, of which nothing stays that cannot be removed: $how to $verb',
    async ({ verb, fault }) => {
      await using lab = await Lab.open({ snapshotCleanUpMs: 300 });
      lab.server.script = (asked) => (asked.verb === verb ? fault : undefined);
      if (verb === 'create' && 'reset' in fault && fault.reset === 'after') {
        // The second try meets what the first has made.
        const { backup } = await lab.engine.backup(request);
        expect(backup.status.phase).toBe('Completed');
        await lab.expectNoRemains({ backups: 1 });
        return;
      }
      const { backup, issues } = await lab.engine.backup(impatient);
      expect(backup.status).toMatchObject({ phase: 'PartiallyFailed', errors: 1 });
      expect(issues).toMatchObject([
        {
          severity: 'error',
          reason: 'SnapshotFailed',
          object: { groupResource: 'persistentvolumeclaims', namespace: 'shop', name: 'data' },
        },
      ]);
      await lab.expectNoRemains({ backups: 1 });
    },
  );

  it('and lets every watch expire at once, is listed instead, and nothing is lost', async () => {
    await using lab = await Lab.open();
    lab.server.script = ({ verb }) => (verb === 'watch' ? expired.fault : undefined);
    const { backup, issues } = await lab.engine.backup(request);
    expect(issues).toEqual([]);
    expect(backup.status).toMatchObject({ phase: 'Completed', csiVolumeSnapshotsCompleted: 1 });
    await lab.expectNoRemains({ backups: 1 });
  });

  it.each(rowsOf(['delete']))(
    'leaves snapshot objects, which is a warning: $how to delete',
    async ({ fault }) => {
      await using lab = await Lab.open({ snapshotCleanUpMs: 300 });
      lab.server.script = ({ verb }) => (verb === 'delete' ? fault : undefined);
      const { backup, issues } = await lab.engine.backup(request);
      expect(backup.status.phase).toBe('Completed');
      if ('reset' in fault && fault.reset === 'after') {
        expect(issues.filter(({ severity }) => severity === 'error')).toEqual([]);
      } else {
        expect(issues).toMatchObject([{ severity: 'warning', reason: 'SnapshotObjectsLeft' }]);
      }
      await lab.expectNoRemains({ backups: 1 });
    },
  );
});

type EngineTimeouts = NonNullable<EngineOptions['timeouts']>;

class Lab implements AsyncDisposable {
  readonly fake: FakeCluster;
  readonly store = new MemoryObjectStore();
  readonly server: FaultyApiServer;
  readonly engine: Engine;
  readonly #cluster: KubernetesCluster;

  private constructor(fake: FakeCluster, server: FaultyApiServer, timeouts: EngineTimeouts) {
    this.fake = fake;
    this.server = server;
    this.#cluster = new KubernetesCluster(scriptedClient(server));
    this.engine = createEngine({
      cluster: this.#cluster,
      store: this.store,
      timeouts,
    });
  }

  static async open(timeouts: EngineTimeouts = {}): Promise<Lab> {
    const fake = new FakeCluster();
    const metadata = { namespace: 'shop', name: 'data' };
    fake.seed([
      { apiVersion: 'v1', kind: 'ConfigMap', metadata },
      { apiVersion: 'v1', kind: 'ConfigMap', metadata: { ...metadata, name: 'more' } },
    ]);
    await fake.create(Resources.persistentVolumeClaims, {
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      metadata,
      spec: {
        storageClassName: 'fake-csi',
        accessModes: ['ReadWriteOnce'],
        resources: { requests: { storage: '1Mi' } },
      },
    });
    await fake.settle();
    return new Lab(fake, await FaultyApiServer.start(fake), timeouts);
  }

  /** The backup has what one has that is made without faults, and is whole. */
  async expectSameObjects(): Promise<void> {
    this.server.script = () => undefined;
    const { backup } = await this.engine.backup({ ...request, name: 'second' });
    const first = await this.engine.catalog.get('first');
    expect(first?.status.progress).toEqual(backup.status.progress);
    expect(await this.engine.verify('first')).toMatchObject({ intact: true });
    await this.expectNoRemains({ backups: 2 });
  }

  /** Once the server is well again, what is left can be found and removed. */
  async expectNoRemains({ backups }: { readonly backups: number }): Promise<void> {
    this.server.script = () => undefined;
    await this.fake.settle();
    await this.engine.removeLeftovers(await this.engine.findLeftovers({ minimumAgeMs: 0 }));
    await this.fake.settle();
    expect(await this.engine.findLeftovers({ minimumAgeMs: 0 })).toEqual([]);
    const stored = await Array.fromAsync(this.engine.catalog.list());
    expect(stored).toHaveLength(backups);
    const snapshots = stored.filter(({ status }) => (status.csiVolumeSnapshotsCompleted ?? 0) > 0);
    expect(this.fake.csi.storage.snapshots.size).toBe(snapshots.length);
    if (backups === 0) {
      expect(await Array.fromAsync(this.store.list(''))).toEqual([]);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#cluster.close();
    await this.server[Symbol.asyncDispose]();
    await this.fake.close();
  }
}
