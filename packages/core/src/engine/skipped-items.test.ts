import { describe, expect, it } from 'vitest';
import type { BackupOptions, BackupResult } from '../backup/request.ts';
import type { BackupSpec } from '../model/backup.ts';
import type { BackupEvent } from '../model/event.ts';
import {
  describeObject,
  type KubernetesManifest,
  type ObjectReference,
} from '../model/kubernetes.ts';
import { Resources } from '../model/resources.ts';
import type { BackupItemAction, BackupItemOutput } from '../ports/item-action.ts';
import type { ItemOperation } from '../ports/item-operation.ts';
import type { Logger } from '../ports/logger.ts';
import { MemoryObjectStore } from '../stores/memory-object-store.ts';
import { FakeCluster } from '../testing/fake-cluster/fake-cluster.ts';
import { createEngine } from './create-engine.ts';
import { freezing, HookLab } from './hook-lab-fixture.ts';
import { PlanLab } from './plan-lab-fixture.ts';

const spec: BackupSpec = { includedNamespaces: ['shop'] };
const skip = 'it is made anew';

describe('an object that an item action skips', () => {
  it('is not in the backup, without an issue, and the result, an event and the log say why', async () => {
    const events: BackupEvent[] = [];
    const { result, stored, logs } = await backUp(
      [configMap('keep'), configMap('drop')],
      [skipping('configmaps', 'drop')],
      { onEvent: (event) => void events.push(event) },
    );
    const object = { groupResource: 'configmaps', namespace: 'shop', name: 'drop' };
    expect(stored).toContain('configmaps shop/keep');
    expect(stored).not.toContain('configmaps shop/drop');
    expect(result.skipped).toEqual([{ ...object, action: 'example.com/m', reason: skip }]);
    expect(result.issues).toEqual([]);
    expect(result.backup.status.phase).toBe('Completed');
    expect(events.filter(({ type }) => type === 'item')).toContainEqual({
      ...{ type: 'item', object, action: 'skipped', reason: `example.com/m: ${skip}` },
    });
    expect(logs).toMatch(/keeps an object out.*drop.*it is made anew/);
  });

  it('runs no later action, keeps what earlier ones pulled along, and of its own output the issues alone', async () => {
    const ran: string[] = [];
    const { result, stored } = await backUp(
      ['drop', 'early', 'late', 'own'].map((name) => configMap(name, name === 'drop')),
      [
        pulling('example.com/a', 'early', ran),
        skipping('configmaps', 'drop', {
          additionalItems: [referenceTo('own')],
          issues: [{ severity: 'warning', reason: 'Noted', message: 'noted' }],
        }),
        pulling('example.com/z', 'late', ran),
      ],
      {},
      { ...spec, labelSelector: { matchLabels: { picked: 'yes' } } },
    );
    // In the plan, and in the backup.
    expect(ran).toEqual(['example.com/a', 'example.com/a']);
    expect(stored.filter((name) => name.startsWith('configmaps'))).toEqual([
      'configmaps shop/early',
    ]);
    expect(result.issues.map(({ reason }) => reason)).toEqual(['Noted']);
  });

  it('is asked for once, pulled along, listed or put first, and never stored', async () => {
    const asked: string[] = [];
    const dropping = skipping('configmaps', 'm', {}, asked);
    const { result, stored } = await backUp(
      ['a', 'm', 'z'].map((name) => configMap(name)),
      [pulling('example.com/a', 'm', [], ['a', 'z']), dropping],
      {},
      { ...spec, orderedResources: { configmaps: 'shop/z,shop/m' } },
    );
    // In the plan, and in the backup.
    expect(asked).toEqual(['m', 'm']);
    expect(result.skipped.map(({ name }) => name)).toEqual(['m']);
    expect(stored.filter((name) => name.startsWith('configmaps'))).toEqual([
      'configmaps shop/z',
      'configmaps shop/a',
    ]);
  });

  it('has its operation followed, and stays out when that asks for it', async () => {
    const operation: ItemOperation = {
      id: 'export',
      itemsToUpdate: [referenceTo('drop')],
      progress: async () => ({ state: 'Completed' }),
      cancel: async () => undefined,
    };
    const { result, stored } = await backUp(
      [configMap('drop'), configMap('keep')],
      [skipping('configmaps', 'drop', { operation })],
    );
    expect(result.backup.status).toMatchObject({ backupItemOperationsCompleted: 1 });
    expect(stored).not.toContain('configmaps shop/drop');
    expect(result.issues).toEqual([]);
  });

  it('does not bring its Namespace along', async () => {
    const { stored } = await backUp(
      [configMap('drop')],
      [skipping('configmaps', 'drop')],
      {},
      { includedResources: ['configmaps'], labelSelector: { matchLabels: { picked: 'yes' } } },
    );
    expect(stored).toEqual([]);
  });
});

