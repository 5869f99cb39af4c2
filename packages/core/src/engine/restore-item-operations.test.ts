import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { restoreKey } from '../catalog/key-layout.ts';
import { readAll } from '../internal/read-all.ts';
import type { RestoreEvent } from '../model/event.ts';
import { Resources } from '../model/resources.ts';
import type { RestoreSpec } from '../model/restore.ts';
import { ScriptedOperation } from '../operations/scripted-operation-fixture.ts';
import type {
  RestoreItemAction,
  RestoreItemInput,
  RestoreItemOutput,
} from '../ports/item-action.ts';
import type { ItemOperation } from '../ports/item-operation.ts';
import { archivedObject, storeBackup } from '../restore/stored-backup-fixture.ts';
import { MemoryObjectStore } from '../stores/memory-object-store.ts';
import { FakeCluster } from '../testing/fake-cluster/fake-cluster.ts';
import { ManualClock } from '../testing/manual-clock.ts';
import { createEngine } from './create-engine.ts';
import type { Engine } from './engine.ts';

const running = { state: 'InProgress' } as const;
const completed = { state: 'Completed' } as const;
const services = { group: '', version: 'v1', resource: 'services' };
const hourMs = 3_600_000;

type RestoreOptions = NonNullable<Parameters<Engine['restore']>[1]>;

/** A backup of the ConfigMap `db` and the Service `z`, and an action that begins an operation for `db`. */
class Lab implements AsyncDisposable {
  readonly cluster = new FakeCluster();
  readonly store: MemoryObjectStore = new MemoryObjectStore();
  readonly clock = new ManualClock();
  readonly events: RestoreEvent[] = [];
  readonly purposes: string[] = [];
  readonly waiting = Promise.withResolvers<void>();
  readonly engine: Engine;
  act: (input: RestoreItemInput) => RestoreItemOutput;

  private constructor(operation: ItemOperation, output: RestoreItemOutput) {
    this.act = ({ item: { metadata } }) => (metadata.name === 'db' ? { operation, ...output } : {});
    const action: RestoreItemAction = {
      name: 'example.com/import',
      appliesTo: { resources: ['configmaps', 'services'] },
      execute: async (input) => {
        this.purposes.push(`${input.item.metadata.name ?? ''} ${input.purpose}`);
        return this.act(input);
      },
    };
    const { cluster, store, clock } = this;
    this.engine = createEngine({ cluster, store, clock, restoreItemActions: [action] });
  }

  static async open(operation: ItemOperation, output: RestoreItemOutput = {}): Promise<Lab> {
    const lab = new Lab(operation, output);
    const metadata = { name: 'z', labels: { app: 'z' } };
    await storeBackup(lab.store, {
      name: 'shop',
      objects: [
        ['configmaps', archivedObject('v1', 'ConfigMap', { name: 'db' })],
        ['services', archivedObject('v1', 'Service', metadata, { spec: { clusterIP: 'None' } })],
      ],
    });
    return lab;
  }

  /** Restores into the namespace `copy`. */
  restore(
    spec: Partial<RestoreSpec> = {},
    options: RestoreOptions = {},
  ): ReturnType<Engine['restore']> {
    return this.engine.restore(
      {
        name: 'r',
        metadata: { uid: 'r-uid' },
        spec: { backupName: 'shop', namespaceMapping: { shop: 'copy' }, ...spec },
      },
      {
        ...options,
        onEvent: (event) => {
          this.events.push(event);
          if (event.type === 'phase' && event.phase === 'WaitingForItemOperations') {
            this.waiting.resolve();
          }
          options.onEvent?.(event);
        },
      },
    );
  }

  /** Resolves when nothing is left to do but to wait for operations. */
  async untilWaiting(): Promise<void> {
    await this.waiting.promise;
    await this.clock.advance(0);
  }

  get states(): readonly string[] {
    return this.events.flatMap((event) => (event.type === 'itemOperation' ? [event.state] : []));
  }

  get phases(): readonly string[] {
    return this.events.flatMap((event) => (event.type === 'phase' ? [event.phase] : []));
  }

  async operationsFile(): Promise<unknown> {
    const file = await this.store.get(restoreKey('r', 'itemOperations'));
    return JSON.parse(gunzipSync(await readAll(file, { maximumBytes: 100_000 })).toString());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.cluster.close();
    await this.store.close();
  }
}

