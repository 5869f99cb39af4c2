import { describe, expect, it } from 'vitest';

import type { Backup } from '../../model/backup.ts';
import { decodeBackup, encodeBackup } from './backup-json.ts';

const backup: Backup = {
  apiVersion: 'velero.io/v1',
  kind: 'Backup',
  status: {
    phase: 'Completed',
    formatVersion: '1.1.0',
    version: 1,
    expiration: '2026-01-02T03:04:05Z',
  },
  spec: {
    csiSnapshotTimeout: '10m0s',
    defaultVolumesToFsBackup: false,
    ttl: '720h0m0s',
    includedNamespaces: ['*'],
  },
  metadata: {
    labels: { 'velero.io/storage-location': 'default' },
    uid: 'u1',
    namespace: 'velero',
    name: 'b1',
  },
};

// As Velero 1.18's own encoder writes this backup.
const encoded = `{
  "kind": "Backup",
  "apiVersion": "velero.io/v1",
  "metadata": {
    "name": "b1",
    "namespace": "velero",
    "uid": "u1",
    "creationTimestamp": null,
    "labels": {
      "velero.io/storage-location": "default"
    }
  },
  "spec": {
    "metadata": {},
    "includedNamespaces": [
      "*"
    ],
    "ttl": "720h0m0s",
    "hooks": {},
    "defaultVolumesToFsBackup": false,
    "csiSnapshotTimeout": "10m0s",
    "itemOperationTimeout": "0s"
  },
  "status": {
    "version": 1,
    "formatVersion": "1.1.0",
    "expiration": "2026-01-02T03:04:05Z",
    "phase": "Completed"
  }
}`;

function decode(document: unknown, name = 'b1'): Backup {
  return decodeBackup(Buffer.from(JSON.stringify(document)), { name, target: 'the file' });
}

describe('encodeBackup', () => {
  it('writes the bytes that Velero writes, whatever the order of the fields', () => {
    expect(encodeBackup(backup)).toBe(encoded);
  });

  it('sorts labels and annotations, and keeps unknown fields behind the known ones', () => {
    const text = encodeBackup({
      ...backup,
      metadata: { x: 1, name: 'b1', annotations: { z: '1', a: '2' } },
    });
    expect(text).toContain(`"metadata": {
    "name": "b1",
    "creationTimestamp": null,
    "annotations": {
      "a": "2",
      "z": "1"
    },
    "x": 1
  }`);
  });

  it('escapes what Go escapes', () => {
    expect(
      encodeBackup({ ...backup, metadata: { name: 'b1', annotations: { a: '<&>' } } }),
    ).toContain('"a": "\\u003c\\u0026\\u003e"');
  });
});

describe('decodeBackup', () => {
  it('reads what it wrote', () => {
    const decoded = decodeBackup(Buffer.from(encoded), { name: 'b1', target: 'the file' });
    expect(encodeBackup(decoded)).toBe(encoded);
    expect(decoded.spec.includedNamespaces).toEqual(['*']);
  });

  it('takes null, missing and empty fields for absent, and keeps unknown ones', () => {
    expect(
      decode({
        apiVersion: 'velero.io/v1',
        kind: 'Backup',
        metadata: { name: 'b1', labels: null, creationTimestamp: null, x: 1 },
        spec: { includedNamespaces: null, hooks: {}, y: [2] },
        status: { phase: '', progress: {} },
        z: 3,
      }),
    ).toEqual({
      apiVersion: 'velero.io/v1',
      kind: 'Backup',
      metadata: { name: 'b1', x: 1 },
      spec: { hooks: {}, y: [2] },
      status: {
        version: 1,
        formatVersion: '1',
        phase: 'New',
        progress: { totalItems: 0, itemsBackedUp: 0 },
      },
      z: 3,
    });
  });

  it('reads a document without spec and status', () => {
    expect(
      decode({ apiVersion: 'velero.io/v1', kind: 'Backup', metadata: { name: 'b1' } }),
    ).toMatchObject({ spec: {}, status: { phase: 'New' } });
  });

  it.each<[string, unknown, RegExp]>([
    ['another kind', { ...backup, kind: 'Restore' }, /not a Backup of velero\.io\/v1/],
    ['another version', { ...backup, apiVersion: 'velero.io/v2' }, /not a Backup/],
    ['no metadata', { ...backup, metadata: undefined }, /describes the backup undefined/],
    [
      'another name',
      { ...backup, metadata: { name: 'b2' } },
      /describes the backup "b2", not "b1"/,
    ],
    [
      'a name of another type',
      { ...backup, metadata: { name: 7 } },
      /metadata\.name must be a string/,
    ],
    [
      'labels that are a list',
      { ...backup, metadata: { name: 'b1', labels: [] } },
      /map of strings/,
    ],
    [
      'a label that is a number',
      { ...backup, metadata: { name: 'b1', labels: { a: 1 } } },
      /labels/,
    ],
    [
      'namespaces that are no list',
      { ...backup, spec: { includedNamespaces: 'a' } },
      /list of strings/,
    ],
    ['a duration that is a number', { ...backup, spec: { ttl: 5 } }, /spec\.ttl must be a string/],
    ['an error count that is text', { ...backup, status: { errors: '1' } }, /must be a number/],
    ['an unknown phase', { ...backup, status: { phase: 'Dreaming' } }, /unknown phase "Dreaming"/],
    [
      'an inherited name as its phase',
      { ...backup, status: { phase: 'toString' } },
      /unknown phase/,
    ],
    ['a list', [], /JSON object/],
    ['null', null, /JSON object/],
  ])('refuses %s as corrupt', (_what, document, message) => {
    expect(() => decode(document)).toThrow(message);
    expect(() => decode(document)).toThrow(
      expect.objectContaining({ code: 'CorruptBackup', target: 'the file' }),
    );
  });

  it.each(['', '{', 'not json', '\u0000'])('refuses %j, which is not JSON, as corrupt', (text) => {
    expect(() => decodeBackup(Buffer.from(text), { name: 'b1', target: 'the file' })).toThrow(
      expect.objectContaining({ code: 'CorruptBackup' }),
    );
  });
});
