import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import type { BackupOptions, BackupResult } from '../backup/request.ts';
import { ValidationError } from '../errors.ts';
import type { BackupSpec } from '../model/backup.ts';
import type { KubernetesManifest } from '../model/kubernetes.ts';
import type { ResourcePolicy } from '../model/resource-policy.ts';
import { Resources } from '../model/resources.ts';
import type { BackupItemAction } from '../ports/item-action.ts';
import { MemoryObjectStore } from '../stores/memory-object-store.ts';
import { FakeCsiStorage } from '../testing/fake-cluster/csi/fake-csi-storage.ts';
import { FakeCluster } from '../testing/fake-cluster/fake-cluster.ts';
import { createEngine } from './create-engine.ts';
import type { Engine } from './engine.ts';

const skipAll: ResourcePolicy = { version: 'v1', volumePolicies: [{ action: { type: 'skip' } }] };
const skipText = 'version: v1\nvolumePolicies:\n- conditions: {csi: {}}\n  action: {type: skip}\n';
const policyOf = (name: string): BackupSpec => ({
  resourcePolicy: { kind: 'configmap', name, apiGroup: null },
});

describe('a backup with a resource policy', () => {
  it.each<[string, BackupSpec, BackupOptions]>([
    ['of a ConfigMap', policyOf('skip'), {}],
    ['of the call, as text', {}, { resourcePolicy: skipText }],
    ['of the call, as an object', {}, { resourcePolicy: skipAll }],
  ])('%s stores a claim whose data is skipped, without a warning', async (_how, spec, options) => {
    await using lab = await labWithShop();
    const { backup, issues, stored } = await lab.backUp(spec, options);
    expect(issues).toEqual([]);
    expect(backup.status).not.toHaveProperty('csiVolumeSnapshotsAttempted');
    expect(stored).toContain('persistentvolumeclaims shop/data');
    expect(await lab.volumeInfo()).toMatchObject([
      {
        pvcName: 'data',
        skipped: true,
        skippedReason: expect.stringContaining('skips it') as string,
      },
    ]);
  });

  it('takes the snapshot that a policy asks for though snapshots are off', async () => {
    await using lab = await labWithShop();
    const resourcePolicy: ResourcePolicy = {
      version: 'v1',
      volumePolicies: [{ conditions: { csi: {} }, action: { type: 'snapshot' } }],
    };
    const { backup } = await lab.backUp({ snapshotVolumes: false }, { resourcePolicy });
    expect(backup.status.csiVolumeSnapshotsCompleted).toBe(1);
  });

  it('warns of what this engine does not do, for claims and for volumes of pods', async () => {
    await using lab = await labWithShop();
    const resourcePolicy: ResourcePolicy = {
      version: 'v1',
      volumePolicies: [
        { conditions: { csi: {} }, action: { type: 'custom', parameters: { to: 'tape' } } },
        { conditions: { volumeTypes: ['emptyDir'] }, action: { type: 'fs-backup' } },
      ],
    };
    const { backup, issues } = await lab.backUp({}, { resourcePolicy });
    expect(backup.status.phase).toBe('Completed');
    expect(new Set(issues.map(({ severity, reason }) => `${severity} ${reason}`))).toEqual(
      new Set(['warning VolumeActionNotDone']),
    );
    const messageOf = (resource: string): string | undefined =>
      issues.find(({ object }) => object?.groupResource === resource)?.message;
    expect(messageOf('persistentvolumeclaims')).toMatch(/volumePolicies\[0\].*custom/);
    expect(messageOf('pods')).toMatch(/volume cache: volumePolicies\[1\].*fs-backup/);
    expect(issues).toHaveLength(2);
    expect(await lab.volumeInfo()).toMatchObject([{ pvcName: 'data', skipped: true }]);
  });

  it('leaves to actions what they do, and tells them what is asked', async () => {
    const demands: unknown[] = [];
    const purposes: string[] = [];
    const tape: BackupItemAction = {
      name: 'example.com/tape',
      appliesTo: { resources: ['persistentvolumeclaims', 'pods'] },
      execute: async ({ volumeDemands, purpose }) => {
        purposes.push(purpose);
        demands.push(...volumeDemands);
        return { handledVolumes: volumeDemands };
      },
    };
    await using lab = await labWithShop({}, [tape]);
    const resourcePolicy: ResourcePolicy = {
      version: 'v1',
      volumePolicies: [
        { conditions: { csi: {} }, action: { type: 'custom', parameters: { to: 'tape' } } },
        { conditions: { volumeTypes: ['emptyDir'] }, action: { type: 'fs-backup' } },
      ],
    };
    const { issues, stored } = await lab.backUp({}, { resourcePolicy });
    expect(issues).toEqual([]);
    expect(stored).toContain('persistentvolumeclaims shop/data');
    const reason = (index: number): string =>
      `volumePolicies[${index}] of the resource policy asks`;
    expect(demands).toEqual([
      {
        type: 'fs-backup',
        parameters: {},
        volumeName: 'cache',
        reason: expect.stringContaining(reason(1)) as string,
      },
      {
        type: 'custom',
        parameters: { to: 'tape' },
        reason: expect.stringContaining(reason(0)) as string,
      },
    ]);
    expect(await lab.volumeInfo()).toMatchObject([
      {
        pvcName: 'data',
        skipped: true,
        skippedReason: expect.stringContaining('item action example.com/tape does') as string,
      },
    ]);
    const { issues: foreseen } = await lab.engine.planBackup(
      { name: 'planned', spec: { includedNamespaces: ['shop'] } },
      { resourcePolicy },
    );
    expect(foreseen).toEqual([]);
    expect(new Set(purposes)).toEqual(new Set(['backup', 'plan']));
  });

  it('leaves out what its filters exclude', async () => {
    await using lab = await labWithShop();
    const includeExcludePolicy = { excludedNamespaceScopedResources: ['configmaps'] };
    const { stored } = await lab.backUp(
      {},
      { resourcePolicy: { version: 'v1', includeExcludePolicy } },
    );
    expect(stored).toContain('pods shop/web');
    expect(stored.filter((name) => name.startsWith('configmaps'))).toEqual([]);
  });

  it.each<[string, BackupSpec, BackupOptions, readonly string[]]>([
    ['a missing ConfigMap', policyOf('gone'), {}, ['spec.resourcePolicy.name']],
    ['a ConfigMap of two keys', policyOf('two'), {}, ['spec.resourcePolicy.name']],
    ['an empty ConfigMap', policyOf('empty'), {}, ['spec.resourcePolicy.name']],
    ['text that is no YAML', policyOf('broken'), {}, ['spec.resourcePolicy.data["policy"]']],
    [
      'a policy that breaks rules',
      policyOf('wrong'),
      {},
      ['spec.resourcePolicy.data["p.yaml"].version', 'spec.resourcePolicy.data["p.yaml"].volume'],
    ],
    ['two policies', policyOf('skip'), { resourcePolicy: skipAll }, ['options.resourcePolicy']],
    [
      'filters beside those of both scopes',
      { includedResources: ['pods'] },
      { resourcePolicy: { version: 'v1', includeExcludePolicy: {} } },
      ['options.resourcePolicy.includeExcludePolicy'],
    ],
    [
      'everything at once',
      { ...policyOf('wrong'), ttl: 'soon', includedNamespaces: ['*', 'shop'] },
      { include: 'all' as unknown as () => boolean },
      [
        'spec.includedNamespaces',
        'spec.ttl',
        'options.include',
        'spec.resourcePolicy.data["p.yaml"].version',
        'spec.resourcePolicy.data["p.yaml"].volume',
      ],
    ],
  ])('refuses %s before anything is written', async (_what, spec, options, paths) => {
    await using lab = await labWithShop();
    const refusal = await lab.backUp(spec, options).catch((error: unknown) => error);
    expect(refusal).toBeInstanceOf(ValidationError);
    expect((refusal as ValidationError).violations.map(({ path }) => path)).toEqual(paths);
    expect(await Array.fromAsync(lab.store.list(''))).toEqual([]);
  });

  it('rejects when the ConfigMap cannot be read', async () => {
    await using lab = await labWithShop();
    lab.cluster.faults.inject({ operation: 'get', resource: 'configmaps', error: 'Forbidden' });
    await expect(lab.backUp(policyOf('skip'))).rejects.toMatchObject({ code: 'Forbidden' });
    expect(await Array.fromAsync(lab.store.list(''))).toEqual([]);
  });
});

