import { describe, expect, it } from 'vitest';
import { ValidationError } from '../errors.ts';
import { acceptBackupRequest, withSourceVersion } from './request.ts';

const startedAt = new Date('2026-11-24T14:09:02.345Z');

describe('acceptBackupRequest', () => {
  it('fills in what Velero fills in', () => {
    const backup = acceptBackupRequest(
      { name: 'shop', spec: { includedNamespaces: ['shop'] }, metadata: { uid: 'u-1' } },
      startedAt,
    );
    expect(backup).toMatchObject({
      kind: 'Backup',
      apiVersion: 'velero.io/v1',
      metadata: {
        name: 'shop',
        namespace: 'velero',
        uid: 'u-1',
        creationTimestamp: '2026-11-24T14:09:02Z',
        labels: { 'velero.io/storage-location': 'default' },
      },
      spec: {
        includedNamespaces: ['shop'],
        excludedClusterScopedResources: ['volumesnapshotcontents.snapshot.storage.k8s.io'],
        excludedNamespaceScopedResources: ['volumesnapshots.snapshot.storage.k8s.io'],
        ttl: '720h0m0s',
        csiSnapshotTimeout: '10m0s',
        itemOperationTimeout: '4h0m0s',
        snapshotMoveData: false,
      },
      status: {
        version: 1,
        formatVersion: '1.1.0',
        expiration: '2026-12-24T14:09:02Z',
        phase: 'InProgress',
        startTimestamp: '2026-11-24T14:09:02Z',
      },
    });
  });

  it('expires after the ttl', () => {
    const { status } = acceptBackupRequest({ name: 'shop', spec: { ttl: '1h30m' } }, startedAt);
    expect(status.expiration).toBe('2026-11-24T15:39:02Z');
  });

  it('keeps the labels and annotations of the request and gives each backup a uid of its own', () => {
    const metadata = { labels: { team: 'a' }, annotations: { note: 'b' } };
    const one = acceptBackupRequest({ name: 'one', metadata }, startedAt);
    const two = acceptBackupRequest({ name: 'two', metadata }, startedAt);
    expect(one.metadata.labels).toEqual({ team: 'a', 'velero.io/storage-location': 'default' });
    expect(one.metadata.annotations).toEqual({ note: 'b' });
    expect(one.metadata.uid).not.toBe(two.metadata.uid);
  });

  it('reports every violation at once', () => {
    const invalid = {
      name: 'Not_A_Name',
      spec: { includedNamespaces: ['*', 'shop'], ttl: 'soon' },
    };
    expect(() => acceptBackupRequest(invalid, startedAt)).toThrow(ValidationError);
    try {
      acceptBackupRequest(invalid, startedAt);
    } catch (error) {
      expect(error instanceof ValidationError && error.violations.map(({ path }) => path)).toEqual(
        expect.arrayContaining([
          'name',
          expect.stringContaining('includedNamespaces'),
          expect.stringContaining('ttl'),
        ]),
      );
    }
  });
});

it('annotates the version of the cluster as Velero does', () => {
  const backup = acceptBackupRequest({ name: 'shop' }, startedAt);
  const version = { major: '1', minor: '36', gitVersion: 'v1.36.3' };
  expect(withSourceVersion(backup, version).metadata.annotations).toEqual({
    'velero.io/source-cluster-k8s-gitversion': 'v1.36.3',
    'velero.io/source-cluster-k8s-major-version': '1',
    'velero.io/source-cluster-k8s-minor-version': '36',
  });
});
