import { gunzipSync } from 'node:zlib';
import {
  type Cluster,
  createEngine,
  type ItemOperation,
  type ItemOperationProgress,
  Resources,
  type RestoreEvent,
  type RestoreItemAction,
  type RestoreOptions,
  type RestoreResult,
} from '@lifeboat/core';
import { expect, it } from 'vitest';
import { restoreKey } from '../../packages/core/src/catalog/key-layout.ts';
import { readAll } from '../../packages/core/src/internal/read-all.ts';
import { VeleroLabel } from '../../packages/core/src/model/labels.ts';
import { stringAt } from '../../packages/core/src/model/object-path.ts';
import { type ClusterTestContext, testCluster } from '../cluster/test-cluster.ts';
import { BackupLab } from './backup-lab.ts';

const { configMaps } = Resources;
const tables = 3;

/** An import that a ConfigMap asks for, and that somebody in the cluster carries out, table by table. */
class ImportJob implements ItemOperation {
  readonly id = 'import-1';
  readonly #cluster: Cluster;
  readonly #reference: typeof configMaps & { readonly namespace: string; readonly name: string };

  constructor(cluster: Cluster, namespace: string) {
    this.#cluster = cluster;
    this.#reference = { ...configMaps, namespace, name: 'import-job' };
  }

  async create(signal: AbortSignal): Promise<void> {
    const { namespace, name } = this.#reference;
    const manifest = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { namespace, name } };
    await this.#cluster.create(configMaps, { ...manifest, data: { imported: '0' } }, { signal });
  }

  /** What the controller does: imports one more table. */
  async importOne(): Promise<void> {
    const imported = String((await this.imported()) + 1);
    await this.#cluster.patch(this.#reference, { type: 'merge', patch: { data: { imported } } });
  }

  /** How many tables are imported; rejects when there is no such job. */
  async imported(signal?: AbortSignal): Promise<number> {
    const job = await this.#cluster.get(this.#reference, { signal });
    if (job === undefined) {
      throw new Error('the job is gone');
    }
    return Number(stringAt(job, ['data', 'imported']));
  }

  async exists(): Promise<boolean> {
    return (await this.#cluster.get(this.#reference)) !== undefined;
  }

  async progress({ signal }: { readonly signal: AbortSignal }): Promise<ItemOperationProgress> {
    const completed = await this.imported(signal);
    const state = completed === tables ? 'Completed' : 'InProgress';
    return { state, completed, total: tables, unit: 'tables' };
  }

  async cancel({ signal }: { readonly signal: AbortSignal }): Promise<void> {
    await this.#cluster.delete(this.#reference, { signal });
  }
}

/** A backed-up ConfigMap whose restore begins an import. */
class ImportScene {
  readonly lab: BackupLab;
  readonly cluster: Cluster;
  readonly target: string;
  readonly job: ImportJob;
  readonly events: string[] = [];
  readonly #restore: (options: RestoreOptions) => Promise<RestoreResult>;

  private constructor(lab: BackupLab, namespace: string, target: string) {
    const connection = lab.connect();
    const job = new ImportJob(connection.cluster, target);
    const action: RestoreItemAction = {
      name: 'lifeboat.test/import',
      appliesTo: { resources: ['configmaps'] },
      execute: async ({ item, signal }) => {
        if (item.metadata.name !== 'database') {
          return {};
        }
        await job.create(signal);
        return { operation: job };
      },
    };
    const engine = createEngine({ ...connection, store: lab.store, restoreItemActions: [action] });
    this.lab = lab;
    this.cluster = connection.cluster;
    this.target = target;
    this.job = job;
    const spec = { backupName: 'backup', namespaceMapping: { [namespace]: target } };
    this.#restore = (options) => engine.restore({ name: 'restored', spec }, options);
  }

  static async open(context: ClusterTestContext): Promise<ImportScene> {
    const lab = await BackupLab.open(testCluster(context), context);
    const namespace = await lab.kit.createNamespace('operation');
    const { cluster } = lab.connect();
    const metadata = { namespace, name: 'database' };
    await cluster.create(configMaps, { apiVersion: 'v1', kind: 'ConfigMap', metadata });
    const { backup } = await lab.engine().backup({
      name: 'backup',
      spec: { includedNamespaces: [namespace], includedResources: ['configmaps'] },
    });
    expect(backup.status.phase).toBe('Completed');
    return new ImportScene(lab, namespace, await lab.kit.createNamespace('operation'));
  }

  /** Restores, and calls back with how many tables are imported each time that the restore tells it. */
  restore(onImported: (tables: number) => void, signal?: AbortSignal): Promise<RestoreResult> {
    const onEvent = (event: RestoreEvent): void => {
      if (event.type === 'itemOperation') {
        this.events.push(`${event.state} ${event.completed ?? ''}`.trim());
        if (event.state === 'InProgress' && event.completed !== undefined) {
          onImported(event.completed);
        }
      }
    };
    return this.#restore({ signal, onEvent, itemOperations: { pollIntervalMs: 100 } });
  }
}

it('a restore waits for what an item action has begun in the cluster, tells how far it is, and writes down how it ended', async (context) => {
  const scene = await ImportScene.open(context);
  const { job, lab, target } = scene;
  const imports: Promise<void>[] = [];
  const { issues, restore } = await scene.restore(() => imports.push(job.importOne()));
  await Promise.all(imports);
  expect(issues).toEqual([]);
  expect(await job.imported()).toBe(tables);
  expect(restore.status).toMatchObject({
    ...{ phase: 'Completed', restoreItemOperationsAttempted: 1, restoreItemOperationsCompleted: 1 },
  });
  expect(scene.events).toEqual([
    'Started',
    ...['InProgress 0', 'InProgress 1', 'InProgress 2'],
    'Completed 3',
  ]);
  const file = await lab.store.get(restoreKey('restored', 'itemOperations'));
  const bytes = gunzipSync(await readAll(file, { maximumBytes: 100_000 }));
  expect(JSON.parse(bytes.toString())).toMatchObject([
    {
      spec: {
        ...{ restoreItemAction: 'lifeboat.test/import', operationID: 'import-1' },
        resourceIdentifier: { Resource: 'configmaps', Namespace: target, Name: 'database' },
      },
      status: { phase: 'Completed', nCompleted: tables, nTotal: tables, operationUnits: 'tables' },
    },
  ]);
});

it('a restore that is cancelled has what runs in the cluster cancelled, and leaves what it has restored', async (context) => {
  const scene = await ImportScene.open(context);
  const { cluster, job, target } = scene;
  const abort = new AbortController();
  const reason = new Error('the test has seen enough');
  const restored = scene.restore(() => abort.abort(reason), abort.signal);
  expect(await restored.catch((thrown: unknown) => thrown)).toBe(reason);
  expect(scene.events).toEqual(['Started', 'InProgress 0', 'Cancelled 0']);
  expect(await job.exists()).toBe(false);
  expect(await cluster.get({ ...configMaps, namespace: target, name: 'database' })).toMatchObject({
    metadata: { labels: { [VeleroLabel.restoreName]: 'restored' } },
  });
});