describe('a volume that a pod asks a file system backup for', () => {
  it('is a warning when the pod defines it, and is snapshotted when it is a claim', async () => {
    await using lab = await labWithShop({ 'backup.velero.io/backup-volumes': 'data, cache' });
    const { backup, issues } = await lab.backUp({});
    expect(backup.status.csiVolumeSnapshotsCompleted).toBe(1);
    expect(issues).toMatchObject([
      { reason: 'VolumeActionNotDone', object: { groupResource: 'pods', name: 'web' } },
    ]);
    expect(issues[0]?.message).toContain('volume cache: annotation');
  });
});

describe('the definition of a custom resource', () => {
  const definition = 'customresourcedefinitions.apiextensions.k8s.io gizmos.example.com';

  it.each<[string, BackupSpec, boolean]>([
    ['without filters', {}, true],
    ['though a list names only its resource', { includedResources: ['gizmos'] }, true],
    [
      'though a list of namespaced resources names only its resource',
      { includedNamespaceScopedResources: ['gizmos'] },
      true,
    ],
    ['unless it is excluded', { excludedResources: ['crd'] }, false],
    [
      'unless cluster-scoped objects are not wanted',
      { includedResources: ['gizmos'], includeClusterResources: false },
      false,
    ],
  ])('comes along %s', async (_how, spec, comes) => {
    await using lab = await labWithShop();
    lab.cluster.seed([
      {
        apiVersion: 'apiextensions.k8s.io/v1',
        kind: 'CustomResourceDefinition',
        metadata: { name: 'gizmos.example.com' },
        spec: {
          group: 'example.com',
          scope: 'Namespaced',
          names: { plural: 'gizmos', singular: 'gizmo', kind: 'Gizmo', listKind: 'GizmoList' },
          versions: [{ name: 'v1', served: true, storage: true, schema: {} }],
        },
      },
      { apiVersion: 'example.com/v1', kind: 'Gizmo', metadata: { namespace: 'shop', name: 'a' } },
    ]);
    const { stored, issues } = await lab.backUp(spec);
    expect(issues).toEqual([]);
    expect(stored).toContain('gizmos.example.com shop/a');
    expect(stored.includes(definition)).toBe(comes);
  });
});

