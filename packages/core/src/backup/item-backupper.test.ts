import { describe, expect, it } from 'vitest';
import type { ArchiveWriter } from '../archive/archive-writer.ts';
import { silentLogger } from '../internal/silent-logger.ts';
import type { JsonObject } from '../model/json.ts';
import {
  groupResourceOf,
  type KubernetesManifest,
  type KubernetesObject,
} from '../model/kubernetes.ts';
import type { BackupItemAction } from '../ports/item-action.ts';
import { FakeCluster } from '../testing/fake-cluster/fake-cluster.ts';
import { persistentVolumeClaimAction } from './actions/persistent-volume-claim.ts';
import { podAction } from './actions/pod.ts';
import { BackupRecord } from './backup-record.ts';
import { scopeOf } from './backup-scope.ts';
import { ItemActions } from './item-actions.ts';
import { ItemBackupper } from './item-backupper.ts';
import { ItemCollector } from './item-collector.ts';
import { ItemUpdates } from './item-updates.ts';
import { acceptBackupRequest } from './request.ts';
import { VolumeDemands } from './volume-demands.ts';

const pod = manifest('Pod', 'web', {
  priorityClassName: 'high',
  volumes: [
    { name: 'data', persistentVolumeClaim: { claimName: 'data' } },
    { name: 'tmp', emptyDir: {} },
  ],
});
const boundClaim: KubernetesManifest = {
  ...manifest('PersistentVolumeClaim', 'data', { volumeName: 'pv-1', dataSource: { name: 'old' } }),
  status: { phase: 'Bound' },
};
const priorityClass: KubernetesManifest = {
  apiVersion: 'scheduling.k8s.io/v1',
  kind: 'PriorityClass',
  metadata: { name: 'high' },
  value: 7,
};
const volume: KubernetesManifest = {
  apiVersion: 'v1',
  kind: 'PersistentVolume',
  metadata: { name: 'pv-1' },
  spec: {},
};

describe('ItemBackupper', () => {
  it('stores what a pod needs before the pod, each object once', async () => {
    const { stored, record } = await backUp([pod, boundClaim, priorityClass, volume]);
    expect(stored.map(pathOf)).toEqual([
      'priorityclasses.scheduling.k8s.io/high',
      'persistentvolumes/pv-1',
      'persistentvolumeclaims/data',
      'pods/web',
    ]);
    expect(record.issues).toEqual([]);
    expect(record.stored).toBe(4);
  });

  it('warns of an object that is referred to but missing, and stores the rest', async () => {
    const { stored, record } = await backUp([pod, boundClaim, volume]);
    expect(stored.map(pathOf)).toContain('pods/web');
    expect(record.issues).toMatchObject([
      {
        severity: 'warning',
        reason: 'NotFound',
        object: { groupResource: 'priorityclasses.scheduling.k8s.io', name: 'high' },
      },
    ]);
  });

  it('leaves out what is labelled, and what is being deleted', async () => {
    const labelled = manifest(
      'ConfigMap',
      'secretive',
      {},
      { 'velero.io/exclude-from-backup': 'true' },
    );
    const going = manifest('ConfigMap', 'going', {});
    const deleting = {
      ...going,
      metadata: {
        ...going.metadata,
        deletionTimestamp: '2026-01-02T03:04:05Z',
        finalizers: ['example.com/hold'],
      },
    };
    const { stored } = await backUp([labelled, deleting, manifest('ConfigMap', 'plain', {})]);
    expect(stored.map(pathOf)).toEqual(['configmaps/plain']);
  });

  it('stores a claim without the data source that it was once filled from', async () => {
    const { stored } = await backUp([boundClaim, volume]);
    const claim = stored.find(({ object }) => object.kind === 'PersistentVolumeClaim');
    expect(claim?.object['spec']).toEqual({ volumeName: 'pv-1' });
  });

  it('does not store a claim that is held back, nor pulls it along again', async () => {
    const held: string[] = [];
    const { stored } = await backUp([pod, boundClaim, priorityClass, volume], {
      holdBack: async (claim) => {
        held.push(claim.metadata.name);
        return true;
      },
    });
    expect(held).toEqual(['data']);
    expect(stored.map(pathOf)).not.toContain('persistentvolumeclaims/data');
  });

  it('runs actions in order of name, each on what the one before made', async () => {
    const appending = (name: string): BackupItemAction => ({
      name,
      appliesTo: { resources: ['configmaps'] },
      execute: async ({ item }) => ({
        item: {
          ...item,
          order: `${typeof item['order'] === 'string' ? item['order'] : ''}${name}`,
        },
      }),
    });
    const { stored } = await backUp([manifest('ConfigMap', 'plain', {})], {
      actions: [appending('b'), appending('a')],
    });
    expect(stored[0]?.object['order']).toBe('ab');
  });

  it('makes an error of an action that fails, for its object alone', async () => {
    const failing: BackupItemAction = {
      name: 'example.com/fails',
      appliesTo: {},
      execute: async ({ item }) => {
        if (item.metadata.name === 'bad') {
          throw new Error('not today');
        }
        return {};
      },
    };
    const { stored, record } = await backUp(
      [manifest('ConfigMap', 'bad', {}), manifest('ConfigMap', 'good', {})],
      {
        actions: [failing],
      },
    );
    expect(stored.map(pathOf)).toEqual(['configmaps/good']);
    expect(record.errors).toMatchObject([
      { reason: 'ItemFailed', message: 'not today', object: { name: 'bad', namespace: 'shop' } },
    ]);
  });
});

