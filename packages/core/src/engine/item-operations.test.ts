import { describe, expect, it } from 'vitest';
import { readArtifact } from '../catalog/backup-files.ts';
import type { BackupSpec } from '../model/backup.ts';
import type { BackupEvent } from '../model/event.ts';
import type { KubernetesManifest, ObjectReference } from '../model/kubernetes.ts';
import { stringAt } from '../model/object-path.ts';
import { Resources } from '../model/resources.ts';
import { ScriptedOperation } from '../operations/scripted-operation-fixture.ts';
import type { BackupItemAction, BackupItemInput } from '../ports/item-action.ts';
import type { ItemOperation } from '../ports/item-operation.ts';
import { MemoryObjectStore } from '../stores/memory-object-store.ts';
import { FakeCluster } from '../testing/fake-cluster/fake-cluster.ts';
import { FaultyObjectStore } from '../testing/faulty-object-store.ts';
import { createEngine } from './create-engine.ts';
import type { Engine } from './engine.ts';

const running = { state: 'InProgress' } as const;
const completed = { state: 'Completed' } as const;

/** A namespace `shop` with the ConfigMaps `a`, `db` and `z`, and an action that begins an operation for `db`. */
class Lab implements AsyncDisposable {
  readonly cluster = new FakeCluster();
  readonly store: MemoryObjectStore = new MemoryObjectStore();
  readonly faulty: FaultyObjectStore = new FaultyObjectStore(this.store);
  readonly events: BackupEvent[] = [];
  readonly purposes: string[] = [];
  readonly engine: Engine;
  operation: ItemOperation;

  constructor(operation: ItemOperation, actions: readonly BackupItemAction[] = []) {
    this.operation = operation;
    const { cluster } = this;
    const action: BackupItemAction = {
      name: 'example.com/export',
      appliesTo: { resources: ['configmaps'] },
      execute: async (input) => this.begin(input),
    };
    const backupItemActions = [action, ...actions];
    this.engine = createEngine({ cluster, store: this.faulty, backupItemActions });
    cluster.seed(
      ['a', 'db', 'z'].map((name) => ({
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata: { namespace: 'shop', name, labels: { app: name } },
        data: { state: 'before' },
      })),
    );
    cluster.seed([
      { apiVersion: 'v1', kind: 'ConfigMap', metadata: { namespace: 'other', name: 'log' } },
    ]);
  }

  begin({ item, purpose }: BackupItemInput): ReturnType<BackupItemAction['execute']> {
    if (item.metadata.name !== 'db') {
      return Promise.resolve({});
    }
    this.purposes.push(purpose);
    return Promise.resolve(purpose === 'update' ? {} : { operation: this.operation });
  }

  backUp(
    spec: BackupSpec = {},
    options: Parameters<Engine['backup']>[1] = {},
  ): ReturnType<Engine['backup']> {
    return this.engine.backup(
      { name: 'first', spec: { includedNamespaces: ['shop'], ...spec } },
      {
        itemOperations: { pollIntervalMs: 1 },
        onEvent: (event) => {
          this.events.push(event);
        },
        ...options,
      },
    );
  }

  /** `<name> <data.state>` of the ConfigMaps in the backup, in the order of the archive. */
  async configMaps(): Promise<readonly string[]> {
    const objects = await Array.fromAsync(this.engine.catalog.listObjects('first'));
    const names = objects
      .filter(({ groupResource }) => groupResource === 'configmaps')
      .filter(({ name }) => name !== 'kube-root-ca.crt');
    const states: string[] = [];
    for (const one of names) {
      const object = await this.engine.catalog.getObject('first', one);
      states.push(`${one.name} ${(object && stringAt(object, ['data', 'state'])) ?? ''}`);
    }
    return states;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.cluster.close();
  }
}

function configMap(name: string, namespace = 'shop'): ObjectReference {
  return { ...Resources.configMaps, namespace, name };
}

/** Changes objects before it is completed. */
class ChangingOperation extends ScriptedOperation {
  #lab: Lab | undefined;

  constructor(itemsToUpdate: readonly ObjectReference[]) {
    super([running, running, completed], { itemsToUpdate });
  }

  on(lab: Lab): void {
    this.#lab = lab;
  }

  override async progress(
    call: Parameters<ItemOperation['progress']>[0],
  ): ReturnType<ItemOperation['progress']> {
    if (this.asked === 2) {
      for (const reference of this.itemsToUpdate ?? []) {
        const patch = { data: { state: 'after' } };
        await this.#lab?.cluster.patch(reference, { type: 'merge', patch });
      }
    }
    return super.progress(call);
  }
}

