import { setImmediate as turnOfTheLoop } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { ClusterError } from '../errors.ts';
import type { BackupEvent } from '../model/event.ts';
import type { KubernetesManifest, ObjectReference } from '../model/kubernetes.ts';
import { Resources } from '../model/resources.ts';
import { ScriptedOperation } from '../operations/scripted-operation-fixture.ts';
import type { BackupItemAction, BackupItemInput } from '../ports/item-action.ts';
import { MemoryObjectStore } from '../stores/memory-object-store.ts';
import { FakeCluster } from '../testing/fake-cluster/fake-cluster.ts';
import { createEngine } from './create-engine.ts';
import type { Engine } from './engine.ts';

const spec = { includedNamespaces: ['shop'] };

describe('the actions of a user', () => {
  it('run for the next objects while those of one are waited for', async () => {
    const third = Promise.withResolvers<void>();
    const { names } = await backUp(configMaps('a', 'b', 'c'), {
      resource: 'configmaps',
      execute: async ({ item }) => {
        if (item.metadata.name === 'c') {
          third.resolve();
        }
        await third.promise;
        return {};
      },
    });
    expect(names).toEqual(['a', 'b', 'c']);
  });

  it('run for as many objects as the option says, those that wait for their turn included', async () => {
    const all = 'abcdefghi'.split('');
    const full = Promise.withResolvers<void>();
    const begun: number[] = [];
    let started = 0;
    let stored = 0;
    const { names } = await backUp(
      configMaps(...all),
      {
        resource: 'configmaps',
        execute: async () => {
          started += 1;
          begun.push(started - stored);
          if (started === 3) {
            full.resolve();
          }
          await full.promise;
          return {};
        },
      },
      {
        itemActions: 3,
        onEvent: (event) => {
          stored += event.type === 'item' && event.object.groupResource === 'configmaps' ? 1 : 0;
        },
      },
    );
    expect(names).toEqual(all);
    expect(Math.max(...begun)).toBe(3);
  });

  it('run for the claims of pods at a time, of which each is pulled along once', async () => {
    const claims = ['a', 'b', 'c', 'd'];
    const last = Promise.withResolvers<void>();
    const { names, issues } = await backUp(
      [...claims.map(claimOf), podOf('one', ['a', 'b']), podOf('two', ['b', 'c', 'd'])],
      {
        resource: 'persistentvolumeclaims',
        execute: async ({ item }) => {
          if (item.metadata.name === 'd') {
            last.resolve();
          }
          await last.promise;
          return {};
        },
      },
    );
    expect(names).toEqual(['a', 'b', 'one', 'c', 'd', 'two']);
    const problems = issues.map(({ reason, object }) => `${reason} ${object?.name}`);
    expect(problems).toEqual(claims.map((name) => `ClaimNotBound ${name}`));
  });
});

/** What the actions of {@link tangle} refer to: those before and behind them, each other, and what is not there. */
const tangled: Readonly<Record<string, readonly string[]>> = {
  a: ['e', 'secret'],
  b: ['missing'],
  c: ['a', 'e', 'h'],
  e: ['c', 'g'],
  f: ['g', 'missing', 'excluded'],
  h: ['h', 'secret', 'z'],
};

describe('what actions ask for', () => {
  it.each([2, 3, 8, 100])(
    'is done in the same order when %i objects are worked on',
    async (itemActions) => {
      const one = await tangle({ itemActions: 1 });
      expect(one.names).toHaveLength(10);
      expect(one.issues.map(({ reason }) => reason)).toContain('ItemFailed');
      expect(await tangle({ itemActions })).toEqual(one);
    },
  );

  it('is the same in a plan', async () => {
    const { names } = await tangle({ itemActions: 3 });
    await using cluster = tangledCluster();
    const engine = engineFor(cluster, tanglingAction(), { itemActions: 3 });
    const { items } = await engine.planBackup({ name: 'first', spec });
    expect(namesOf(items)).toEqual(names);
  });
});