interface Stored {
  readonly groupResource: string;
  readonly object: KubernetesObject;
}

async function backUp(
  objects: readonly KubernetesManifest[],
  {
    actions = [podAction, persistentVolumeClaimAction],
    holdBack = async () => false,
  }: {
    readonly actions?: readonly BackupItemAction[];
    readonly holdBack?: (claim: KubernetesObject) => Promise<boolean>;
  } = {},
): Promise<{ readonly stored: readonly Stored[]; readonly record: BackupRecord }> {
  await using cluster = new FakeCluster();
  cluster.seed([{ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop' } }, ...objects]);
  const { signal } = new AbortController();
  const record = new BackupRecord(() => {}, silentLogger);
  const spec = {
    includedNamespaces: ['shop'],
    excludedNamespaceScopedResources: ['events', 'serviceaccounts'],
  };
  const scope = await scopeOf({
    cluster,
    backup: acceptBackupRequest({ name: 'test', spec }, new Date(0)),
    record,
    signal,
  });
  const stored: Stored[] = [];
  const archive: ArchiveWriter = {
    writeObject: async (resource, object) => {
      stored.push({ groupResource: groupResourceOf(resource), object });
    },
  };
  const collector = new ItemCollector({ cluster, scope, record, signal });
  const hasPassed: ItemCollector['hasPassed'] = (reference, object) =>
    collector.hasPassed(reference, object);
  const updates = new ItemUpdates(0);
  const demands = new VolumeDemands({ cluster, policies: [], signal });
  const shared = { cluster, record, updates, signal };
  const backupper = new ItemBackupper({
    ...{ ...shared, archive, scope, hasPassed, holdBack, fail: () => {} },
    actions: new ItemActions({ ...shared, actions, demands, backup: scope.backup }),
  });
  for await (const { resource, object } of collector.items()) {
    if (object.metadata.name !== 'kube-root-ca.crt') {
      await backupper.backUpListed(resource, object);
    }
  }
  return { stored, record };
}

function manifest(kind: string, name: string, spec: JsonObject, labels = {}): KubernetesManifest {
  return { apiVersion: 'v1', kind, metadata: { name, namespace: 'shop', labels }, spec };
}

function pathOf({ groupResource, object }: Stored): string {
  return `${groupResource}/${object.metadata.name}`;
}
