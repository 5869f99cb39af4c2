import { describe, expect, it } from 'vitest';
import type { Backup } from '../../model/backup.ts';
import type { JsonObject } from '../../model/json.ts';
import type { KubernetesObject } from '../../model/kubernetes.ts';
import type { Restore } from '../../model/restore.ts';
import type { RestoreItemAction } from '../../ports/item-action.ts';
import { FakeCluster } from '../../testing/fake-cluster/fake-cluster.ts';
import { RestoreActions } from './restore-actions.ts';

const backup: Backup = {
  apiVersion: 'velero.io/v1',
  kind: 'Backup',
  metadata: { name: 'b' },
  spec: {},
  status: { version: 1, formatVersion: '1.1.0', phase: 'Completed' },
};
const restore: Restore = {
  apiVersion: 'velero.io/v1',
  kind: 'Restore',
  metadata: { name: 'r' },
  spec: { backupName: 'b' },
  status: { phase: 'InProgress' },
};

async function run(
  action: RestoreItemAction,
  kind: string,
  fields: JsonObject,
): Promise<JsonObject> {
  await using cluster = new FakeCluster();
  const item: KubernetesObject = {
    apiVersion: 'v1',
    kind,
    metadata: { name: 'x', namespace: 'shop' },
    ...fields,
  };
  const output = await action.execute({
    ...{ item, itemFromBackup: item, targetNamespace: 'shop', restore, backup, cluster },
    purpose: 'restore',
    signal: new AbortController().signal,
  });
  const { apiVersion: _version, kind: _kind, ...rest } = output.item ?? item;
  return { ...rest, ...(fields['metadata'] === undefined ? { metadata: undefined } : {}) };
}

describe('changeStorageClass', () => {
  const action = RestoreActions.changeStorageClass({ old: 'new' });
  const claim = (name: string): JsonObject => ({ spec: { storageClassName: name } });

  it.each<[string, string, JsonObject, JsonObject]>([
    ['a claim', 'PersistentVolumeClaim', claim('old'), claim('new')],
    ['a volume', 'PersistentVolume', claim('old'), claim('new')],
    ['no claim of another class', 'PersistentVolumeClaim', claim('other'), claim('other')],
    [
      'no claim of an inherited name',
      'PersistentVolumeClaim',
      claim('toString'),
      claim('toString'),
    ],
    ['no claim with an empty class', 'PersistentVolumeClaim', claim(''), claim('')],
    ['no claim without a class', 'PersistentVolumeClaim', { spec: {} }, { spec: {} }],
    [
      'a claim that names its class as claims did once',
      'PersistentVolumeClaim',
      { metadata: { annotations: { 'volume.beta.kubernetes.io/storage-class': 'old' } }, spec: {} },
      { metadata: { annotations: { 'volume.beta.kubernetes.io/storage-class': 'new' } }, spec: {} },
    ],
    [
      'the claims of a StatefulSet',
      'StatefulSet',
      { spec: { volumeClaimTemplates: [claim('old'), claim('other')] } },
      { spec: { volumeClaimTemplates: [claim('new'), claim('other')] } },
    ],
    ['no StatefulSet without claims', 'StatefulSet', { spec: {} }, { spec: {} }],
  ])('changes %s', async (_what, kind, from, to) => {
    expect(await run(action, kind, from)).toEqual(to);
  });
});

describe('changeImageName', () => {
  const action = RestoreActions.changeImageName({
    'docker.io/': 'mirror.example.com/',
    'docker.io/library/nginx': 'web.example.com/nginx$&',
    ':1.0': ':2.0',
  });
  const containers = (...images: string[]): JsonObject => ({
    containers: images.map((image) => ({ name: 'c', image })),
  });

  it('replaces the longest part that occurs in a name', async () => {
    const names = ['docker.io/app:1.0', 'docker.io/library/nginx:1.0', 'quay.io/app:1.0', 'app'];
    expect(await run(action, 'Pod', { spec: containers(...names) })).toEqual({
      spec: containers(
        'mirror.example.com/app:1.0',
        'web.example.com/nginx$&:1.0',
        'quay.io/app:2.0',
        'app',
      ),
    });
  });

  it.each<[string, (spec: JsonObject) => JsonObject]>([
    ['Pod', (spec) => ({ spec })],
    ['Deployment', (spec) => ({ spec: { template: { spec } } })],
    ['StatefulSet', (spec) => ({ spec: { template: { spec } } })],
    ['DaemonSet', (spec) => ({ spec: { template: { spec } } })],
    ['ReplicaSet', (spec) => ({ spec: { template: { spec } } })],
    ['ReplicationController', (spec) => ({ spec: { template: { spec } } })],
    ['Job', (spec) => ({ spec: { template: { spec } } })],
    ['CronJob', (spec) => ({ spec: { jobTemplate: { spec: { template: { spec } } } } })],
  ])('finds the containers of a %s', async (kind, fields) => {
    const init = (image: string): JsonObject => ({ initContainers: [{ name: 'i', image }] });
    const from = fields({ ...containers('a:1.0'), ...init('b:1.0') });
    const to = fields({ ...containers('a:2.0'), ...init('b:2.0') });
    expect(await run(action, kind, from)).toEqual(to);
  });
});

describe('changeNode', () => {
  const action = RestoreActions.changeNode({ n1: 'm1', n2: 'm2' });
  const term = (key: string, field: string, ...values: string[]): JsonObject => ({
    [field]: [
      { key, operator: 'In', values },
      { key: 'zone', operator: 'In', values: ['n1'] },
    ],
  });
  const hostname = 'kubernetes.io/hostname';
  const spec = (one: string, two: string): JsonObject => ({
    nodeName: one,
    nodeSelector: { [hostname]: two, disk: 'n1' },
    affinity: {
      nodeAffinity: {
        requiredDuringSchedulingIgnoredDuringExecution: {
          nodeSelectorTerms: [
            term(hostname, 'matchExpressions', one, 'other'),
            term('metadata.name', 'matchFields', two),
          ],
        },
        preferredDuringSchedulingIgnoredDuringExecution: [
          { weight: 1, preference: term(hostname, 'matchExpressions', two) },
        ],
      },
    },
  });

  it('changes what names a node, and nothing else', async () => {
    expect(
      await run(action, 'Deployment', { spec: { template: { spec: spec('n1', 'n2') } } }),
    ).toEqual({ spec: { template: { spec: spec('m1', 'm2') } } });
    expect(await run(action, 'Pod', { spec: { containers: [] } })).toEqual({
      spec: { containers: [] },
    });
    expect(await run(action, 'Deployment', { spec: {} })).toEqual({ spec: {} });
  });

  it('changes the nodes of a volume', async () => {
    const volume = (node: string): JsonObject => ({
      spec: {
        nodeAffinity: {
          required: { nodeSelectorTerms: [term(hostname, 'matchExpressions', node)] },
        },
      },
    });
    expect(await run(action, 'PersistentVolume', volume('n1'))).toEqual(volume('m1'));
  });
});