describe('a claim that an item action skips', () => {
  it('is not snapshotted, and the plan says the same', async () => {
    const actions = [skipping('persistentvolumeclaims', 'data')];
    await using lab = await PlanLab.open({ backupItemActions: actions });
    const foreseen = await lab.foresee(spec);
    expect(foreseen.objects).not.toContain('persistentvolumeclaims shop/data');
    expect(foreseen.objects).toContain('pods shop/web');
    expect(foreseen.volumes).toEqual({ 'shop/a': 'snapshot', 'shop/b': 'snapshot' });
    expect(await lab.backUp(spec)).toEqual(foreseen);
    const { skipped } = await lab.plan(spec);
    expect(skipped).toEqual([
      {
        ...{ groupResource: 'persistentvolumeclaims', namespace: 'shop', name: 'data' },
        ...{ action: 'example.com/m', reason: skip },
      },
    ]);
  });
});

describe('a pod that an item action skips', () => {
  it('has its hooks run, but pulls no claim into their window', async () => {
    const actions = [skipping('pods', 'db')];
    await using lab = await HookLab.open(
      [
        { name: 'db', claims: ['own', 'shared'], annotations: freezing },
        { name: 'peer', claims: ['shared'], annotations: freezing },
      ],
      { backupItemActions: actions },
    );
    const { hooks } = await lab.engine.planBackup({ name: 'first', spec });
    const result = await lab.engine.backup({ name: 'first', spec });
    expect(result.issues).toEqual([]);
    expect(result.skipped.map(({ name }) => name)).toEqual(['db']);
    expect(lab.commands).toEqual(['freeze db', 'freeze peer', 'thaw db', 'thaw peer']);
    expect(hooks.map(({ stage, podName }) => `${stage} ${podName}`)).toEqual([
      ...['pre db', 'pre peer', 'post db', 'post peer'],
    ]);
    expect(await lab.engine.catalog.getConsistency('first')).toEqual([
      { namespace: 'shop', claimName: 'own', level: 'crash' },
      { namespace: 'shop', claimName: 'shared', level: 'application' },
    ]);
    const stored = await Array.fromAsync(lab.engine.catalog.listObjects('first'));
    const pods = stored.filter(({ groupResource }) => groupResource === 'pods');
    expect(pods.map(({ name }) => name)).toEqual(['peer']);
  });

  it('is skipped in a window of its own too, and when it is pulled along', async () => {
    const actions = [
      skipping('pods', 'db'),
      pulling('example.com/a', 'db', [], ['settings'], Resources.pods),
    ];
    await using lab = await HookLab.open([{ name: 'db', annotations: freezing }], {
      backupItemActions: actions,
    });
    lab.cluster.seed([configMap('settings')]);
    const only = { ...spec, includedResources: ['configmaps', 'pods'] };
    const { skipped, issues } = await lab.engine.backup({ name: 'first', spec: only });
    expect(issues).toEqual([]);
    expect(skipped.map(({ name }) => name)).toEqual(['db']);
    expect(lab.commands).toEqual(['freeze db', 'thaw db']);
  });
});

