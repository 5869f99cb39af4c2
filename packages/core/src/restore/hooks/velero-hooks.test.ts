import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { silentLogger } from '../../internal/silent-logger.ts';
import { systemClock } from '../../internal/system-clock.ts';
import { arrayAt } from '../../model/object-path.ts';
import { Resources } from '../../model/resources.ts';
import type { ExecRequest } from '../../ports/pod-exec.ts';
import { MemoryObjectStore } from '../../stores/memory-object-store.ts';
import { FakeCluster } from '../../testing/fake-cluster/fake-cluster.ts';
import { runRestore } from '../run-restore.ts';

it('the hooks of a backup that Velero made run as Velero ran them', async () => {
  await using cluster = new FakeCluster();
  await using store = new MemoryObjectStore();
  const folder = join(import.meta.dirname, '../../../../../test/vectors/hooks-annotations');
  for (const file of readdirSync(folder)) {
    await store.put(`backups/hooks-ann/${file}`, readFileSync(join(folder, file)));
  }
  cluster.seed([
    {
      apiVersion: 'storage.k8s.io/v1',
      kind: 'StorageClass',
      metadata: { name: 'dirvol' },
      provisioner: cluster.csi.name,
    },
  ]);
  const commands: ExecRequest[] = [];
  cluster.onExec((request) => {
    commands.push(request);
    return {};
  });
  const dependencies = {
    ...{ cluster, store, clock: systemClock, logger: silentLogger, actions: [], concurrency: 4 },
    podExec: cluster.podExec,
  };
  // Its storage is not here.
  const spec = { restorePVs: false, namespaceMapping: { hooked: 'hooked-m' } };
  const { restore } = await runRestore(dependencies, {
    spec: { backupName: 'hooks-ann', ...spec },
  });

  expect(restore.status.hookStatus).toEqual({ hooksAttempted: 1 });
  expect(commands).toEqual([
    {
      namespace: 'hooked-m',
      podName: 'app',
      containerName: 'c',
      command: ['sh', '-c', 'echo restored > /data/restored'],
    },
  ]);
  const pod = async (name: string): Promise<readonly unknown[]> => {
    const found = await cluster.get({ ...Resources.pods, namespace: 'hooked-m', name });
    return found === undefined ? [] : arrayAt(found, ['spec', 'initContainers']);
  };
  expect(await pod('app')).toMatchObject([
    { name: 'init-restore', image: 'busybox:1.36', command: ['sh', '-c', 'echo init'] },
  ]);
  expect(await pod('other')).toEqual([]);
});
