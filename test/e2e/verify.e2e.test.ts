import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { VolumeScene } from './volume-scene.ts';

it('a backup is intact as long as its storage snapshot is there, and verifying it leaves nothing', async (context) => {
  const scene = await VolumeScene.open(context);
  const engine = scene.lab.engine();
  await engine.backup(scene.request);
  expect(await engine.verify('backup')).toMatchObject({
    intact: true,
    heldAgainst: 'digests',
    snapshots: 1,
    issues: [],
  });
  const [handle = ''] = await scene.storageSnapshots();
  expect(handle).not.toBe('');
  expect(await scene.lab.snapshotObjectsOf(scene.namespace, scene.cluster)).toEqual([]);

  const { dirvolPath } = scene.kit.describe();
  await rm(join(dirvolPath, 'snapshots', handle), { recursive: true });
  const { intact, issues } = await engine.verify('backup');
  expect({ intact, reasons: issues.map(({ reason }) => reason) }).toEqual({
    intact: false,
    reasons: ['SnapshotMissing'],
  });
  expect(issues[0]?.message).toContain(handle);
});
