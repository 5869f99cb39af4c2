import { afterAll, beforeAll, describe, it, type TestContext } from 'vitest';
import { ClaimsScene } from './claims-scene.ts';
import { VeleroPair, veleroUnavailable } from './velero-pair.ts';

const ended = { phase: 'Completed' };
const restored = { restore: { status: ended }, issues: [] };

describe.skipIf(veleroUnavailable() !== undefined)('two claims of one pod', () => {
  let pair: VeleroPair;
  beforeAll(async () => {
    pair = await VeleroPair.start('claims');
  });
  afterAll(() => pair.stop());

  it.concurrent('are backed up by us, and restored and deleted by Velero', async (context) => {
    const claims = await ClaimsScene.open(context, pair);
    await expectRestoredByVelero(context, claims, []);
    const { scene, backup, copy } = claims;
    await scene.deleteByVelero(backup);
    context.expect(await claims.snapshots()).toEqual([]);
    context.expect(await scene.filesOf(backup)).toEqual([]);
    await claims.expectData(copy);
  });

  it.concurrent('are backed up by us as a group, and restored by Velero, and by us from what Velero writes of a group', async (context) => {
    const claims = await ClaimsScene.open(context, pair, { 'velero.io/volume-group': 'db' });
    await expectRestoredByVelero(context, claims, [{ name: 'db', consistency: 'group' }]);
    const { scene, namespace, backup, copy } = claims;
    // Velero 1.18 does not understand the group API of this cluster, so it cannot take one itself.
    await scene.removeFilesOfOurOwn(backup);
    const engine = scene.engine();
    const sound = { intact: true, heldAgainst: 'structure', snapshots: 2, issues: [] };
    context.expect(await engine.verify(backup)).toMatchObject(sound);
    const namespaceMapping = { [namespace]: `${namespace}-ours` };
    scene.kit.deleteNamespaceAtEnd(`${namespace}-ours`);
    const spec = { backupName: backup, namespaceMapping };
    context.expect(await engine.restore({ spec })).toMatchObject(restored);
    await claims.expectData(`${namespace}-ours`);
    // Velero frees the members of a group one by one, which this driver refuses.
    await engine.deleteBackup(backup);
    context.expect(await claims.snapshots()).toEqual([]);
    await claims.expectData(copy);
    await scene.untilForgotten(backup);
  });

  it.concurrent('are backed up by Velero, and restored and deleted by us', async (context) => {
    const { expect } = context;
    const claims = await ClaimsScene.open(context, pair);
    const { scene, namespace, backup, copy } = claims;
    const selected = `--include-namespaces=${namespace}`;
    expect(await scene.backUpByVelero(backup, selected)).toBe('Completed');
    const engine = scene.engine();
    expect(await engine.verify(backup)).toMatchObject({ intact: true, snapshots: 2, issues: [] });
    const found = await engine.catalog.get(backup);
    expect(found).toMatchObject({ spec: { includedNamespaces: [namespace] }, status: ended });

    const namespaceMapping = { [namespace]: copy };
    const plan = await engine.planRestore({ spec: { backupName: backup, namespaceMapping } });
    expect(plan.volumes).toMatchObject([{ from: 'snapshot' }, { from: 'snapshot' }]);
    expect(plan).toMatchObject({ missing: [], issues: [], phase: 'Completed' });
    expect(await engine.restore(plan)).toMatchObject(restored);
    await claims.expectData(copy);
    await scene.loseNamespace(namespace);
    expect(await engine.restore({ spec: { backupName: backup } })).toMatchObject(restored);
    await claims.expectData(namespace);
    const elsewhere = await scene.engine(2).restore({ spec: { backupName: backup } });
    expect(elsewhere).toMatchObject(restored);
    await claims.expectData(namespace, 2);

    await engine.deleteBackup(backup);
    expect(await claims.snapshots()).toEqual([]);
    expect(await scene.filesOf(backup)).toEqual([]);
    await claims.expectData(copy);
  });
});

/** Backs up, and has Velero restore in another namespace, in its place and in the other cluster. */
async function expectRestoredByVelero(
  { expect }: TestContext,
  claims: ClaimsScene,
  groups: readonly object[],
): Promise<void> {
  const { scene, namespace, backup, copy } = claims;
  const spec = { includedNamespaces: [namespace] };
  const backedUp = await scene.engine().backup({ name: backup, spec });
  expect(backedUp).toMatchObject({
    backup: { status: { phase: 'Completed' } },
    volumeGroups: groups,
    issues: [],
  });
  const handles = await claims.snapshots();
  expect(handles).toHaveLength(2);

  await Promise.all([scene.untilSynced(backup), scene.untilSynced(backup, 2)]);
  const described = await scene.velero().run('backup', 'describe', backup, '--details');
  for (const handle of handles) expect(described).toContain(handle);

  const mappings = { [namespace]: copy };
  expect(await scene.restoreByVelero(`${backup}-copy`, { backup, mappings })).toBe('Completed');
  await claims.expectData(copy);
  await scene.loseNamespace(namespace);
  expect(await scene.restoreByVelero(`${backup}-same`, { backup })).toBe('Completed');
  await claims.expectData(namespace);
  const elsewhere = { backup, cluster: 2 } as const;
  expect(await scene.restoreByVelero(`${backup}-other`, elsewhere)).toBe('Completed');
  await claims.expectData(namespace, 2);
}
