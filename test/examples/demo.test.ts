import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FileSystemObjectStore, MemoryObjectStore, Resources } from '@lifeboat/core';
import type { FakeCluster } from '@lifeboat/core/testing';
import { expect, it, onTestFinished } from 'vitest';
import { createFakeTarget } from '../../examples/demo/fake-target.ts';
import { type DemoOptions, type DemoResult, runDemo } from '../../examples/demo/run-demo.ts';

const namespace = 'lifeboat-demo';

interface DemoTrial {
  readonly cluster: FakeCluster;
  readonly lines: readonly string[];
  readonly run: (options?: Partial<DemoOptions>) => Promise<DemoResult>;
}

function prepare(): DemoTrial {
  const cluster = createFakeTarget();
  onTestFinished(() => cluster.close());
  const lines: string[] = [];
  const { podExec } = cluster;
  const store = new MemoryObjectStore();
  const say = (line: string): number => lines.push(line);
  return {
    cluster,
    lines,
    run: (options) => runDemo({ cluster, podExec, store, namespace, say, ...options }),
  };
}

async function whatIsLeft({ cluster }: DemoTrial): Promise<readonly string[]> {
  await cluster.settle();
  const found: string[] = [];
  for (const resource of [
    Resources.volumeSnapshots,
    Resources.volumeSnapshotContents,
    Resources.persistentVolumes,
  ]) {
    for await (const { kind, metadata } of cluster.list(resource)) {
      found.push(`${kind} ${metadata.name}`);
    }
  }
  if ((await cluster.get({ ...Resources.namespaces, name: namespace })) !== undefined) {
    found.push(`Namespace ${namespace}`);
  }
  return [...found, ...[...cluster.csi.storage.snapshots].map(() => 'storage snapshot')];
}

it('the demo brings an application back from a folder, says each step, and leaves nothing behind', async () => {
  const trial = prepare();
  const directory = await mkdtemp(join(tmpdir(), 'lifeboat-demo-test-'));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  const store = new FileSystemObjectStore({ directory });
  const result = await trial.run({ store });
  expect(result).toEqual({
    backupName: expect.stringMatching(/^demo-[0-9a-f]{8}$/) as string,
    backupPhase: 'Completed',
    restorePhase: 'Completed',
    sameData: true,
  });
  const { backupName } = result;
  const steps = [
    'wrote 262144 bytes',
    'snapshot of local-pvc: Requested, velero-local-pvc-',
    'snapshot of local-pvc: Bound',
    'snapshot of local-pvc: HandleAssigned, handle ',
    'snapshot of local-pvc: ReadyToUse',
    `stored persistentvolumeclaims ${namespace}/local-pvc`,
    `uploaded backups/${backupName}/${backupName}.tar.gz`,
    `uploaded backups/${backupName}/velero-backup.json`,
    'disaster',
    `created persistentvolumeclaims ${namespace}/local-pvc`,
    'claim local-pvc: Bound',
    'restored: every byte is back',
    `${backupName}  Completed`,
    `gone: backup ${backupName}`,
    `gone: namespace ${namespace}`,
  ];
  const told = trial.lines.join('\n');
  expect(steps.filter((step) => !told.includes(step))).toEqual([]);
  const order = steps.map((step) => told.indexOf(step));
  expect(order.toSorted((left, right) => left - right)).toEqual(order);
  expect(await whatIsLeft(trial)).toEqual([]);
  expect(await Array.fromAsync(store.list('backups/'))).toEqual([]);
});

it('a kept demo can be looked at, and the next one starts afresh', async () => {
  const trial = prepare();
  const store = new MemoryObjectStore();
  const { backupName } = await trial.run({ keep: true, store });
  expect(trial.lines.at(-1)).toContain(`kept: namespace ${namespace}, and backup ${backupName}`);
  const pod = { ...Resources.pods, namespace, name: 'pod-local-im' };
  expect(await trial.cluster.get(pod)).toMatchObject({ status: { phase: 'Running' } });
  const second = await trial.run({ store });
  expect(second.sameData).toBe(true);
  expect(await whatIsLeft(trial)).toEqual(['storage snapshot']);
});

it('a namespace that no demo made is refused and not touched', async () => {
  const trial = prepare();
  trial.cluster.seed([{ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } }]);
  await expect(trial.run()).rejects.toThrow(
    `namespace ${namespace} exists and was not made by this demo`,
  );
  expect(await whatIsLeft(trial)).toEqual([`Namespace ${namespace}`]);
});

it('a cluster whose volumes cannot be snapshotted is told what it lacks', async () => {
  const trial = prepare();
  for await (const { metadata } of trial.cluster.list(Resources.volumeSnapshotClasses)) {
    await trial.cluster.delete({ ...Resources.volumeSnapshotClasses, name: metadata.name });
  }
  await expect(trial.run()).rejects.toThrow('a VolumeSnapshotClass: the cluster has none');
  expect(await whatIsLeft(trial)).toEqual([]);
});

it.for([
  'creating an application',
  'snapshot of local-pvc: Requested',
  'snapshot of local-pvc: ReadyToUse',
  'uploaded',
  'disaster',
  'restoring',
  'created persistentvolumeclaims',
  'claim local-pvc: Bound',
])('interrupted at "%s" it cleans up after itself', async (moment) => {
  const trial = prepare();
  const interrupt = new AbortController();
  const reason = new Error('interrupted');
  const say = (line: string): void => {
    if (line.includes(moment)) interrupt.abort(reason);
  };
  await expect(trial.run({ signal: interrupt.signal, say })).rejects.toBe(reason);
  expect(await whatIsLeft(trial)).toEqual([]);
});

it('a backup that lost the volume ends the demo before the disaster, and leaves nothing', async () => {
  const trial = prepare();
  const resource = 'volumesnapshots.snapshot.storage.k8s.io';
  trial.cluster.faults.inject({ operation: 'create', resource, error: 'Forbidden' });
  await expect(trial.run()).rejects.toThrow(/PartiallyFailed: error SnapshotFailed/);
  expect(trial.lines.join('\n')).not.toContain('disaster');
  expect(await whatIsLeft(trial)).toEqual([]);
});