describe('a restore with an operation of an item action', () => {
  it('goes on beside it, waits for it before the end, and tells how it ended', async () => {
    const half = { ...running, completed: 5, total: 10, unit: 'Bytes' };
    const operation = new ScriptedOperation([running, half, completed]);
    await using lab = await Lab.open(operation);
    const restored = lab.restore();
    await lab.untilWaiting();
    const service = { ...services, namespace: 'copy', name: 'z' };
    expect(await lab.cluster.get(service)).toBeDefined();
    expect(lab.states).toEqual(['Started']);
    await lab.clock.advance(9_999);
    expect(operation.asked).toBe(1);
    await lab.clock.advance(1);
    expect(operation.asked).toBe(2);
    expect(lab.phases.at(-1)).toBe('WaitingForItemOperations');
    await lab.clock.advance(10_000);
    const { restore, issues } = await restored;
    expect(issues).toEqual([]);
    expect(restore.status).toMatchObject({
      ...{ phase: 'Completed', completionTimestamp: '2026-01-01T00:00:20Z' },
      ...{ restoreItemOperationsAttempted: 1, restoreItemOperationsCompleted: 1 },
    });
    expect(restore.status).not.toHaveProperty('restoreItemOperationsFailed');
    expect(operation.cancelled).toBe(0);
    expect(lab.phases).toEqual([
      ...['Reading', 'Restoring', 'WaitingForItemOperations', 'WaitingForClaims', 'Finalizing'],
    ]);
    expect(lab.states).toEqual(['Started', 'InProgress', 'Completed']);
    expect(lab.events).toContainEqual({
      ...{ type: 'itemOperation', action: 'example.com/import', operationId: 'copy-1' },
      object: { groupResource: 'configmaps', namespace: 'copy', name: 'db' },
      ...half,
    });
    expect(await lab.operationsFile()).toEqual([
      {
        spec: {
          ...{ restoreName: 'r', restoreUID: 'r-uid', restoreItemAction: 'example.com/import' },
          resourceIdentifier: { Group: '', Resource: 'configmaps', Namespace: 'copy', Name: 'db' },
          operationID: 'copy-1',
        },
        status: {
          phase: 'Completed',
          created: '2026-01-01T00:00:00Z',
          started: '2026-01-01T00:00:00Z',
          updated: '2026-01-01T00:00:20Z',
        },
      },
    ]);
  });

  it('says nothing of operations when there is none', async () => {
    await using lab = await Lab.open(new ScriptedOperation([completed]));
    lab.act = () => ({});
    const { restore } = await lab.restore();
    expect(lab.phases).not.toContain('WaitingForItemOperations');
    expect(restore.status).not.toHaveProperty('restoreItemOperationsAttempted');
    expect(await lab.operationsFile()).toEqual([]);
  });

  it('is PartiallyFailed when the operation fails', async () => {
    const operation = new ScriptedOperation([{ state: 'Failed', message: 'the tape is torn' }]);
    await using lab = await Lab.open(operation);
    const { restore, issues } = await lab.restore();
    expect(restore.status).toMatchObject({
      ...{ phase: 'PartiallyFailed', errors: 1 },
      ...{ restoreItemOperationsAttempted: 1, restoreItemOperationsFailed: 1 },
    });
    expect(restore.status).not.toHaveProperty('restoreItemOperationsCompleted');
    expect(issues).toEqual([
      {
        ...{ severity: 'error', reason: 'ItemOperationFailed' },
        message: 'operation copy-1 of item action example.com/import failed: the tape is torn',
        object: { groupResource: 'configmaps', namespace: 'copy', name: 'db' },
      },
    ]);
    expect(await lab.operationsFile()).toMatchObject([
      { status: { phase: 'Failed', error: 'the tape is torn' } },
    ]);
  });

  it.each<[string, Partial<RestoreSpec>, number]>([
    ['25s', { itemOperationTimeout: '25s' }, 25_000],
    ['4h0m0s', {}, 4 * hourMs],
    ['4h0m0s', { itemOperationTimeout: '0s' }, 4 * hourMs],
  ])('cancels one that does not end within %s, with %j', async (limit, spec, limitMs) => {
    const operation = new ScriptedOperation([running]);
    await using lab = await Lab.open(operation);
    const restored = lab.restore(spec, { itemOperations: { pollIntervalMs: hourMs } });
    await lab.untilWaiting();
    await lab.clock.advance(limitMs - 1);
    expect(operation.cancelled).toBe(0);
    await lab.clock.advance(1);
    const { restore, issues } = await restored;
    expect(operation.cancelled).toBe(1);
    expect(issues[0]?.message).toContain(`did not end within ${limit}`);
    expect(restore.status).toMatchObject({
      ...{ phase: 'PartiallyFailed', restoreItemOperationsFailed: 1 },
    });
  });

  it('cancels what runs when it is aborted while it waits, and keeps what has completed', async () => {
    const operation = new ScriptedOperation([running]);
    const done = new ScriptedOperation([completed], { id: 'done' });
    await using lab = await Lab.open(operation);
    lab.act = ({ item }) => ({ operation: item.metadata.name === 'db' ? operation : done });
    const abort = new AbortController();
    const reason = new Error('enough');
    const aborted = lab.restore({}, { signal: abort.signal });
    const rejected = expect(aborted).rejects.toBe(reason);
    await lab.untilWaiting();
    abort.abort(reason);
    await rejected;
    expect([operation.cancelled, done.cancelled]).toEqual([1, 0]);
    expect(lab.states.filter((state) => state === 'Cancelled')).toHaveLength(1);
    const object = { ...Resources.configMaps, namespace: 'copy', name: 'db' };
    expect(await lab.cluster.get(object)).toBeDefined();
  });

  it('cancels it when it is aborted before, and waits for that in bounds', async () => {
    const operation = new ScriptedOperation([running]);
    const cancelling = Promise.withResolvers<void>();
    operation.onCancel = () => {
      cancelling.resolve();
      return Promise.withResolvers<void>().promise;
    };
    await using lab = await Lab.open(operation);
    const abort = new AbortController();
    const reason = new Error('enough');
    const onEvent = ({ type }: RestoreEvent): void => {
      if (type === 'itemOperation') {
        abort.abort(reason);
      }
    };
    const aborted = lab.restore({}, { signal: abort.signal, onEvent });
    const rejected = expect(aborted).rejects.toBe(reason);
    await cancelling.promise;
    await lab.clock.advance(15_000);
    await rejected;
    expect(operation.cancelled).toBe(1);
  });
});

