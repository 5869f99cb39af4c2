import { expect, it, vi } from 'vitest';
import type { BackupOptions, BackupResult } from '../backup/request.ts';
import { readStoredObject } from '../catalog/stored-objects.ts';
import { silentLogger } from '../internal/silent-logger.ts';
import type { BackupSpec } from '../model/backup.ts';
import type { BackupEvent } from '../model/event.ts';
import type { KubernetesManifest } from '../model/kubernetes.ts';
import { Resources } from '../model/resources.ts';
import type { BackupItemAction } from '../ports/item-action.ts';
import { MemoryObjectStore } from '../stores/memory-object-store.ts';
import { FakeCluster } from '../testing/fake-cluster/fake-cluster.ts';
import { createEngine } from './create-engine.ts';

// For a busy machine.
vi.setConfig({ testTimeout: 60_000 });

const claim = { ...Resources.persistentVolumeClaims, namespace: 'shop', name: 'data' };
const widgets = { group: 'example.com', version: 'v1', resource: 'widgets' };

it('an object that is changed after it was listed is stored once, as it was read', async () => {
  await using lab = await Lab.open(configMap('a', { data: { at: 'first' } }), configMap('b'));
  const reference = { ...Resources.configMaps, namespace: 'shop', name: 'a' };
  const action = whenMet('configmaps', () =>
    lab.cluster.patch(reference, { type: 'merge', patch: { data: { at: 'later' } } }),
  );
  const { backup, issues } = await lab.backUp({}, [action]);
  expect(issues).toEqual([]);
  expect(backup.status.phase).toBe('Completed');
  expect(lab.stored.filter((name) => name === 'configmaps shop/a')).toHaveLength(1);
  const source = { store: lab.store, backupName: 'first', logger: silentLogger };
  const wanted = { groupResource: 'configmaps', namespace: 'shop', name: 'a' };
  expect(await readStoredObject(source, wanted, {})).toMatchObject({ data: { at: 'first' } });
});

it('an object that is deleted after it was listed is stored as it was read', async () => {
  await using lab = await Lab.open(configMap('a'), configMap('b'));
  const reference = { ...Resources.configMaps, namespace: 'shop', name: 'b' };
  const action = whenMet('configmaps', () => lab.cluster.delete(reference));
  const { backup, issues } = await lab.backUp({}, [action]);
  expect(issues).toEqual([]);
  expect(backup.status.phase).toBe('Completed');
  expect(lab.stored).toContain('configmaps shop/b');
});

it('an object that is gone when it is pulled along is a warning', async () => {
  await using lab = await Lab.open(pod('web', 'gone'));
  const { backup, issues } = await lab.backUp();
  expect(backup.status).toMatchObject({ phase: 'Completed', warnings: 1 });
  expect(issues).toMatchObject([
    { severity: 'warning', reason: 'NotFound', object: { ...identifier(), name: 'gone' } },
  ]);
  expect(lab.stored).toContain('pods shop/web');
});

it('a claim that is deleted while its snapshot is taken is stored with its snapshot', async () => {
  await using lab = await Lab.open(claimManifest());
  lab.cluster.csi.inject({ call: 'CreateSnapshot', delayMs: 50 });
  const { backup } = await lab.backUp({}, [], {
    onEvent: (event) => {
      if (event.type === 'snapshot' && event.state === 'Requested') {
        void lab.cluster.delete(claim);
      }
    },
  });
  expect(backup.status).toMatchObject({ phase: 'Completed', csiVolumeSnapshotsCompleted: 1 });
  expect(await lab.engine().verify('first')).toMatchObject({ intact: true });
});

it('a VolumeSnapshot that somebody deletes while it is taken is an error of its claim, and leaves nothing', async () => {
  await using lab = await Lab.open(claimManifest(), configMap('a'));
  lab.cluster.csi.inject({ call: 'CreateSnapshot', error: 'not yet' });
  let deletion: Promise<void> | undefined;
  const { backup, issues } = await lab.backUp({ csiSnapshotTimeout: '20s' }, [], {
    onEvent: (event) => {
      if (event.type === 'snapshot' && event.state === 'Requested') {
        deletion ??= lab.deleteAll(Resources.volumeSnapshots);
      }
    },
  });
  await deletion;
  expect(backup.status).toMatchObject({ phase: 'PartiallyFailed', errors: 1 });
  expect(issues).toMatchObject([
    { severity: 'error', reason: 'SnapshotFailed', object: identifier() },
  ]);
  expect(lab.stored).toContain('configmaps shop/a');
  await lab.expectNoSnapshots();
});

it('a kind whose definition is deleted meanwhile has no objects, and that is no problem', async () => {
  await using lab = await Lab.open(definition(), widget(), configMap('a'));
  const action = whenMet('configmaps', () =>
    lab.cluster.delete({ ...Resources.customResourceDefinitions, name: 'widgets.example.com' }),
  );
  const { backup, issues } = await lab.backUp({}, [action]);
  expect(issues).toEqual([]);
  expect(backup.status.phase).toBe('Completed');
  expect(lab.stored).toContain('configmaps shop/a');
  expect(lab.stored).not.toContain('widgets.example.com shop/w');
  expect(await Array.fromAsync(lab.cluster.list(widgets)).catch((e: unknown) => e)).toMatchObject({
    code: 'NotFound',
  });
});

