import { describe, it } from 'vitest';
import { anyRestore, noteOnClaims, tokenOfAccount } from '../e2e/restore-differences.ts';
import { InteropScene } from './interop-scene.ts';
import { VeleroPair, veleroUnavailable } from './velero-pair.ts';
import { type ZooCopy, ZooScene } from './zoo-scene.ts';

describe.skipIf(veleroUnavailable() !== undefined)('objects of every common kind', () => {
  it('are the same whoever backs them up, for Velero to restore and for us', async (context) => {
    const { expect } = context;
    const zoo = await ZooScene.open(context);
    const { namespace } = zoo;
    // Velero looks at what is served when it starts, and every five minutes.
    const pair = await VeleroPair.start('zoo');
    context.onTestFinished(() => pair.stop());
    const scene = await InteropScene.open(context, pair);
    const engine = scene.engine();
    const copyOf = (backup: string, reader: string): ZooCopy => {
      const copy = { namespace: `${backup}-${reader}`, restore: `${backup}-by-${reader}`, backup };
      zoo.deleteAtEnd(copy.namespace);
      return copy;
    };
    const [ours, theirs] = [`${namespace}-ours`, `${namespace}-theirs`];
    for (const backup of [ours, theirs]) scene.deleteBackupAtEnd(backup);
    const backedUp = await engine.backup({
      name: ours,
      spec: { includedNamespaces: [namespace] },
    });
    expect(backedUp).toMatchObject({ backup: { status: { phase: 'Completed' } }, issues: [] });
    const selected = `--include-namespaces=${namespace}`;
    expect(await scene.backUpByVelero(theirs, selected)).toBe('Completed');
    await scene.untilSynced(ours);
    const described = await scene.velero().run('backup', 'describe', ours, '--details');
    expect(described).toMatch(/^Phase: +Completed$/m);
    expect(described).toContain(`${namespace}/web`);
    for (const name of [ours, theirs]) {
      expect(await engine.verify(name)).toMatchObject({ intact: true, issues: [] });
    }
    expect(await engine.catalog.getObject(theirs, zoo.widgetIdentifier)).toMatchObject({
      spec: await zoo.widget(namespace),
    });

    const byVelero = [copyOf(ours, 'velero'), copyOf(theirs, 'velero')] as const;
    for (const { backup, restore, namespace: copy } of byVelero) {
      const mappings = { [namespace]: copy };
      expect(await scene.restoreByVelero(restore, { backup, mappings })).toBe('Completed');
      await zoo.expectData(copy);
    }
    await zoo.expectSame(byVelero, [...anyRestore, noteOnClaims]);

    const byUs = [copyOf(ours, 'us'), copyOf(theirs, 'us')] as const;
    for (const { backup, restore, namespace: copy } of byUs) {
      const spec = { backupName: backup, namespaceMapping: { [namespace]: copy } };
      const plan = await engine.planRestore({ name: restore, spec });
      expect(plan).toMatchObject({ missing: [], phase: 'Completed' });
      const { restore: done } = await engine.restore(plan);
      expect(done.status.phase).toBe('Completed');
      await zoo.expectData(copy);
    }
    await zoo.expectSame(byUs, [...anyRestore, tokenOfAccount]);

    // There the definitions of the custom resources are not known yet.
    const widget = await zoo.widget(namespace);
    zoo.deleteSharedAtEnd(2);
    zoo.deleteAtEnd(namespace, 2);
    zoo.deleteAtEnd(`${namespace}-us`, 2);
    await scene.untilSynced(ours, 2);
    const elsewhere = { backup: ours, cluster: 2 } as const;
    expect(await scene.restoreByVelero(`${ours}-elsewhere`, elsewhere)).toBe('Completed');
    await zoo.expectData(namespace, 2);
    expect(await zoo.widget(namespace, 2)).toEqual(widget);
    const namespaceMapping = { [namespace]: `${namespace}-us` };
    const spec = { backupName: theirs, namespaceMapping };
    const { restore } = await scene.engine(2).restore({ spec });
    expect(restore.status.phase).toBe('Completed');
    await zoo.expectData(`${namespace}-us`, 2);
    expect(await zoo.widget(`${namespace}-us`, 2)).toEqual(widget);

    const volumes = await zoo.volumeHandles();
    await zoo.lose(scene);
    expect(await scene.restoreByVelero(`${ours}-same`, { backup: ours })).toBe('Completed');
    await zoo.expectData(namespace);
    await zoo.lose(scene);
    const inPlace = await engine.restore({ spec: { backupName: theirs } });
    expect(inPlace.restore.status.phase).toBe('Completed');
    await zoo.expectData(namespace);
    expect(await zoo.widget(namespace)).toEqual(widget);

    expect(await scene.lab.storageSnapshotsOf(volumes)).toHaveLength(2 * volumes.length);
    await scene.deleteByVelero(ours);
    await engine.deleteBackup(theirs);
    expect(await scene.lab.storageSnapshotsOf(volumes)).toEqual([]);
  });
});
