import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { expect, it, vi } from 'vitest';
import { backupKey } from '../catalog/key-layout.ts';
import { isLifeboatError } from '../errors.ts';
import type { Issue } from '../model/issue.ts';
import { backupName, type HostileScene, hostileScene, tarOf } from './hostile-backup-fixture.ts';
import {
  entriesOf,
  handleInTexts,
  mutatedBytes,
  mutatedTexts,
  objects,
} from './mutated-archive-fixture.ts';

// Each run is a restore; that many of them take their time on a busy machine.
vi.setConfig({ testTimeout: 600_000 });

/** The same runs each time; LIFEBOAT_FUZZ_RUNS asks for so many others, to find what these do not. */
function runs(numRuns: number): fc.Parameters<unknown> {
  const others = process.env['LIFEBOAT_FUZZ_RUNS'];
  return others === undefined ? { numRuns, seed: 20_261_126 } : { numRuns: Number(others) };
}

/** What a restore makes of an archive: its issues, or `refused`, after which nothing has been written. */
async function outcomeOf(scene: HostileScene): Promise<readonly Issue[] | 'refused'> {
  try {
    const { issues } = await scene.restore();
    return issues;
  } catch (error) {
    if (!isLifeboatError(error)) {
      throw error;
    }
    expect(error.code).toBe('CorruptBackup');
    await scene.expectNothingWritten();
    return 'refused';
  }
}

function expectTyped(outcome: readonly Issue[] | 'refused'): void {
  const issues = outcome === 'refused' ? expect.unreachable() : outcome;
  // What no rule has foreseen, such as a TypeError, is an ItemFailed.
  expect(issues.filter(({ reason }) => reason === 'ItemFailed')).toEqual([]);
}

/** Stores an archive of texts, and the snapshot in the storage that they tell of. */
async function sceneOf(texts: readonly string[]): Promise<HostileScene> {
  const scene = await hostileScene();
  const createdAt = new Date(0);
  const { handle } = scene.cluster.csi.storage.addSnapshot({
    ...{ name: 's', sourceVolumeHandle: 'gone', sizeBytes: 31_457_280n },
    ...{ createdAt, readyAt: createdAt, files: new Map() },
  });
  const entries = entriesOf((_, index) =>
    (texts[index] ?? '').replaceAll(handleInTexts, () => handle),
  );
  await scene.store.put(backupKey(backupName, 'archive'), gzipSync(await tarOf(entries)));
  return scene;
}

it('the archive that is mutated here is restored whole', async () => {
  await using scene = await sceneOf(objects.map(([, object]) => JSON.stringify(object)));
  const issues = await outcomeOf(scene);
  expectTyped(issues);
  const created = new Set(scene.writes().map(({ resource }) => resource));
  expect(objects.map(([folder]) => folder).filter((folder) => !created.has(folder))).toEqual([]);
  expect(await scene.engine.verify(backupName, { snapshots: false })).toMatchObject({
    intact: true,
    objects: objects.length,
  });
});

it('an archive whose bytes were changed is restored, or refused with nothing written', async () => {
  await fc.assert(
    fc.asyncProperty(mutatedBytes, async (bytes) => {
      await using scene = await hostileScene(bytes);
      const outcome = await outcomeOf(scene);
      const { issues } = await scene.engine.verify(backupName, { snapshots: false });
      if (outcome === 'refused') {
        expect(issues).toContainEqual(expect.objectContaining({ reason: 'CorruptBackup' }));
      } else {
        expectTyped(outcome);
      }
    }),
    runs(150),
  );
});

it('objects whose values were changed are restored, or are an error of a known kind', async () => {
  await fc.assert(
    fc.asyncProperty(mutatedTexts, async (texts) => {
      await using scene = await sceneOf(texts);
      expectTyped(await outcomeOf(scene));
    }),
    runs(100),
  );
});