describe('an operation', () => {
  it('of an object that is skipped is followed', async () => {
    const operation = new ScriptedOperation([completed]);
    await using lab = await Lab.open(operation, { skip: 'not now' });
    const { restore, items } = await lab.restore();
    expect(items).toContainEqual(expect.objectContaining({ action: 'skipped', reason: 'not now' }));
    expect(restore.status).toMatchObject({ restoreItemOperationsCompleted: 1 });
  });

  it('of an object that cannot be created is followed', async () => {
    const operation = new ScriptedOperation([completed]);
    await using lab = await Lab.open(operation);
    lab.cluster.faults.inject({ operation: 'create', resource: 'configmaps', error: 'Forbidden' });
    const { restore, issues } = await lab.restore();
    expect(issues).toMatchObject([{ reason: 'Forbidden', object: { name: 'db' } }]);
    expect(restore.status).toMatchObject({ restoreItemOperationsCompleted: 1 });
  });

  it.each([undefined, 'server' as const])(
    'is not followed in a plan with dryRun %s, but when the plan is carried out',
    async (dryRun) => {
      const operation = new ScriptedOperation([completed]);
      await using lab = await Lab.open(operation);
      const spec = { backupName: 'shop' };
      const plan = await lab.engine.planRestore({ name: 'r', spec }, { dryRun });
      expect(lab.purposes).toContain('db plan');
      expect(lab.purposes).not.toContain('db restore');
      expect(operation.asked + operation.cancelled).toBe(0);
      lab.purposes.length = 0;
      const { restore } = await lab.engine.restore(plan);
      expect(lab.purposes.filter((purpose) => purpose.startsWith('db'))).toEqual([
        ...['db plan', 'db restore'],
      ]);
      expect(operation.asked).toBe(1);
      expect(restore.status).toMatchObject({ restoreItemOperationsAttempted: 1 });
    },
  );
});

it.each([0, 1.5])('a restore that asks every %j ms is refused', async (pollIntervalMs) => {
  await using lab = await Lab.open(new ScriptedOperation([completed]));
  await expect(lab.restore({}, { itemOperations: { pollIntervalMs } })).rejects.toMatchObject({
    violations: [{ path: 'options.itemOperations.pollIntervalMs', received: pollIntervalMs }],
  });
});