describe('a backup with a predicate', () => {
  it('takes what it wants, also of what others pull along', async () => {
    await using lab = await labWithShop();
    const { stored } = await lab.backUp(
      {},
      { include: ({ kind }) => ['Pod', 'PersistentVolumeClaim'].includes(kind) },
    );
    expect(stored.filter((name) => !name.includes('snapshot'))).toEqual([
      'persistentvolumeclaims shop/data',
      'pods shop/web',
    ]);
  });

  it('reports an object that it fails for, and goes on', async () => {
    await using lab = await labWithShop();
    const { backup, stored, issues } = await lab.backUp(
      {},
      {
        include: ({ resource }) => {
          if (resource === 'pods') {
            throw new Error('no idea');
          }
          return true;
        },
      },
    );
    expect(backup.status.phase).toBe('PartiallyFailed');
    expect(issues).toMatchObject([
      { severity: 'error', reason: 'ItemFailed', object: { name: 'web' } },
    ]);
    expect(stored).toContain('persistentvolumeclaims shop/data');
    expect(stored).not.toContain('pods shop/web');
  });
});

class Lab implements AsyncDisposable {
  readonly store = new MemoryObjectStore();
  readonly cluster: FakeCluster;
  readonly engine: Engine;

  constructor(cluster: FakeCluster, backupItemActions: readonly BackupItemAction[]) {
    this.cluster = cluster;
    this.engine = createEngine({ cluster, store: this.store, backupItemActions });
  }

  async backUp(
    spec: BackupSpec,
    options: BackupOptions = {},
  ): Promise<BackupResult & { readonly stored: readonly string[] }> {
    const stored: string[] = [];
    const result = await this.engine.backup(
      { name: 'first', spec: { includedNamespaces: ['shop'], ...spec } },
      {
        onEvent: (event) => {
          if (event.type === 'item' && event.action === 'stored') {
            const { groupResource, namespace, name } = event.object;
            stored.push(
              `${groupResource} ${namespace === undefined ? '' : `${namespace}/`}${name}`,
            );
          }
        },
        ...options,
      },
    );
    return { ...result, stored: stored.toSorted() };
  }

  async volumeInfo(): Promise<unknown> {
    const bytes = await Array.fromAsync(
      await this.store.get('backups/first/first-volumeinfo.json.gz'),
    );
    return JSON.parse(gunzipSync(Buffer.concat(bytes)).toString()) as unknown;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.cluster.close();
  }
}

async function labWithShop(
  podAnnotations: Record<string, string> = {},
  actions: readonly BackupItemAction[] = [],
): Promise<Lab> {
  const cluster = new FakeCluster({ csiStorage: new FakeCsiStorage() });
  for (const name of ['shop', 'velero']) {
    await cluster.create(Resources.namespaces, {
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name },
    });
  }
  await cluster.create(Resources.persistentVolumeClaims, {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: { name: 'data', namespace: 'shop' },
    spec: {
      storageClassName: 'fake-csi',
      accessModes: ['ReadWriteOnce'],
      resources: { requests: { storage: '30Mi' } },
    },
  });
  await cluster.create(Resources.pods, {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'web', namespace: 'shop', annotations: podAnnotations },
    spec: {
      containers: [{ name: 'web', image: 'web' }],
      volumes: [
        { name: 'data', persistentVolumeClaim: { claimName: 'data' } },
        { name: 'cache', emptyDir: {} },
      ],
    },
  });
  await cluster.settle();
  for (const [name, data] of [
    ['skip', { 'policy.yaml': skipText }],
    ['two', { a: skipText, b: skipText }],
    ['empty', {}],
    ['broken', { policy: 'version: [' }],
    ['wrong', { 'p.yaml': 'version: v2\nvolume: []\n' }],
  ] as const) {
    await cluster.create(Resources.configMaps, policyConfigMap(name, data));
  }
  return new Lab(cluster, actions);
}

function policyConfigMap(name: string, data: Record<string, string>): KubernetesManifest {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace: 'velero' }, data };
}