describe('a backup that ends early', () => {
  it('waits for the actions that run, cancels what they have begun, and leaves nothing', async () => {
    const stop = new AbortController();
    const reason = new Error('enough');
    const allRun = Promise.withResolvers<void>();
    const operations: ScriptedOperation[] = [];
    const running = new Set<string>();
    let cancelledWhileRunning = false;
    await using cluster = new FakeCluster();
    cluster.seed(configMaps('a', 'b', 'c', 'd', 'e'));
    const store = new MemoryObjectStore();
    const action = actionOn('configmaps', async ({ item: { metadata }, signal }) => {
      running.add(metadata.name);
      if (running.size === 3) {
        allRun.resolve();
      }
      const aborted = Promise.withResolvers<void>();
      signal.addEventListener('abort', () => aborted.resolve(), { once: true });
      await aborted.promise;
      await turnOfTheLoop();
      running.delete(metadata.name);
      const operation = new ScriptedOperation([{ state: 'InProgress' }], { id: metadata.name });
      operation.onCancel = async () => {
        cancelledWhileRunning ||= running.size > 0;
      };
      operations.push(operation);
      return { operation };
    });
    const engine = engineFor(cluster, action, { itemActions: 3, store });
    const backup = engine.backup({ name: 'first', spec }, { signal: stop.signal });
    const rejected = expect(backup).rejects.toBe(reason);
    await allRun.promise;
    stop.abort(reason);
    await rejected;
    expect(operations.map(({ id }) => id).sort()).toEqual(['a', 'b', 'c']);
    expect(operations.map(({ cancelled }) => cancelled)).toEqual([1, 1, 1]);
    expect({ running: running.size, cancelledWhileRunning }).toEqual({
      ...{ running: 0, cancelledWhileRunning: false },
    });
    expect(await Array.fromAsync(store.list(''))).toEqual([]);
  });

  it('stores nothing more when the cluster is out of reach for one object', async () => {
    await using cluster = new FakeCluster();
    cluster.seed(configMaps('a', 'b', 'c', 'd'));
    const store = new MemoryObjectStore();
    const stored: string[] = [];
    const unreachable = new ClusterError('no route', {
      ...{ code: 'Unavailable', operation: 'Cluster.get', retryable: true },
    });
    const action = actionOn('configmaps', async ({ item }) => {
      if (item.metadata.name === 'b') {
        throw unreachable;
      }
      return {};
    });
    const onEvent = (event: BackupEvent): void => {
      if (event.type === 'item' && event.object.groupResource === 'configmaps') {
        stored.push(event.object.name);
      }
    };
    const engine = engineFor(cluster, action, { store });
    await expect(engine.backup({ name: 'first', spec }, { onEvent })).rejects.toBe(unreachable);
    expect(stored).toEqual(['a']);
    expect(await Array.fromAsync(store.list(''))).toEqual([]);
  });
});

it.each([0, 1.5])('no engine works on %d objects at a time', (itemActions) => {
  const create = (): Engine =>
    createEngine({
      cluster: new FakeCluster(),
      store: new MemoryObjectStore(),
      concurrency: { itemActions },
    });
  expect(create).toThrow('concurrency.itemActions');
});

interface Limits {
  readonly itemActions?: number;
  readonly store?: MemoryObjectStore;
  readonly onEvent?: (event: BackupEvent) => void;
}

interface Outcome {
  /** In the order of the archive. */
  readonly names: readonly string[];
  readonly issues: Awaited<ReturnType<Engine['backup']>>['issues'];
}

type Execute = (input: BackupItemInput) => ReturnType<BackupItemAction['execute']>;

async function backUp(
  objects: readonly KubernetesManifest[],
  { resource, execute }: { readonly resource: string; readonly execute: Execute },
  options: Limits = {},
): Promise<Outcome> {
  await using cluster = new FakeCluster();
  cluster.seed(objects);
  return await backUpCluster(cluster, actionOn(resource, execute), options);
}

