import { describe, expect, it } from 'vitest';

import { ValidationError } from '../errors.ts';
import { type BackupArtifact, type RestoreArtifact } from './artifact.ts';
import {
  backupDirectory,
  backupKey,
  claimKey,
  restoreDirectory,
  restoreKey,
} from './key-layout.ts';

describe('backupKey', () => {
  it.each<[BackupArtifact, string]>([
    ['backup', 'backups/b1/velero-backup.json'],
    ['archive', 'backups/b1/b1.tar.gz'],
    ['logs', 'backups/b1/b1-logs.gz'],
    ['podVolumeBackups', 'backups/b1/b1-podvolumebackups.json.gz'],
    ['volumeSnapshots', 'backups/b1/b1-volumesnapshots.json.gz'],
    ['resourceList', 'backups/b1/b1-resource-list.json.gz'],
    ['csiVolumeSnapshots', 'backups/b1/b1-csi-volumesnapshots.json.gz'],
    ['csiVolumeSnapshotContents', 'backups/b1/b1-csi-volumesnapshotcontents.json.gz'],
    ['csiVolumeSnapshotClasses', 'backups/b1/b1-csi-volumesnapshotclasses.json.gz'],
    ['results', 'backups/b1/b1-results.gz'],
    ['itemOperations', 'backups/b1/b1-itemoperations.json.gz'],
    ['volumeInfo', 'backups/b1/b1-volumeinfo.json.gz'],
    ['manifest', 'backups/b1/lifeboat-manifest.json'],
    ['index', 'backups/b1/lifeboat-index.json.gz'],
  ])('%s is %s', (artifact, key) => {
    expect(backupKey('b1', artifact)).toBe(key);
  });
});

describe('restoreKey', () => {
  it.each<[RestoreArtifact, string]>([
    ['logs', 'restores/r1/restore-r1-logs.gz'],
    ['results', 'restores/r1/restore-r1-results.gz'],
    ['resourceList', 'restores/r1/restore-r1-resource-list.json.gz'],
    ['itemOperations', 'restores/r1/restore-r1-itemoperations.json.gz'],
    ['volumeInfo', 'restores/r1/r1-volumeinfo.json.gz'],
  ])('%s is %s', (artifact, key) => {
    expect(restoreKey('r1', artifact)).toBe(key);
  });
});

describe('names', () => {
  it('a claim lies inside the directory of its backup', () => {
    expect(claimKey('b1')).toBe('backups/b1/lifeboat-claim.json');
  });

  it('a name with dots is a name', () => {
    expect(backupKey('shop.v1', 'archive')).toBe('backups/shop.v1/shop.v1.tar.gz');
  });

  it.each(['', '.', '..', '../x', 'a/b', 'A', 'a b', 'a\n', '{name}'])(
    '%j is refused before it becomes a key',
    (name) => {
      const uses = [
        () => backupDirectory(name),
        () => backupKey(name, 'archive'),
        () => claimKey(name),
        () => restoreDirectory(name),
        () => restoreKey(name, 'logs'),
      ];
      for (const use of uses) {
        expect(use).toThrow(ValidationError);
        expect(use).toThrow(JSON.stringify(name));
      }
    },
  );
});
