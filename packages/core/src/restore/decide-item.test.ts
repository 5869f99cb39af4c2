import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../model/json.ts';
import type { KubernetesObject } from '../model/kubernetes.ts';
import type { Restore } from '../model/restore.ts';
import { decideItem, type ExistingObjectsPolicy, type ItemDecision } from './decide-item.ts';
import { resetMetadata } from './reset-metadata.ts';
import { withRestoreLabels } from './restore-labels.ts';

const restore: Restore = {
  apiVersion: 'velero.io/v1',
  kind: 'Restore',
  metadata: { name: 'again' },
  spec: { backupName: 'shop' },
  status: { phase: 'InProgress' },
};
const labels = { 'velero.io/backup-name': 'shop', 'velero.io/restore-name': 'again' };

function object(data: string, metadata: JsonObject = {}, kind = 'ConfigMap'): KubernetesObject {
  return {
    apiVersion: 'v1',
    kind,
    metadata: { name: 'x', namespace: 'shop', ...metadata },
    data: { key: data },
  };
}

function decide(
  live: KubernetesObject | undefined,
  policy: ExistingObjectsPolicy,
  groupResource = 'configmaps',
): ItemDecision {
  const itemFromBackup = object('a', {}, live?.kind);
  const manifest = withRestoreLabels(resetMetadata(itemFromBackup), restore);
  return decideItem({ groupResource, manifest, live, itemFromBackup, restore, policy });
}

const policies: readonly ExistingObjectsPolicy[] = ['none', 'update', 'recreate'];

describe('decideItem', () => {
  it.each(policies)('creates what is not there, with policy %s', (policy) => {
    expect(decide(undefined, policy)).toEqual({ action: 'create' });
  });

  it.each(policies)('leaves what is the same, with policy %s', (policy) => {
    expect(decide(object('a', { labels }), policy)).toMatchObject({
      action: 'skip',
      labels: undefined,
    });
  });

  it('labels what is the same with policy update alone', () => {
    expect(decide(object('a'), 'none')).toMatchObject({ action: 'skip', labels: undefined });
    expect(decide(object('a'), 'recreate')).toMatchObject({ action: 'skip', labels: undefined });
    expect(decide(object('a'), 'update')).toMatchObject({
      action: 'skip',
      labels: { metadata: { labels } },
    });
  });

  it('does with what differs as the policy says', () => {
    const live = object('b', { uid: 'u', labels: { own: 'x' } });
    const data = { key: 'a' };
    expect(decide(live, 'none')).toMatchObject({
      action: 'conflict',
      code: 'ExistsAndDiffers',
      patch: { data },
    });
    expect(decide(live, 'update')).toMatchObject({
      action: 'update',
      patch: { data, metadata: { labels: { own: null, ...labels } } },
      fallback: { metadata: { labels } },
    });
    expect(decide(live, 'recreate')).toMatchObject({ action: 'recreate', uid: 'u' });
  });

  it.each(policies)('leaves what is being deleted, with policy %s', (policy) => {
    const live = object('a', { deletionTimestamp: '2026-01-01T00:00:00Z' });
    expect(decide(live, policy)).toMatchObject({ action: 'conflict', code: 'ExistsTerminating' });
  });

  it.each([
    ['PersistentVolumeClaim', 'persistentvolumeclaims'],
    ['PersistentVolume', 'persistentvolumes'],
    ['Namespace', 'namespaces'],
    ['CustomResourceDefinition', 'customresourcedefinitions.apiextensions.k8s.io'],
  ])('never deletes a %s', (kind, groupResource) => {
    expect(decide(object('b', {}, kind), 'recreate', groupResource)).toMatchObject({
      action: 'conflict',
    });
  });

  it.each(policies)('adds to a ServiceAccount what it lacks, with policy %s', (policy) => {
    const live: KubernetesObject = {
      ...object('a', {}, 'ServiceAccount'),
      secrets: [{ name: 'own' }],
    };
    const decision = decide(live, policy, 'serviceaccounts');
    expect(decision).toMatchObject({ action: 'update', patch: { metadata: { labels } } });
  });

  it.each([
    ['another claim', { namespace: 'other', name: 'data', uid: 'u' }, 'conflict'],
    ['its claim', { namespace: 'shop', name: 'data', uid: 'u' }, 'update'],
    ['no claim', undefined, 'update'],
  ])('with policy update, a volume that belongs to %s', (_whose, claimRef, action) => {
    const volume = (spec: JsonObject): KubernetesObject => ({
      apiVersion: 'v1',
      kind: 'PersistentVolume',
      metadata: { name: 'static' },
      spec,
    });
    const itemFromBackup = volume({
      claimRef: { namespace: 'shop', name: 'data' },
      capacity: { storage: '1Gi' },
    });
    const decision = decideItem({
      ...{ groupResource: 'persistentvolumes', policy: 'update', restore, itemFromBackup },
      manifest: withRestoreLabels(resetMetadata(itemFromBackup), restore),
      live: volume({ capacity: { storage: '2Gi' }, ...(claimRef && { claimRef }) }),
    });
    expect(decision.action).toBe(action);
  });
});