async function backUpCluster(
  cluster: FakeCluster,
  action: BackupItemAction,
  { onEvent, ...limits }: Limits,
): Promise<Outcome> {
  const engine = engineFor(cluster, action, limits);
  const { issues } = await engine.backup({ name: 'first', spec }, { onEvent });
  const stored = await Array.fromAsync(engine.catalog.listObjects('first'));
  return { issues, names: namesOf(stored) };
}

function namesOf(
  objects: readonly { readonly groupResource: string; readonly name: string }[],
): readonly string[] {
  const kinds = ['configmaps', 'secrets', 'pods', 'persistentvolumeclaims'];
  return objects
    .filter(({ groupResource, name }) => kinds.includes(groupResource) && !isOfEveryNamespace(name))
    .map(({ name }) => name);
}

function isOfEveryNamespace(name: string): boolean {
  return name === 'kube-root-ca.crt';
}

function engineFor(
  cluster: FakeCluster,
  action: BackupItemAction,
  { itemActions, store = new MemoryObjectStore() }: Limits,
): Engine {
  const concurrency = { itemActions };
  return createEngine({ cluster, store, concurrency, backupItemActions: [action] });
}

function actionOn(resource: string, execute: Execute): BackupItemAction {
  return {
    name: 'example.com/test',
    appliesTo: { resources: [resource] },
    execute: async (input) => (isOfEveryNamespace(input.item.metadata.name) ? {} : execute(input)),
  };
}

async function tangle(limits: Limits): Promise<Outcome> {
  await using cluster = tangledCluster();
  return await backUpCluster(cluster, tanglingAction(), limits);
}

/** Objects of one kind that pull one another along. */
function tangledCluster(): FakeCluster {
  const cluster = new FakeCluster();
  const [excluded] = configMaps('excluded');
  const labels = { 'velero.io/exclude-from-backup': 'true' };
  const secret = { apiVersion: 'v1', kind: 'Secret', metadata: metadataOf('secret') };
  cluster.seed([...configMaps(...'abcdefghiz'.split('')), secret]);
  cluster.seed(excluded ? [{ ...excluded, metadata: { ...excluded.metadata, labels } }] : []);
  return cluster;
}

/** Takes now longer, now shorter, pulls along what {@link tangled} says, warns of everything, and fails for one object. */
function tanglingAction(): BackupItemAction {
  return actionOn('configmaps', async ({ item: { metadata } }) => {
    const { name } = metadata;
    for (let left = (name.charCodeAt(0) * 7) % 5; left > 0; left -= 1) {
      await turnOfTheLoop();
    }
    if (name === 'd') {
      throw new Error('not this one');
    }
    return {
      additionalItems: (tangled[name] ?? []).map(referenceTo),
      issues: [{ severity: 'warning', reason: 'Seen', message: name }],
    };
  });
}

function referenceTo(name: string): ObjectReference {
  const resource = name === 'secret' ? 'secrets' : 'configmaps';
  return { ...Resources.configMaps, resource, namespace: 'shop', name };
}

function metadataOf(name: string): { readonly namespace: string; readonly name: string } {
  return { namespace: 'shop', name };
}

function configMaps(...names: readonly string[]): readonly KubernetesManifest[] {
  return names.map((name) => ({
    ...{ apiVersion: 'v1', kind: 'ConfigMap', metadata: metadataOf(name) },
  }));
}

function claimOf(name: string): KubernetesManifest {
  const metadata = metadataOf(name);
  return { apiVersion: 'v1', kind: 'PersistentVolumeClaim', metadata, spec: {} };
}

function podOf(name: string, claims: readonly string[]): KubernetesManifest {
  const volumes = claims.map((claimName) => ({
    name: claimName,
    persistentVolumeClaim: { claimName },
  }));
  return { apiVersion: 'v1', kind: 'Pod', metadata: metadataOf(name), spec: { volumes } };
}
