import { expect, it } from 'vitest';
import type { Backup } from '../model/backup.ts';
import type { BackupEvent } from '../model/event.ts';
import type { KubernetesObject } from '../model/kubernetes.ts';
import { Resources } from '../model/resources.ts';
import type { LogFields, Logger } from '../ports/logger.ts';
import { SnapshotBench } from '../snapshot/snapshot-bench-fixture.ts';
import { VolumeSnapshotter } from '../snapshot/volume-snapshotter.ts';
import { FakeCluster } from '../testing/fake-cluster/fake-cluster.ts';
import { BackupRecord } from './backup-record.ts';
import { VolumeBackups } from './volume-backups.ts';

const ignore = (): void => undefined;

class Scene implements AsyncDisposable {
  readonly bench: SnapshotBench<FakeCluster>;
  readonly events: BackupEvent[] = [];
  readonly warnings: (LogFields | undefined)[] = [];
  readonly record: BackupRecord;
  readonly volumes: VolumeBackups;

  private constructor(bench: SnapshotBench<FakeCluster>, volumeSnapshotClass?: string) {
    this.bench = bench;
    const logger: Logger = {
      ...{ debug: ignore, info: ignore, error: ignore },
      warn: (_message, fields) => void this.warnings.push(fields),
    };
    const onEvent = (event: BackupEvent): void => void this.events.push(event);
    this.record = new BackupRecord(onEvent, logger);
    const { cluster, clock } = bench;
    this.volumes = new VolumeBackups({
      ...{ cluster, logger, onEvent },
      record: this.record,
      backup: backup(),
      snapshotter: new VolumeSnapshotter({ cluster, clock, errorGraceMs: 1_000 }),
      runId: 'run-1',
      volumeSnapshotClasses:
        volumeSnapshotClass === undefined ? undefined : { [cluster.csi.name]: volumeSnapshotClass },
      signal: new AbortController().signal,
    });
  }

  static async open(volumeSnapshotClass = 'fake-csi'): Promise<Scene> {
    const bench = await SnapshotBench.open((clock) => new FakeCluster({ clock }));
    return new Scene(bench, volumeSnapshotClass);
  }

  async claim(name: string): Promise<KubernetesObject> {
    if (name !== 'data') {
      await this.bench.createClaim(name);
    }
    const reference = { ...Resources.persistentVolumeClaims, namespace: 'shop', name };
    const claim = await this.bench.cluster.get(reference);
    if (claim === undefined) {
      throw new Error(`there is no claim ${name}`);
    }
    return claim;
  }

