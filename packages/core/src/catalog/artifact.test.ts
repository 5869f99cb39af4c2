import { gunzipSync } from 'node:zlib';

import { describe, expect, it } from 'vitest';

import { type ArtifactDescription, backupArtifacts, restoreArtifacts } from './artifact.ts';
import { gzipJson } from './gzip-json.ts';

describe('an empty file', () => {
  // As Velero's own encoders write it.
  it.each<[keyof typeof backupArtifacts, string]>([
    ['volumeSnapshots', 'null\n'],
    ['podVolumeBackups', 'null\n'],
    ['csiVolumeSnapshots', 'null\n'],
    ['csiVolumeSnapshotContents', 'null\n'],
    ['csiVolumeSnapshotClasses', 'null\n'],
    ['itemOperations', '[]\n'],
    ['resourceList', '{}\n'],
    ['results', '{"errors":{},"warnings":{}}\n'],
    ['volumeInfo', '[]\n'],
  ])('%s holds %j', async (artifact, text) => {
    const description = backupArtifacts[artifact];
    const empty = 'empty' in description ? description.empty : 'none';
    expect(gunzipSync(await gzipJson(empty)).toString()).toBe(text);
  });
});

describe('file names', () => {
  it.each<[string, Readonly<Record<string, ArtifactDescription>>]>([
    ['backup', backupArtifacts],
    ['restore', restoreArtifacts],
  ])('no two files of a %s share one', (_what, artifacts) => {
    const names = Object.values(artifacts).map(({ fileName }) => fileName);
    expect(new Set(names).size).toBe(names.length);
  });
});
