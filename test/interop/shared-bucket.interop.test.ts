import { type Clock, createEngine } from '@lifeboat/core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '../../packages/core/src/internal/system-clock.ts';
import { stringAt } from '../../packages/core/src/model/object-path.ts';
import { waitFor } from '../cluster/wait-for.ts';
import { SeedScene } from './seed-scene.ts';
import { VeleroPair, veleroUnavailable } from './velero-pair.ts';

const tomorrow: Clock = {
  now: () => new Date(Date.now() + 24 * 3_600_000),
  sleep: (ms, signal) => systemClock.sleep(ms, signal),
};

// One after another: to expire is to look at all of a bucket.
describe.skipIf(veleroUnavailable() !== undefined)('a bucket that both write to', () => {
  let pair: VeleroPair;
  beforeAll(async () => {
    pair = await VeleroPair.start('shared');
  });
  afterAll(() => pair.stop());

  it('has the backups of both, each name once, and nothing that makes Velero refuse it', async (context) => {
    const seed = await SeedScene.open(context, pair);
    const { scene, namespace } = seed;
    const engine = scene.engine();
    const [ours, theirs] = [`${namespace}-ours`, `${namespace}-theirs`];
    for (const name of [ours, theirs]) scene.deleteBackupAtEnd(name);
    const spec = { includedNamespaces: [namespace] };
    const selected = `--include-namespaces=${namespace}`;
    const [{ backup }, phase] = await Promise.all([
      engine.backup({ name: ours, spec }),
      scene.backUpByVelero(theirs, selected),
    ]);
    expect([backup.status.phase, phase]).toEqual(['Completed', 'Completed']);
    expect(await seed.snapshots()).toHaveLength(2);
    await scene.untilSynced(ours);
    const restored = await engine.restore({
      spec: { backupName: theirs, namespaceMapping: { [namespace]: seed.copy } },
    });
    expect(restored.restore.status.phase).toBe('Completed');
    expect(await seed.checksumIn(seed.copy)).toBe(seed.checksum);

    const folders = await Array.fromAsync(scene.store.listPrefixes(''));
    expect(folders.toSorted()).toEqual(['backups/', 'restores/']);
    expect(await scene.velero().run('backup-location', 'get')).toMatch(/^default .* Available /m);
    for (const name of [ours, theirs]) {
      expect(await engine.verify(name)).toMatchObject({ intact: true, issues: [] });
    }

    await expect(engine.backup({ name: theirs, spec })).rejects.toMatchObject({
      code: 'AlreadyExists',
    });
    const again = scene.velero().run('backup', 'create', ours, selected);
    await expect(again).rejects.toThrow(/already exists/);
  });

  it('loses the backup of Velero that we find expired, and no other', async (context) => {
    const seed = await SeedScene.open(context, pair);
    const { scene, namespace } = seed;
    const [due, later] = [`${namespace}-due`, `${namespace}-later`];
    for (const name of [due, later]) scene.deleteBackupAtEnd(name);
    const selected = `--include-namespaces=${namespace}`;
    expect(await scene.backUpByVelero(due, selected, '--ttl=1h')).toBe('Completed');
    expect(await scene.backUpByVelero(later, selected, '--ttl=48h')).toBe('Completed');

    expect((await scene.engine().expire()).backups).toEqual([]);
    const expiring = createEngine({ ...scene.connection(2), store: scene.store, clock: tomorrow });
    expect((await expiring.expire()).backups).toMatchObject([
      { backupName: due, outcome: 'deleted', deletion: { snapshots: [{ state: 'released' }] } },
    ]);
    expect(await scene.filesOf(due)).toEqual([]);
    expect(await seed.snapshots()).toHaveLength(1);
    await scene.untilForgotten(due);
    expect(await scene.veleroObject('backups', later)).toBeDefined();
  });

  it('loses our backup that Velero finds expired, and no other', async (context) => {
    const seed = await SeedScene.open(context, pair);
    const { scene, namespace } = seed;
    const [due, later] = [`${namespace}-due`, `${namespace}-later`];
    for (const name of [due, later]) scene.deleteBackupAtEnd(name);
    const spec = { includedNamespaces: [namespace] };
    await scene.engine().backup({ name: due, spec: { ...spec, ttl: '1s' } });
    await scene.engine().backup({ name: later, spec });
    expect(await seed.snapshots()).toHaveLength(2);

    await scene.untilSynced(later);
    await waitFor(async () => (await scene.filesOf(due)).length === 0, {
      what: `Velero to delete backup ${due}`,
      timeoutMs: 180_000,
    });
    await waitFor(async () => (await seed.snapshots()).length === 1, {
      what: 'the snapshot of the expired backup to be freed',
    });
    const kept = await scene.veleroObject('backups', later);
    expect(kept && stringAt(kept, ['status', 'phase'])).toBe('Completed');
    expect(await scene.engine().verify(later)).toMatchObject({ intact: true, issues: [] });
  });
});