  /** The states of a claim's snapshot so far. */
  statesOf(name: string): readonly string[] {
    return this.events.flatMap((event) =>
      event.type === 'snapshot' && event.claimName === name ? [event.state] : [],
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.volumes.close();
    await this.bench[Symbol.asyncDispose]();
  }
}

function backup(): Backup {
  return {
    kind: 'Backup',
    apiVersion: 'velero.io/v1',
    metadata: { name: 'b-1' },
    spec: { csiSnapshotTimeout: '10m', itemOperationTimeout: '4h' },
    status: { version: 1, formatVersion: '1.1.0', phase: 'InProgress' },
  };
}

it('tells when the snapshots of given claims are cut, without waiting for ready or for other claims', async () => {
  await using scene = await Scene.open();
  const { volumes, bench } = scene;
  const readyAfterMs = 3_600_000;
  bench.cluster.csi.inject({ call: 'CreateSnapshot', claimName: 'other', delayMs: 500_000 });
  bench.cluster.csi.inject({ call: 'CreateSnapshot', readyAfterMs });
  const pod = [await scene.claim('data'), await scene.claim('logs')];
  const other = await scene.claim('other');
  const startedMs = bench.clock.now().getTime();
  for (const claim of [...pod, other]) {
    expect(await volumes.holdBack(claim)).toBe(true);
  }
  await volumes.untilCut(pod);
  expect(bench.clock.now().getTime() - startedMs).toBeLessThan(500_000);
  const untilCut = ['Requested', 'Bound', 'HandleAssigned'];
  expect([scene.statesOf('data'), scene.statesOf('logs')]).toEqual([untilCut, untilCut]);
  expect(scene.statesOf('other')).not.toContain('HandleAssigned');
  const outcomes = await Array.fromAsync(volumes.outcomes());
  expect(outcomes.map(({ claim }) => claim.metadata.name)).toEqual(['data', 'logs', 'other']);
  expect(outcomes.every((outcome) => 'snapshot' in outcome)).toBe(true);
  expect(bench.clock.now().getTime() - startedMs).toBeGreaterThanOrEqual(readyAfterMs);
});

it('does not wait for the cut of a snapshot that has failed, nor of a claim that is not held', async () => {
  await using scene = await Scene.open();
  scene.bench.cluster.csi.inject({ call: 'CreateSnapshot', error: 'disk on fire' });
  const claim = await scene.claim('data');
  await scene.volumes.holdBack(claim);
  await scene.volumes.untilCut([claim, await scene.claim('logs')]);
  const [outcome] = await Array.fromAsync(scene.volumes.outcomes());
  expect(outcome).toMatchObject({ error: { code: 'SnapshotFailed' } });
});

it('reports and logs why a snapshot does not come', async () => {
  await using scene = await Scene.open();
  scene.bench.cluster.csi.inject({ call: 'CreateSnapshot', delayMs: 45_000 });
  const claim = await scene.claim('data');
  await scene.volumes.holdBack(claim);
  await scene.volumes.untilCut([claim]);
  const expected = {
    cause: 'StorageBusy',
    message: expect.stringContaining('its storage is not done yet') as string,
    namespace: 'shop',
  };
  expect(scene.events.filter(({ type }) => type === 'snapshotDelayed')).toEqual([
    expect.objectContaining({
      ...expected,
      claimName: 'data',
      driver: scene.bench.cluster.csi.name,
    }),
  ]);
  expect(scene.warnings).toEqual([{ ...expected, name: 'data' }]);
});

it('frees every snapshot of a backup that will not be', async () => {
  await using scene = await Scene.open();
  for (const name of ['data', 'logs']) {
    await scene.volumes.holdBack(await scene.claim(name));
  }
  await Array.fromAsync(scene.volumes.outcomes());
  await scene.volumes.discard(new AbortController().signal);
  expect(await scene.bench.leftovers()).toEqual([]);
});

it.each(['remove', 'keep'] as const)('on %s settles every snapshot of the backup', async (what) => {
  await using scene = await Scene.open();
  for (const name of ['data', 'logs']) {
    await scene.volumes.holdBack(await scene.claim(name));
  }
  await Array.fromAsync(scene.volumes.outcomes());
  await scene.volumes.settle(what, new AbortController().signal);
  expect(scene.record.issues).toEqual([]);
  expect(await scene.bench.leftovers()).toHaveLength(what === 'remove' ? 2 : 6);
});

it('makes a warning of a snapshot that cannot be settled, and settles the others', async () => {
  await using scene = await Scene.open();
  for (const name of ['data', 'logs']) {
    await scene.volumes.holdBack(await scene.claim(name));
  }
  await Array.fromAsync(scene.volumes.outcomes());
  scene.bench.cluster.faults.inject({ operation: 'delete', error: 'Forbidden', times: 1 });
  await scene.volumes.settle('remove', new AbortController().signal);
  expect(scene.record.issues).toMatchObject([
    { severity: 'warning', reason: 'SnapshotObjectsLeft' },
  ]);
  expect(scene.statesOf('data').concat(scene.statesOf('logs'))).toContain('Detached');
});

it('says of a cluster without the VolumeSnapshot API what it lacks', async () => {
  await using scene = await Scene.open();
  await scene.bench.cluster.delete({
    ...Resources.customResourceDefinitions,
    name: 'volumesnapshotclasses.snapshot.storage.k8s.io',
  });
  await scene.bench.cluster.settle();
  await expect(scene.volumes.holdBack(await scene.claim('data'))).rejects.toMatchObject({
    code: 'SnapshotFailed',
    message: expect.stringContaining('does not serve VolumeSnapshotClasses') as string,
  });
});

it('refuses a class that the caller names and that does not exist', async () => {
  await using scene = await Scene.open('nonsense');
  await expect(scene.volumes.holdBack(await scene.claim('data'))).rejects.toThrow(
    'VolumeSnapshotClass nonsense, named by the caller',
  );
});
