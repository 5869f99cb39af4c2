import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../model/json.ts';
import type { KubernetesManifest, KubernetesObject } from '../model/kubernetes.ts';
import type { Restore } from '../model/restore.ts';
import { compareWithExisting, type ExistingComparison } from './existing-object.ts';
import { resetMetadata } from './reset-metadata.ts';
import { withRestoreLabels } from './restore-labels.ts';

const restore: Restore = {
  apiVersion: 'velero.io/v1',
  kind: 'Restore',
  metadata: { name: 'again' },
  spec: { backupName: 'shop' },
  status: { phase: 'InProgress' },
};

function object(kind: string, fields: JsonObject, metadata: JsonObject = {}): KubernetesObject {
  return {
    apiVersion: 'v1',
    kind,
    metadata: { name: 'x', namespace: 'shop', ...metadata },
    ...fields,
  };
}

function compare(existing: KubernetesObject, itemFromBackup: KubernetesObject): ExistingComparison {
  const manifest = withRestoreLabels(resetMetadata(itemFromBackup), restore);
  return compareWithExisting({ existing, manifest, itemFromBackup, restore });
}

describe('compareWithExisting', () => {
  it('ignores who manages which field', () => {
    const existing = object(
      'ConfigMap',
      { data: { a: 'b' } },
      { managedFields: [{ manager: 'x' }] },
    );
    expect(compare(existing, object('ConfigMap', { data: { a: 'b' } }))).toEqual({ kind: 'equal' });
  });

  it('does not take the archived form for the wanted one when existing objects may be changed', () => {
    const archived = object('Deployment', { spec: { replicas: 1 } });
    const wanted = object('Deployment', { spec: { replicas: 5 } });
    const input = {
      existing: archived,
      manifest: withRestoreLabels(resetMetadata(wanted), restore),
      itemFromBackup: archived,
      restore,
    };
    expect(compareWithExisting(input)).toEqual({ kind: 'equal' });
    expect(compareWithExisting(input, { isChangeable: true })).toEqual({
      kind: 'different',
      patch: { spec: { replicas: 5 } },
    });
  });

  it('does not take what serves the original namespaces for what serves the copies', () => {
    const bound = (namespace: string): KubernetesObject => ({
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRoleBinding',
      metadata: { name: 'x' },
      subjects: [{ kind: 'ServiceAccount', name: 'keeper', namespace }],
    });
    const mapped = { ...restore, spec: { ...restore.spec, namespaceMapping: { shop: 'copy' } } };
    const input = { existing: bound('shop'), itemFromBackup: bound('shop'), restore: mapped };
    const manifestOf = (namespace: string): KubernetesManifest =>
      withRestoreLabels(resetMetadata(bound(namespace)), mapped);
    expect(compareWithExisting({ ...input, manifest: manifestOf('copy') }).kind).toBe('different');
    expect(compareWithExisting({ ...input, manifest: manifestOf('shop') }).kind).toBe('equal');
  });

  it('leaves what the cluster put into a token, and compares what anybody put into another Secret', () => {
    const token = { type: 'kubernetes.io/service-account-token' };
    const data = { token: 'eA==', 'ca.crt': 'eA==', namespace: 'c2hvcA==' };
    const live = object('Secret', { ...token, data });
    expect(compare(live, object('Secret', token))).toEqual({ kind: 'equal' });
    const opaque = object('Secret', { type: 'Opaque', data: { token: 'eA==' } });
    expect(compare(opaque, object('Secret', { type: 'Opaque' }))).toEqual({
      kind: 'different',
      patch: { data: { token: null } },
    });
  });

  it('takes an object for equal whose status, uid and restore labels alone differ', () => {
    const existing = object(
      'ConfigMap',
      { data: { a: 'b' }, status: { x: 1 } },
      { uid: '1', labels: { app: 'a', 'velero.io/restore-name': 'earlier' } },
    );
    const archived = object('ConfigMap', { data: { a: 'b' } }, { uid: '2', labels: { app: 'a' } });
    expect(compare(existing, archived)).toEqual({ kind: 'equal' });
  });

  it('tells a difference in content or labels', () => {
    const archived = object('ConfigMap', { data: { a: 'b' } });
    expect(compare(object('ConfigMap', { data: { a: 'c' } }), archived).kind).toBe('different');
    const labelled = object('ConfigMap', { data: { a: 'b' } }, { labels: { more: 'x' } });
    expect(compare(labelled, archived).kind).toBe('different');
  });

  it('takes an object for equal that nobody touched, though a restore would create it otherwise', () => {
    const archived = object('Service', { spec: { clusterIP: '10.0.0.1' } });
    const manifest = withRestoreLabels(resetMetadata(object('Service', { spec: {} })), restore);
    const comparison = compareWithExisting({
      existing: archived,
      manifest,
      itemFromBackup: archived,
      restore,
    });
    expect(comparison.kind).toBe('equal');
  });

  it('compares an object of a mapped namespace as if it came from there', () => {
    const archived = object('ConfigMap', { data: { a: 'b' } });
    const manifest = withRestoreLabels(
      resetMetadata(object('ConfigMap', { data: { a: 'changed' } }, { namespace: 'copy' })),
      restore,
    );
    const existing = object('ConfigMap', { data: { a: 'b' } }, { namespace: 'copy' });
    const comparison = compareWithExisting({
      existing,
      manifest,
      itemFromBackup: archived,
      restore,
    });
    expect(comparison.kind).toBe('equal');
  });

  it('does not count which snapshot object a claim was filled from', () => {
    const filled = (name: string): KubernetesObject =>
      object('PersistentVolumeClaim', { spec: { dataSource: { kind: 'VolumeSnapshot', name } } });
    expect(compare(filled('first'), filled('second'))).toEqual({ kind: 'equal' });
    expect(compare(object('PersistentVolumeClaim', { spec: {} }), filled('first'))).toEqual({
      kind: 'equal',
    });
  });

  it('does not count what a backup notes on a claim', () => {
    const fields = { spec: { volumeName: 'pv' } };
    const archived = object('PersistentVolumeClaim', fields, {
      labels: { app: 'a', 'velero.io/volume-snapshot-name': 'vs' },
      annotations: { note: 'x', 'velero.io/volume-snapshot-name': 'vs' },
    });
    const existing = object('PersistentVolumeClaim', fields, {
      labels: { app: 'a' },
      annotations: { note: 'x' },
    });
    expect(compare(existing, archived).kind).toBe('equal');
  });

  it('adds to a ServiceAccount what it lacks and takes nothing away', () => {
    const existing = object(
      'ServiceAccount',
      { secrets: [{ name: 'own' }] },
      { labels: { app: 'theirs' } },
    );
    const archived = object(
      'ServiceAccount',
      { secrets: [{ name: 'own' }, { name: 'mine' }], imagePullSecrets: [{ name: 'registry' }] },
      { labels: { app: 'ours', tier: 'web' }, annotations: { note: 'x' } },
    );
    expect(compare(existing, archived)).toEqual({
      kind: 'mergeable',
      patch: {
        metadata: {
          labels: {
            tier: 'web',
            'velero.io/backup-name': 'shop',
            'velero.io/restore-name': 'again',
          },
          annotations: { note: 'x' },
        },
        secrets: [{ name: 'own' }, { name: 'mine' }],
        imagePullSecrets: [{ name: 'registry' }],
      },
    });
  });
});
