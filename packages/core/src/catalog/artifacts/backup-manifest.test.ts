import { describe, expect, it } from 'vitest';
import {
  type BackupManifest,
  decodeBackupManifest,
  encodeBackupManifest,
} from './backup-manifest.ts';

const manifest: BackupManifest = {
  backup: { name: 'b', uid: 'u-1' },
  kubernetesVersion: 'v1.36.3',
  objects: 3,
  entries: 7,
  unstoredFilters: ['include', 'resourcePolicy'],
  claims: [
    { namespace: 'shop', claimName: 'data', level: 'application' },
    { namespace: 'shop', claimName: 'logs', level: 'crash', volumeGroup: 'db' },
  ],
  files: [{ fileName: 'b.tar.gz', sizeBytes: 12, sha256: 'ff00' }],
};

it('a manifest is read as it was written, and names who wrote it', () => {
  const text = encodeBackupManifest(manifest);
  expect(decodeBackupManifest(Buffer.from(text), 'key')).toEqual(manifest);
  expect(JSON.parse(text)).toMatchObject({
    writer: { name: 'lifeboat', version: expect.stringMatching(/^\d+\.\d+\.\d+/) as string },
  });
});

it('a manifest that tells nothing of consistency and filters is read', () => {
  const { claims: _claims, unstoredFilters: _filters, ...older } = manifest;
  const text = encodeBackupManifest(older);
  expect(decodeBackupManifest(Buffer.from(text), 'key')).toEqual(older);
});

describe('what is not a manifest is refused', () => {
  const good = encodeBackupManifest(manifest);
  it.each([
    { name: 'no JSON', text: '{' },
    { name: 'a list', text: '[]' },
    { name: 'a later format', text: good.replace('"formatVersion": 1', '"formatVersion": 2') },
    { name: 'no count', text: good.replace('"objects": 3', '"objects": "3"') },
    { name: 'an unknown filter', text: good.replace('"include"', '"some"') },
    { name: 'an unknown level', text: good.replace('"crash"', '"some"') },
    { name: 'a file without its size', text: good.replace('"sizeBytes": 12', '"sizeBytes": null') },
  ])('$name', ({ text }) => {
    expect(() => decodeBackupManifest(Buffer.from(text), 'backups/b/m')).toThrow(
      expect.objectContaining({ code: 'CorruptBackup', target: 'backups/b/m' }),
    );
  });
});