it('a rollback to a backup without skipped objects is refused until a predicate spares them', async () => {
  await using cluster = new FakeCluster();
  cluster.seed([namespace, configMap('keep'), configMap('drop')]);
  const dropping = skipping('configmaps', 'drop');
  const engine = createEngine({
    ...{ cluster, store: new MemoryObjectStore(), backupItemActions: [dropping] },
  });
  await engine.backup({ name: 'first', spec });
  cluster.seed([configMap('later')]);
  const request = {
    name: 'back',
    spec: { backupName: 'first', includedNamespaces: ['shop'] },
  };
  const existingObjects = 'rollback';
  await expect(engine.planRestore(request, { existingObjects })).rejects.toThrow(
    /options\.include must leave out what item actions kept out of backup first/,
  );
  const plan = await engine.planRestore(request, {
    existingObjects,
    include: ({ name }) => name !== 'drop',
  });
  const deleted = plan.items.filter(({ action }) => action === 'delete');
  expect(deleted.map(({ target }) => target.name)).toEqual(['later']);
});

const namespace: KubernetesManifest = {
  ...{ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop' } },
};

/** Runs in the middle: between the actions that are called `example.com/a` and `example.com/z`. */
function skipping(
  resource: string,
  name: string,
  output: BackupItemOutput = {},
  asked: string[] = [],
): BackupItemAction {
  return {
    name: 'example.com/m',
    appliesTo: { resources: [resource] },
    execute: async ({ item: { metadata } }) => {
      if (metadata.name !== name) {
        return {};
      }
      asked.push(name);
      return { ...output, skip };
    },
  };
}

/** Pulls an object along for some ConfigMaps, by default for the one that is skipped. */
function pulling(
  action: string,
  name: string,
  ran: string[],
  parents: readonly string[] = ['drop'],
  resource: typeof Resources.configMaps | typeof Resources.pods = Resources.configMaps,
): BackupItemAction {
  return {
    name: action,
    appliesTo: { resources: ['configmaps'] },
    execute: async ({ item: { metadata } }) => {
      if (!parents.includes(metadata.name)) {
        return {};
      }
      ran.push(action);
      return { additionalItems: [{ ...resource, namespace: 'shop', name }] };
    },
  };
}

interface Outcome {
  readonly result: BackupResult;
  readonly stored: readonly string[];
  readonly logs: string;
}

/** Backs up, and compares with what the plan says. */
async function backUp(
  objects: readonly KubernetesManifest[],
  actions: readonly BackupItemAction[],
  options: BackupOptions = {},
  filter: BackupSpec = spec,
): Promise<Outcome> {
  await using cluster = new FakeCluster();
  cluster.seed([namespace, ...objects]);
  const lines: string[] = [];
  const write = (message: string, fields?: object): void =>
    void lines.push(`${message} ${JSON.stringify(fields)}`);
  const logger: Logger = { debug: write, info: write, warn: write, error: write };
  const store = new MemoryObjectStore();
  const engine = createEngine({ cluster, store, logger, backupItemActions: actions });
  const planned = await engine.planBackup({ name: 'first', spec: filter });
  const result = await engine.backup({ name: 'first', spec: filter }, options);
  const stored = await Array.fromAsync(engine.catalog.listObjects('first'), describeObject);
  expect(planned.items.map(describeObject)).toEqual(stored);
  expect(planned.skipped).toEqual(result.skipped);
  return { result, stored: stored.filter(isOurs), logs: lines.join('\n') };
}

function isOurs(name: string): boolean {
  return !name.endsWith('kube-root-ca.crt');
}

function configMap(name: string, isPicked = false): KubernetesManifest {
  const labels = isPicked ? { picked: 'yes' } : {};
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { namespace: 'shop', name, labels } };
}

function referenceTo(name: string): ObjectReference {
  return { ...Resources.configMaps, namespace: 'shop', name };
}
