import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { type Engine, Resources } from '@lifeboat/core';
import { expect, it } from 'vitest';
import { stringAt } from '../../packages/core/src/model/object-path.ts';
import { type TestCluster, testCluster } from '../cluster/test-cluster.ts';
import { waitFor } from '../cluster/wait-for.ts';
import { BackupLab } from './backup-lab.ts';
import { VolumeWithData } from './volume-with-data.ts';

const child = join(import.meta.dirname, 'killed-restore-child.ts');
const configMaps = ['a', 'b', 'c'];

it.for([
  'created persistentvolumeclaims data',
  'created configmaps b',
  'created services web',
  'phase WaitingForClaims',
])(
  'a restore that is killed at "%s" is finished by another one, and everything is there once',
  async (event, context) => {
    const kit = testCluster(context);
    const lab = await BackupLab.open(kit, context);
    const { cluster } = lab.connect();
    const engine = lab.engine();
    const volume = await VolumeWithData.create(kit, { data: 'precious' });
    const { namespace } = volume;
    for (const name of configMaps) {
      await kit.kubectl(['create', 'configmap', name, `--namespace=${namespace}`]);
    }
    await kit.kubectl(['create', 'service', 'clusterip', 'web', '--tcp=80', '-n', namespace]);
    const backupName = kit.uniqueName('killed');
    const includedNamespaces = [namespace];
    const { issues } = await engine.backup({ name: backupName, spec: { includedNamespaces } });
    expect(issues).toEqual([]);
    const copy = kit.uniqueName('killed-copy');
    kit.deleteNamespaceAtEnd(copy);

    await killAt(kit, [backupName, namespace, copy, lab.directory, event]);

    const namespaceMapping = { [namespace]: copy };
    const spec = { backupName, includedNamespaces, namespaceMapping };
    const again = await engine.restore({ spec });
    expect(again.issues).toEqual([]);
    expect(again.restore.status.phase).toBe('Completed');
    expect(await volume.readCopy(copy)).toBe('precious');
    const names = await kit.kubectl([
      'get',
      'configmaps,services,persistentvolumeclaims',
      `--namespace=${copy}`,
      '--output=jsonpath={.items[*].metadata.name}',
    ]);
    const known = names.split(' ').filter((name) => name !== 'kube-root-ca.crt');
    expect(known.toSorted()).toEqual([...configMaps, 'data', 'web']);

    await removeLeftovers(engine, backupName);
    expect(await lab.snapshotObjectsOf(copy, cluster)).toEqual([]);
    expect(await volume.readCopy(copy)).toBe('precious');
    const volumes = await Array.fromAsync(cluster.list(Resources.persistentVolumes));
    const ofCopy = volumes.filter(
      (one) => stringAt(one, ['spec', 'claimRef', 'namespace']) === copy,
    );
    expect(ofCopy).toHaveLength(1);
    // The snapshot of the backup has outlived both.
    expect(await engine.verify(backupName)).toMatchObject({ intact: true, snapshots: 1 });
  },
);

/** Runs a restore in its process until it has told of an event, and kills it there. */
async function killAt(kit: TestCluster, args: readonly string[]): Promise<void> {
  const event = args.at(-1) ?? '';
  const options = ['--conditions=lifeboat-source', '--no-warnings'];
  const env = { ...process.env, KUBECONFIG: kit.describe().kubeconfigPath };
  const restoring = spawn(process.execPath, [...options, child, ...args], {
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = once(restoring, 'exit');
  const lines: string[] = [];
  for await (const line of createInterface(restoring.stdout)) {
    lines.push(line);
    if (line === event) {
      restoring.kill('SIGKILL');
    }
  }
  const [, signal] = (await ended) as [number | null, string | null];
  expect(lines.at(-1)).toBe(event);
  expect(signal).toBe('SIGKILL');
}

async function removeLeftovers(engine: Engine, backupName: string): Promise<void> {
  await waitFor(
    async () => {
      const found = await engine.findLeftovers({ minimumAgeMs: 0 });
      const ours = found.filter((leftover) => leftover.backupName === backupName);
      await engine.removeLeftovers(ours);
      return ours.length === 0;
    },
    { what: 'nothing to be left' },
  );
}