describe('a backup with an operation of an item action', () => {
  it('waits for it, and stores what it changes once, as it stands then', async () => {
    const operation = new ChangingOperation([
      configMap('z'),
      configMap('db'),
      configMap('log', 'other'),
    ]);
    await using lab = new Lab(operation);
    operation.on(lab);
    const { backup, issues } = await lab.backUp();
    expect(issues).toEqual([]);
    expect(backup.status).toMatchObject({
      phase: 'Completed',
      backupItemOperationsAttempted: 1,
      backupItemOperationsCompleted: 1,
    });
    expect(backup.status).not.toHaveProperty('csiVolumeSnapshotsCompleted');
    expect(await lab.configMaps()).toEqual(['a before', 'z after', 'db after', 'log after']);
    expect(lab.purposes).toEqual(['backup', 'update']);
    const { intact, issues: found } = await lab.engine.verify('first');
    expect({ intact, found }).toEqual({ intact: true, found: [] });
    const phases = lab.events.flatMap((event) => (event.type === 'phase' ? [event.phase] : []));
    expect(phases).toContain('WaitingForItemOperations');
    expect(await readArtifact(lab.store, 'first', 'itemOperations')).toMatchObject([
      { spec: { operationID: 'copy-1' }, status: { phase: 'Completed' } },
    ]);
  });

  it('is PartiallyFailed when the operation fails, and has what should have changed', async () => {
    const answers = [running, { state: 'Failed', message: 'the tape is full' }] as const;
    await using lab = new Lab(new ScriptedOperation(answers, { itemsToUpdate: [configMap('z')] }));
    const { backup, issues } = await lab.backUp();
    expect(backup.status).toMatchObject({
      ...{ phase: 'PartiallyFailed', errors: 1 },
      ...{ backupItemOperationsAttempted: 1, backupItemOperationsFailed: 1 },
    });
    expect(backup.status).not.toHaveProperty('backupItemOperationsCompleted');
    expect(issues).toMatchObject([
      { reason: 'ItemOperationFailed', object: { groupResource: 'configmaps', name: 'db' } },
    ]);
    expect(await lab.configMaps()).toEqual(['a before', 'db before', 'z before']);
  });

  it('cancels the operation when it is aborted, and leaves nothing', async () => {
    const operation = new ScriptedOperation([running]);
    await using lab = new Lab(operation);
    const abort = new AbortController();
    const reason = new Error('enough');
    const aborted = lab.backUp(
      {},
      {
        signal: abort.signal,
        onEvent: (event) => {
          lab.events.push(event);
          if (event.type === 'phase' && event.phase === 'WaitingForItemOperations') {
            abort.abort(reason);
          }
        },
      },
    );
    await expect(aborted).rejects.toBe(reason);
    expect(operation.cancelled).toBe(1);
    expect(await Array.fromAsync(lab.store.list(''))).toEqual([]);
    expect(lab.events).toContainEqual(
      expect.objectContaining({ type: 'itemOperation', state: 'Cancelled' }),
    );
  });

  it('cancels a completed one, too, when the store fails behind it', async () => {
    const operation = new ScriptedOperation([completed]);
    await using lab = new Lab(operation);
    lab.faulty.inject({ operation: 'put', key: /volumeinfo/, error: 'PermissionDenied' });
    await expect(lab.backUp()).rejects.toMatchObject({ code: 'PermissionDenied' });
    expect(operation.cancelled).toBe(1);
  });

  it('follows one that begins for an object that an updated one pulls along', async () => {
    const late = new ScriptedOperation([running, completed], { id: 'late' });
    const pulling: BackupItemAction = {
      name: 'example.com/pulls',
      appliesTo: { resources: ['configmaps'] },
      execute: async ({ item, purpose }) => ({
        ...(item.metadata.name === 'log' && { operation: late }),
        ...(purpose === 'update' && { additionalItems: [configMap('log', 'other')] }),
      }),
    };
    const first = new ScriptedOperation([completed], { itemsToUpdate: [configMap('db')] });
    await using lab = new Lab(first, [pulling]);
    const { backup } = await lab.backUp({
      includedNamespaces: ['shop', 'other'],
      labelSelector: { matchLabels: { app: 'db' } },
    });
    expect(backup.status).toMatchObject({
      ...{ phase: 'Completed', backupItemOperationsCompleted: 2 },
    });
    expect(late.asked).toBe(2);
    expect(await lab.configMaps()).toEqual(['log ', 'db before']);
  });
});

