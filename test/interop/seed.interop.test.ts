import { afterAll, beforeAll, describe, it } from 'vitest';
import { SeedScene } from './seed-scene.ts';
import { VeleroPair, veleroUnavailable } from './velero-pair.ts';

describe.skipIf(veleroUnavailable() !== undefined)('the application with a volume', () => {
  let pair: VeleroPair;
  beforeAll(async () => {
    pair = await VeleroPair.start('seed');
  });
  afterAll(() => pair.stop());

  it.concurrent('is backed up by us, and restored and deleted by Velero', async (context) => {
    const { expect } = context;
    const seed = await SeedScene.open(context, pair);
    const { scene, namespace, backup, copy, checksum } = seed;
    const spec = { includedNamespaces: [namespace] };
    const backedUp = await scene.engine().backup({ name: backup, spec });
    expect(backedUp).toMatchObject({ backup: { status: { phase: 'Completed' } }, issues: [] });
    const [handle] = await seed.snapshots();

    await Promise.all([scene.untilSynced(backup), scene.untilSynced(backup, 2)]);
    const described = await scene.velero().run('backup', 'describe', backup, '--details');
    expect(described).toMatch(/^Phase: +Completed$/m);
    expect(described).toContain(`${namespace}/pod-local-im`);
    expect(described).toContain(handle);
    expect(await scene.velero().run('backup', 'logs', backup)).toContain(namespace);
    const archive = await scene.read(`backups/${backup}/${backup}.tar.gz`);
    expect(await scene.velero().download(backup)).toEqual(archive);

    const mappings = { [namespace]: copy };
    expect(await scene.restoreByVelero(`${backup}-copy`, { backup, mappings })).toBe('Completed');
    expect(await seed.checksumIn(copy)).toBe(checksum);
    await scene.loseNamespace(namespace);
    expect(await scene.restoreByVelero(`${backup}-same`, { backup })).toBe('Completed');
    expect(await seed.checksumIn(namespace)).toBe(checksum);
    const elsewhere = { backup, cluster: 2 } as const;
    expect(await scene.restoreByVelero(`${backup}-other`, elsewhere)).toBe('Completed');
    expect(await seed.checksumIn(namespace, 2)).toBe(checksum);

    await scene.deleteByVelero(backup);
    expect(await seed.snapshots()).toEqual([]);
    expect(await scene.filesOf(backup)).toEqual([]);
    expect(await seed.checksumIn(namespace)).toBe(checksum);
  });

  it.concurrent('is backed up by Velero, and restored and deleted by us', async (context) => {
    const { expect } = context;
    const seed = await SeedScene.open(context, pair);
    const { scene, namespace, backup, copy, checksum } = seed;
    const engine = scene.engine();
    const selected = `--include-namespaces=${namespace}`;
    expect(await scene.backUpByVelero(backup, selected)).toBe('Completed');

    const names = await Array.fromAsync(engine.catalog.list(), ({ metadata }) => metadata.name);
    expect(names).toContain(backup);
    expect(await engine.verify(backup)).toMatchObject({ intact: true, snapshots: 1, issues: [] });

    const restored = { restore: { status: { phase: 'Completed' } }, issues: [] };
    const namespaceMapping = { [namespace]: copy };
    const plan = await engine.planRestore({ spec: { backupName: backup, namespaceMapping } });
    expect(await engine.restore(plan)).toMatchObject(restored);
    expect(await seed.checksumIn(copy)).toBe(checksum);
    await scene.loseNamespace(namespace);
    expect(await engine.restore({ spec: { backupName: backup } })).toMatchObject(restored);
    expect(await seed.checksumIn(namespace)).toBe(checksum);
    const elsewhere = await scene.engine(2).restore({ spec: { backupName: backup } });
    expect(elsewhere).toMatchObject(restored);
    expect(await seed.checksumIn(namespace, 2)).toBe(checksum);

    await engine.deleteBackup(backup);
    expect(await seed.snapshots()).toEqual([]);
    expect(await scene.filesOf(backup)).toEqual([]);
    expect(await seed.checksumIn(namespace)).toBe(checksum);
    await scene.untilForgotten(backup);
  });
});