it('a namespace that is being deleted is not stored itself, nor what is being deleted in it', async () => {
  await using lab = await Lab.open(configMap('stays'));
  const finalizers = ['example.com/keep'];
  lab.cluster.seed([
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop', finalizers } },
    { ...configMap('goes'), metadata: { namespace: 'shop', name: 'goes', finalizers } },
  ]);
  await lab.cluster.delete({ ...Resources.configMaps, namespace: 'shop', name: 'goes' });
  await lab.cluster.delete({ ...Resources.namespaces, name: 'shop' });
  const { backup, issues } = await lab.backUp();
  expect({ phase: backup.status.phase, issues, stored: lab.stored }).toEqual({
    phase: 'Completed',
    issues: [],
    stored: [],
  });
});

it('a namespace that is deleted while it is backed up: what was read stays, and a snapshot that cannot be taken is an error', async () => {
  await using lab = await Lab.open(claimManifest(), configMap('a'));
  const action = whenMet('persistentvolumeclaims', async () => {
    await lab.cluster.delete({ ...Resources.namespaces, name: 'shop' });
    await lab.cluster.settle();
  });
  const { backup, issues } = await lab.backUp({}, [action]);
  expect(backup.status.phase).toBe('PartiallyFailed');
  expect(issues).toMatchObject([
    {
      severity: 'error',
      reason: 'SnapshotFailed',
      object: identifier(),
      message: expect.stringContaining('namespaces "shop" not found') as string,
    },
  ]);
  expect(lab.stored).toContain('namespaces shop');
  expect(lab.stored).not.toContain('persistentvolumeclaims shop/data');
  await lab.expectNoSnapshots();
});

/** An action that does something when the first object of a resource is met. */
function whenMet(resource: string, what: () => Promise<unknown>): BackupItemAction {
  let isDone = false;
  return {
    name: 'a-first',
    appliesTo: { resources: [resource] },
    execute: async () => {
      if (!isDone) {
        isDone = true;
        await what();
      }
      return {};
    },
  };
}

class Lab implements AsyncDisposable {
  readonly cluster = new FakeCluster();
  readonly store = new MemoryObjectStore();
  readonly stored: string[] = [];

  static async open(...manifests: readonly KubernetesManifest[]): Promise<Lab> {
    const lab = new Lab();
    lab.cluster.seed([{ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop' } }]);
    for (const manifest of manifests) {
      if (manifest.kind === 'PersistentVolumeClaim') {
        await lab.cluster.create(Resources.persistentVolumeClaims, manifest);
      } else {
        lab.cluster.seed([manifest]);
      }
    }
    await lab.cluster.settle();
    return lab;
  }

  engine(actions: readonly BackupItemAction[] = []): ReturnType<typeof createEngine> {
    return createEngine({
      cluster: this.cluster,
      store: this.store,
      backupItemActions: actions,
    });
  }

  backUp(
    spec: BackupSpec = {},
    actions: readonly BackupItemAction[] = [],
    { onEvent }: Pick<BackupOptions, 'onEvent'> = {},
  ): Promise<BackupResult> {
    const listen = (event: BackupEvent): void => {
      if (event.type === 'item') {
        const { groupResource, namespace, name } = event.object;
        this.stored.push(
          `${groupResource} ${namespace === undefined ? name : `${namespace}/${name}`}`,
        );
      }
      onEvent?.(event);
    };
    return this.engine(actions).backup(
      { name: 'first', spec: { includedNamespaces: ['shop'], ...spec } },
      { onEvent: listen },
    );
  }

  async deleteAll(resource: (typeof Resources)['volumeSnapshots']): Promise<void> {
    for await (const { metadata } of this.cluster.list(resource)) {
      const { namespace, name } = metadata;
      await this.cluster.delete({ ...resource, namespace, name });
    }
  }

  async expectNoSnapshots(): Promise<void> {
    await this.cluster.settle();
    expect(this.cluster.csi.storage.snapshots.size).toBe(0);
    for (const resource of [Resources.volumeSnapshots, Resources.volumeSnapshotContents]) {
      expect(await Array.fromAsync(this.cluster.list(resource))).toEqual([]);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.cluster.close();
  }
}

function identifier(): object {
  return { groupResource: 'persistentvolumeclaims', namespace: 'shop', name: 'data' };
}

function configMap(name: string, fields: object = {}): KubernetesManifest {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { namespace: 'shop', name }, ...fields };
}

function claimManifest(): KubernetesManifest {
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: { namespace: 'shop', name: 'data' },
    spec: {
      storageClassName: 'fake-csi',
      accessModes: ['ReadWriteOnce'],
      resources: { requests: { storage: '1Mi' } },
    },
  };
}

function pod(name: string, claimName: string): KubernetesManifest {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { namespace: 'shop', name },
    spec: {
      containers: [{ name: 'main', image: 'main' }],
      volumes: [{ name: 'data', persistentVolumeClaim: { claimName } }],
    },
  };
}

function definition(): KubernetesManifest {
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: 'widgets.example.com' },
    spec: {
      group: 'example.com',
      names: { plural: 'widgets', kind: 'Widget' },
      scope: 'Namespaced',
      versions: [
        {
          name: 'v1',
          served: true,
          storage: true,
          schema: { openAPIV3Schema: { type: 'object' } },
        },
      ],
    },
  };
}

function widget(): KubernetesManifest {
  return {
    apiVersion: 'example.com/v1',
    kind: 'Widget',
    metadata: { namespace: 'shop', name: 'w' },
  };
}