describe('an object that is to be stored after an operation', () => {
  it('stays as it was when it was stored before', async () => {
    const operation = new ChangingOperation([configMap('a')]);
    await using lab = new Lab(operation);
    operation.on(lab);
    const { backup, issues } = await lab.backUp();
    expect(backup.status.phase).toBe('Completed');
    expect(issues).toMatchObject([
      { severity: 'warning', reason: 'ItemNotUpdated', object: { name: 'a' } },
    ]);
    expect(await lab.configMaps()).toContain('a before');
  });

  it('is a warning when it does not exist', async () => {
    const itemsToUpdate = [configMap('gone')];
    await using lab = new Lab(new ScriptedOperation([completed], { itemsToUpdate }));
    const { issues } = await lab.backUp();
    expect(issues).toMatchObject([{ severity: 'warning', reason: 'NotFound' }]);
  });

  it('stays as it was when its volume is snapshotted', async () => {
    const itemsToUpdate = [
      { ...Resources.persistentVolumeClaims, namespace: 'shop', name: 'data' },
    ];
    await using lab = new Lab(new ScriptedOperation([completed], { itemsToUpdate }));
    await lab.cluster.create(Resources.persistentVolumeClaims, claimManifest);
    await lab.cluster.settle();
    const { backup, issues } = await lab.backUp();
    expect(backup.status).toMatchObject({
      ...{ csiVolumeSnapshotsCompleted: 1, backupItemOperationsAttempted: 2 },
      backupItemOperationsCompleted: 2,
    });
    expect(issues).toMatchObject([{ reason: 'ItemNotUpdated', object: { name: 'data' } }]);
  });

  it('cannot be one too many: the object whose action asks fails', async () => {
    const itemsToUpdate = [configMap('z'), configMap('log', 'other')];
    await using lab = new Lab(new ScriptedOperation([completed], { itemsToUpdate }));
    const { issues } = await lab.backUp(
      {},
      { itemOperations: { pollIntervalMs: 1, maximumItemsToUpdate: 1 } },
    );
    expect(issues).toMatchObject([
      { severity: 'error', reason: 'Unsupported', object: { name: 'db' } },
    ]);
    expect(await lab.configMaps()).toEqual(['a before', 'z before']);
  });
});

describe('an action', () => {
  it('must not begin an operation for an object that is read again', async () => {
    const itemsToUpdate = [configMap('db')];
    const operation = new ScriptedOperation([completed], { itemsToUpdate });
    await using lab = new Lab(operation);
    lab.begin = async ({ item }) => (item.metadata.name === 'db' ? { operation } : {});
    const { issues } = await lab.backUp();
    expect(issues).toMatchObject([
      { severity: 'error', reason: 'Unsupported', object: { name: 'db' } },
    ]);
    expect(issues[0]?.message).toContain('purpose is "update"');
    expect(operation.cancelled).toBe(1);
  });

  it('knows that only a plan is made, and what it begins is not followed', async () => {
    const itemsToUpdate = [configMap('db'), configMap('log', 'other')];
    const operation = new ScriptedOperation([completed], { itemsToUpdate });
    await using lab = new Lab(operation);
    const request = { name: 'first', spec: { includedNamespaces: ['shop'] } };
    const { items, phase } = await lab.engine.planBackup(request);
    expect(lab.purposes).toEqual(['plan', 'plan']);
    expect(operation.asked + operation.cancelled).toBe(0);
    expect(phase).toBe('Completed');
    const planned = items.map(({ groupResource, name }) => `${groupResource} ${name}`).sort();
    await lab.backUp();
    const stored = await Array.fromAsync(lab.engine.catalog.listObjects('first'));
    expect(stored.map(({ groupResource, name }) => `${groupResource} ${name}`).sort()).toEqual(
      planned,
    );
    expect(items.find(({ name }) => name === 'log')?.reason).toMatchObject({
      type: 'pulledAlong',
      action: 'example.com/export',
      parent: { name: 'db' },
    });
  });
});

it.each([{ pollIntervalMs: 0 }, { maximumItemsToUpdate: 1.5 }])(
  'a backup with %j is refused',
  async (itemOperations) => {
    await using lab = new Lab(new ScriptedOperation([completed]));
    await expect(lab.backUp({}, { itemOperations })).rejects.toMatchObject({
      violations: [{ path: `options.itemOperations.${Object.keys(itemOperations)[0]}` }],
    });
  },
);

const claimManifest: KubernetesManifest = {
  apiVersion: 'v1',
  kind: 'PersistentVolumeClaim',
  metadata: { namespace: 'shop', name: 'data' },
  spec: {
    storageClassName: 'fake-csi',
    accessModes: ['ReadWriteOnce'],
    resources: { requests: { storage: '1Mi' } },
  },
};
