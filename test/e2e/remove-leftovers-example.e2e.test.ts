import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { createEngine } from '@lifeboat/core';
import { expect, it } from 'vitest';
import { KillPoint } from '../../packages/core/src/engine/kill-point-fixture.ts';
import { waitFor } from '../cluster/wait-for.ts';
import { VolumeScene } from './volume-scene.ts';

const run = promisify(execFile);
const example = join(import.meta.dirname, '../../examples/remove-leftovers.ts');

/** Runs the example and returns what it says of one backup: in a shared cluster it finds what other tests are at work on. */
async function runExample(
  args: readonly string[],
  kubeconfigPath: string,
  backup: string,
): Promise<string> {
  const env = { ...process.env, KUBECONFIG: kubeconfigPath };
  const command = ['--conditions=lifeboat-source', example, ...args];
  const { stdout } = await run(process.execPath, command, { env }).catch((error: unknown) => {
    // Exit code 3: something is left.
    if (error instanceof Error && 'code' in error && error.code === 3 && 'stdout' in error) {
      return { stdout: String(error.stdout) };
    }
    throw error;
  });
  return stdout
    .split('\n')
    .filter((line) => line.includes(backup))
    .join('\n');
}

it('the example shows what a killed backup has left, and removes it when it is told to', async (context) => {
  const scene = await VolumeScene.open(context);
  const { kit, lab, cluster } = scene;
  const backup = kit.uniqueName('dead');
  const process = new KillPoint({ at: 3, when: 'after', die: () => undefined });
  const dying = createEngine({
    cluster: process.cluster(cluster),
    store: process.store(lab.store),
  });
  await expect(dying.backup({ ...scene.request, name: backup })).rejects.toThrow('has died');
  const { kubeconfigPath } = kit.describe();

  expect(await runExample([lab.directory], kubeconfigPath, backup)).toBe('');
  const shown = await runExample([lab.directory, '0'], kubeconfigPath, backup);
  expect(shown).toContain('SnapshotOfUnfinishedBackup (FreeSnapshot)');
  expect(shown).toContain(`BackupUnfinished (DeleteFiles): backups/${backup}/`);
  // Controllers may be at work on the objects still, and what changes is left alone until the next time.
  let removed = '';
  const removeSome = async (): Promise<boolean> => {
    removed += await runExample([lab.directory, '0', '--remove'], kubeconfigPath, backup);
    return (await lab.keys()).length === 0;
  };
  await waitFor(removeSome, { what: 'the directory of the backup to be deleted' });
  expect(removed).toContain(`SnapshotOfUnfinishedBackup of ${backup}: Removed`);
  expect(removed).toContain(`BackupUnfinished of ${backup}: Removed`);
  await scene.expectNothingLeft();
});

it('the example says how it is used', async () => {
  await expect(
    run(process.execPath, ['--conditions=lifeboat-source', example]),
  ).rejects.toMatchObject({
    code: 2,
    stderr: expect.stringContaining('usage: node remove-leftovers.ts') as string,
  });
});
