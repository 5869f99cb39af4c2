import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { expect, it, vi } from 'vitest';
import { isLifeboatError } from '../errors.ts';
import type { Issue } from '../model/issue.ts';
import { backupName, type HostileScene, hostileScene, tarOf } from './hostile-backup-fixture.ts';
import {
  entriesOf,
  members,
  mutatedBytes,
  mutatedTexts,
  objects,
} from './mutated-archive-fixture.ts';

// Each run is a restore; that many of them take their time on a busy machine.
vi.setConfig({ testTimeout: 120_000 });

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

function expectTyped(issues: readonly Issue[]): void {
  // What no rule has foreseen, such as a TypeError, is an ItemFailed.
  expect(issues.filter(({ reason }) => reason === 'ItemFailed')).toEqual([]);
}

it('the archive that is mutated here is sound', async () => {
  await using scene = await hostileScene(Buffer.concat(members));
  const outcome = await outcomeOf(scene);
  expectTyped(outcome === 'refused' ? [] : outcome);
  expect(scene.writes().length).toBeGreaterThan(objects.length / 2);
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
    { numRuns: 150 },
  );
});

it('objects whose values were changed are restored, or are an error of a known kind', async () => {
  await fc.assert(
    fc.asyncProperty(mutatedTexts, async (texts) => {
      const tar = await tarOf(entriesOf((_, index) => texts[index] ?? ''));
      await using scene = await hostileScene(gzipSync(tar));
      const outcome = await outcomeOf(scene);
      expect(outcome).not.toBe('refused');
      expectTyped(outcome === 'refused' ? [] : outcome);
    }),
    { numRuns: 150 },
  );
});
