import { describe, expect, it } from 'vitest';

import type { BackupSpec } from '../model/backup.ts';
import {
  completeBackupSpec,
  validateBackupRequest,
  withExcludedNamespaces,
} from './backup-request.ts';

// As Velero 1.18 was seen to complete the spec of a backup of one namespace.
const completed: BackupSpec = {
  metadata: {},
  includedNamespaces: ['default'],
  excludedClusterScopedResources: ['volumesnapshotcontents.snapshot.storage.k8s.io'],
  excludedNamespaceScopedResources: ['volumesnapshots.snapshot.storage.k8s.io'],
  ttl: '720h0m0s',
  volumeGroupSnapshotLabelKey: 'velero.io/volume-group',
  hooks: {},
  storageLocation: 'default',
  defaultVolumesToFsBackup: false,
  csiSnapshotTimeout: '10m0s',
  itemOperationTimeout: '4h0m0s',
  snapshotMoveData: false,
};

describe('validateBackupRequest', () => {
  it('checks name and spec together', () => {
    expect(
      validateBackupRequest({ name: 'No', spec: { ttl: 'soon' } }).map(({ path }) => path),
    ).toEqual(['name', 'spec.ttl']);
  });

  it.each(['shop', 'shop-20261124', 'a.b', 'a'.repeat(230)])('accepts the name %j', (name) => {
    expect(validateBackupRequest({ name })).toEqual([]);
  });

  it.each(['', '..', 'a/b', 'A', 'a'.repeat(231)])('refuses the name %j', (name) => {
    expect(validateBackupRequest({ name })).toMatchObject([{ path: 'name', received: name }]);
  });

  it('accepts a spec that is complete already', () => {
    expect(validateBackupRequest({ name: 'b1', spec: completed })).toEqual([]);
  });
});

describe('completeBackupSpec', () => {
  it('fills in what Velero fills in', () => {
    expect(completeBackupSpec({ includedNamespaces: ['default'] })).toEqual(completed);
  });

  it('changes nothing in a complete spec', () => {
    expect(completeBackupSpec(completed)).toEqual(completed);
  });

  it.each<[string, BackupSpec, BackupSpec]>([
    ['no namespaces', {}, { includedNamespaces: ['*'] }],
    ['an empty list of namespaces', { includedNamespaces: [] }, { includedNamespaces: ['*'] }],
    ['a duration in another form', { ttl: '24h' }, { ttl: '24h0m0s' }],
    [
      'a zero duration',
      { ttl: '0s', csiSnapshotTimeout: '0' },
      { ttl: '720h0m0s', csiSnapshotTimeout: '10m0s' },
    ],
    ['a location', { storageLocation: 'eu' }, { storageLocation: 'eu' }],
    ['an unset location', { storageLocation: '' }, { storageLocation: 'default' }],
    ['snapshots turned off', { snapshotVolumes: false }, { snapshotVolumes: false }],
    [
      'the old filters',
      { excludedResources: ['secrets'] },
      {
        excludedResources: [
          'secrets',
          'volumesnapshots.snapshot.storage.k8s.io',
          'volumesnapshotcontents.snapshot.storage.k8s.io',
        ],
      },
    ],
    [
      'the new filters',
      { excludedNamespaceScopedResources: ['secrets'] },
      {
        excludedNamespaceScopedResources: ['secrets', 'volumesnapshots.snapshot.storage.k8s.io'],
      },
    ],
  ])('%s', (_what, spec, expected) => {
    expect(completeBackupSpec(spec)).toMatchObject(expected);
  });

  it('leaves the fields of the other filter style alone', () => {
    expect(completeBackupSpec({ includeClusterResources: true })).not.toHaveProperty(
      'excludedClusterScopedResources',
    );
    expect(completeBackupSpec({})).not.toHaveProperty('excludedResources');
  });
});

describe('withExcludedNamespaces', () => {
  it('adds the names that are not there yet', () => {
    expect(withExcludedNamespaces({ excludedNamespaces: ['a'] }, ['a', 'b'])).toEqual({
      excludedNamespaces: ['a', 'b'],
    });
  });

  it('adds no list when there is nothing to add', () => {
    expect(withExcludedNamespaces({}, [])).toEqual({});
  });
});
