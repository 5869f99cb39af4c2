import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { BackupOptions } from '../backup/request.ts';
import { isLifeboatError, ValidationError } from '../errors.ts';
import type { Backup } from '../model/backup.ts';
import type { JsonObject } from '../model/json.ts';
import type { KubernetesManifest, KubernetesObject, ObjectReference } from '../model/kubernetes.ts';
import type { RestorePlan } from '../model/restore-plan.ts';
import type { DeleteOptions } from '../ports/cluster.ts';
import type { PlanRestoreOptions } from '../restore/plan-restore.ts';
import { archivedObject, storeBackup } from '../restore/stored-backup-fixture.ts';
import { MemoryObjectStore } from '../stores/memory-object-store.ts';
import { FakeCluster } from '../testing/fake-cluster/fake-cluster.ts';
import { createEngine } from './create-engine.ts';
import type { Engine } from './engine.ts';

const namespace = archivedObject('v1', 'Namespace', { name: 'shop', namespace: undefined });
const settings = archivedObject('v1', 'ConfigMap', { name: 'settings' }, { data: { a: 'b' } });
const web = archivedObject('v1', 'Service', { name: 'web' }, { spec: { ports: [{ port: 80 }] } });
const shop = [
  ['namespaces', namespace],
  ['configmaps', settings],
  ['services', web],
] as const;
const spec = { backupName: 'shop', includedNamespaces: ['shop'] };

/** A cluster in which somebody else is at work too. */
class SharedCluster extends FakeCluster {
  afterDelete: (name: string) => Promise<void> = async () => undefined;

  override async delete(reference: ObjectReference, options?: DeleteOptions): Promise<void> {
    await super.delete(reference, options);
    await this.afterDelete(reference.name);
  }
}

let cluster: SharedCluster;
let store: MemoryObjectStore;
let engine: Engine;
let restores = 0;

beforeEach(() => {
  cluster = new SharedCluster();
  store = new MemoryObjectStore();
  engine = createEngine({ cluster, store });
  cluster.seed([{ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop' } }]);
});

afterEach(async () => {
  await cluster.close();
  await store.close();
});

async function storeShop(
  objects: readonly (readonly [string, KubernetesObject])[] = shop,
  stored: { readonly spec?: Backup['spec']; readonly phase?: Backup['status']['phase'] } = {},
): Promise<void> {
  await storeBackup(store, { name: 'shop', objects, ...stored });
}

function live(
  kind: string,
  name: string,
  metadata: JsonObject = {},
  fields: JsonObject = {},
): KubernetesManifest {
  const apiVersion = kind === 'Deployment' || kind === 'ReplicaSet' ? 'apps/v1' : 'v1';
  return { apiVersion, kind, metadata: { name, namespace: 'shop', ...metadata }, ...fields };
}

async function uidOf(resource: string, name: string, group = ''): Promise<string> {
  const reference = { group, version: 'v1', resource, namespace: 'shop', name };
  return (await cluster.get(reference))?.metadata.uid ?? '';
}

async function planned(
  request: JsonObject = {},
  options: PlanRestoreOptions = {},
): Promise<RestorePlan> {
  restores += 1;
  return engine.planRestore(
    { name: `back-${restores}`, spec: { ...spec, ...request } },
    { existingObjects: 'rollback', ...options },
  );
}

/**
 * `<action> <resource> <namespace>/<name>` of what the backup does not have, in the order of the plan, but for what every namespace has.
 */
function extrasOf({ items }: RestorePlan): readonly string[] {
  return items
    .filter(({ isMissingInBackup = false }) => isMissingInBackup)
    .filter(({ target }) => target.name !== 'kube-root-ca.crt')
    .map(
      ({ action, target: { groupResource, namespace: place = '', name } }) =>
        `${action} ${groupResource} ${place}/${name}`,
    );
}

function deletes(): readonly string[] {
  return cluster.requests
    .filter(({ operation }) => operation === 'delete')
    .map(({ resource, name }) => `${resource} ${name ?? ''}`);
}

describe('a plan of a rollback', () => {
  it('deletes what the backup does not have, last and in the reverse order of the waves', async () => {
    await storeShop();
    cluster.seed([
      live('ConfigMap', 'settings', {}, { data: { a: 'changed' } }),
      live('ConfigMap', 'later'),
      live('Service', 'later', {}, { spec: { ports: [{ port: 80 }] } }),
    ]);
    cluster.seed([{ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'other' } }]);
    cluster.seed([live('ConfigMap', 'elsewhere', { namespace: 'other' })]);
    const plan = await planned();
    expect(deletes()).toEqual([]);
    expect(extrasOf(plan)).toEqual(['delete services shop/later', 'delete configmaps shop/later']);
    expect(plan.items.slice(0, 2).map(({ action }) => action)).toEqual(['update', 'create']);
    expect(plan.counts).toMatchObject({ create: 1, update: 1, delete: 2 });
    expect(plan.options).toEqual({ existingObjects: 'rollback' });
    expect(JSON.parse(JSON.stringify(plan))).toEqual(plan);
  });

  it('spares what is protected, and says why', async () => {
    await storeShop([
      ...shop,
      ['serviceaccounts', archivedObject('v1', 'ServiceAccount', { name: 'builder' })],
      ['secrets', archivedObject('v1', 'Secret', { name: 'key' })],
    ]);
    cluster.seed([
      live('ConfigMap', 'kube-root-ca.crt'),
      live('ConfigMap', 'going', { finalizers: ['example.com/wait'] }),
      live('ServiceAccount', 'default'),
      live('Secret', 'token', {}, { type: 'kubernetes.io/service-account-token' }),
      live('PersistentVolumeClaim', 'data', {}, { spec: {} }),
      live('Deployment', 'later'),
    ]);
    const uid = await uidOf('deployments', 'later', 'apps');
    const owner = { apiVersion: 'apps/v1', kind: 'Deployment', name: 'later', uid };
    cluster.seed([
      live('ConfigMap', 'owned', { ownerReferences: [{ ...owner, controller: true }] }),
    ]);
    await cluster.delete({
      ...{ group: '', version: 'v1', resource: 'configmaps', namespace: 'shop', name: 'going' },
    });
    const plan = await planned();
    expect([...extrasOf(plan)].sort()).toEqual([
      'skip configmaps shop/going',
      'skip configmaps shop/owned',
      'skip persistentvolumeclaims shop/data',
      'skip secrets shop/token',
      'skip serviceaccounts shop/default',
    ]);
    expect(plan.items.find(({ target }) => target.name === 'owned')?.reason).toContain(
      'it belongs to Deployment later',
    );
    expect(plan.items.find(({ target }) => target.name === 'kube-root-ca.crt')).toMatchObject({
      action: 'skip',
    });
  });

  it('spares owners of claims, and of what the backup has, at any distance', async () => {
    await storeShop([
      ...shop,
      ['deployments', archivedObject('apps/v1', 'Deployment', { name: 'web' })],
      ['replicasets', archivedObject('apps/v1', 'ReplicaSet', { name: 'web-1' })],
    ]);
    cluster.seed([
      live('Deployment', 'later'),
      live('ConfigMap', 'keeper'),
      live('ConfigMap', 'x'),
    ]);
    const owner = async (kind: string, resource: string, name: string): Promise<JsonObject> => ({
      apiVersion: kind === 'ConfigMap' ? 'v1' : 'apps/v1',
      kind,
      name,
      uid: await uidOf(resource, name, kind === 'ConfigMap' ? '' : 'apps'),
    });
    cluster.seed([
      live('ReplicaSet', 'later-1', {
        ownerReferences: [
          { ...(await owner('Deployment', 'deployments', 'later')), controller: true },
        ],
      }),
    ]);
    cluster.seed([
      live('ConfigMap', 'settings', {
        ownerReferences: [await owner('ReplicaSet', 'replicasets', 'later-1')],
      }),
      live(
        'PersistentVolumeClaim',
        'data',
        { ownerReferences: [await owner('ConfigMap', 'configmaps', 'keeper')] },
        { spec: {} },
      ),
    ]);
    const plan = await planned({ excludedResources: ['persistentvolumeclaims'] });
    expect([...extrasOf(plan)].sort()).toEqual([
      'delete configmaps shop/x',
      'skip configmaps shop/keeper',
      'skip deployments.apps shop/later',
      'skip replicasets.apps shop/later-1',
    ]);
  });

  it.each([
    [{ excludedNamespaceScopedResources: ['services'] }],
    [{ includedNamespaceScopedResources: ['configmaps'] }],
    [{ includedResources: ['configmaps'] }],
    [{ excludedResources: ['services'] }],
    [{ labelSelector: { matchLabels: { app: 'web' } } }],
    [{ includedNamespaces: ['other'] }],
  ])('deletes nothing that a backup with %j would not have taken', async (backupSpec) => {
    await storeShop([...shop], { spec: backupSpec });
    cluster.seed([live('Service', 'later', {}, { spec: { ports: [{ port: 80 }] } })]);
    expect(extrasOf(await planned())).toEqual([]);
  });

  it('counts an object as held in whichever API group the backup has it', async () => {
    const ingress = archivedObject('extensions/v1beta1', 'Ingress', { name: 'web' });
    await storeShop([...shop, ['ingresses', ingress]]);
    const apiVersion = 'networking.k8s.io/v1';
    cluster.seed(
      ['web', 'later'].map((name) => ({ ...live('Ingress', name, {}, { spec: {} }), apiVersion })),
    );
    const plan = await planned({
      includedResources: ['configmaps', 'ingresses.networking.k8s.io'],
    });
    expect(extrasOf(plan)).toEqual(['delete ingresses.networking.k8s.io shop/later']);
  });

  it('deletes nothing that the restore or the backup would not have taken', async () => {
    const labelled = archivedObject('v1', 'ConfigMap', { name: 'a', labels: { app: 'web' } });
    const other = archivedObject('v1', 'ConfigMap', { name: 'other', labels: { app: 'db' } });
    await storeShop([...shop, ['configmaps', labelled], ['configmaps', other]], {
      spec: { excludedNamespaceScopedResources: ['services'] },
    });
    const app = { labels: { app: 'web' } };
    cluster.seed([
      live('ConfigMap', 'later', app),
      live('ConfigMap', 'without'),
      live('ConfigMap', 'other', app),
      live('ConfigMap', 'left-out', {
        labels: { app: 'web', 'velero.io/exclude-from-backup': 'true' },
      }),
      live('ConfigMap', 'unwanted', app),
      live('Service', 'later', app, { spec: { ports: [{ port: 80 }] } }),
    ]);
    const plan = await planned(
      {
        labelSelector: { matchLabels: { app: 'web' } },
        includedResources: ['configmaps', 'services'],
      },
      { include: ({ name }) => name !== 'unwanted' },
    );
    expect(extrasOf(plan)).toEqual(['delete configmaps shop/later']);
  });

  it('looks through resources of which the backup holds nothing only if they are named', async () => {
    await storeShop();
    cluster.seed([live('Secret', 'later')]);
    expect(extrasOf(await planned())).toEqual([]);
    expect(extrasOf(await planned({ includedResources: ['configmaps', 'secret'] }))).toEqual([
      'delete secrets shop/later',
    ]);
  });

  it('follows the mapping of namespaces, and spares what is restored under another name', async () => {
    await storeShop();
    cluster.seed([{ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'copy' } }]);
    cluster.seed([
      live('ConfigMap', 'later'),
      live('ConfigMap', 'later', { namespace: 'copy' }),
      live('ConfigMap', 'renamed', { namespace: 'copy' }),
    ]);
    const plan = await planned(
      { namespaceMapping: { shop: 'copy' } },
      {
        transforms: [
          (object) =>
            object.kind === 'ConfigMap'
              ? { ...object, metadata: { ...object.metadata, name: 'renamed' } }
              : object,
        ],
      },
    );
    expect(extrasOf(plan)).toEqual(['delete configmaps copy/later']);
  });

  it('touches no namespace that the backup does not know', async () => {
    await storeShop();
    cluster.seed([{ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'young' } }]);
    cluster.seed([live('ConfigMap', 'later', { namespace: 'young' })]);
    expect(extrasOf(await planned({ includedNamespaces: ['shop', 'young'] }))).toEqual([]);
  });

  it.each([
    [{ includedNamespaces: [] }],
    [{ includedNamespaces: ['*'] }],
    [{ includedNamespaces: ['sh*p'] }],
    [{ includedNamespaces: ['kube-system'] }],
    [{ namespaceMapping: { shop: 'kube-public' } }],
  ])('is refused for %j', async (request) => {
    await storeShop();
    await expect(planned(request)).rejects.toThrow(/includedNamespaces/);
  });

  it('is refused for a backup of which it is not known what it lacks', async () => {
    await storeShop(shop, { phase: 'PartiallyFailed' });
    await expect(planned()).rejects.toMatchObject({ code: 'Unsupported' });
    await storeShop(shop, { spec: { resourcePolicy: { kind: 'configmap', name: 'policy' } } });
    await expect(planned()).rejects.toMatchObject({ code: 'Unsupported' });
  });
});

describe('a rollback to a backup that more than its spec has filtered', () => {
  const isPublic = ({ name }: { readonly name: string }): boolean => name !== 'private';

  async function backUp(options: BackupOptions): Promise<void> {
    cluster.seed([live('ConfigMap', 'settings'), live('ConfigMap', 'private')]);
    const { issues } = await engine.backup(
      { name: 'shop', spec: { includedNamespaces: ['shop'] } },
      options,
    );
    expect(issues).toEqual([]);
    cluster.seed([live('ConfigMap', 'later')]);
  }

  it('is refused without the predicate, planned or carried out', async () => {
    await backUp({ include: isPublic });
    for (const attempt of [planned(), planned({}, { include: undefined })]) {
      await expect(attempt).rejects.toThrow(ValidationError);
      await expect(attempt).rejects.toThrow(/options\.include must answer .* backup shop/);
    }
    const plan = await planned({}, { include: isPublic });
    expect(extrasOf(plan)).toEqual(['delete configmaps shop/later']);
    await expect(engine.restore(plan)).rejects.toThrow(/options\.include/);
    expect(deletes()).toEqual([]);
    const { issues } = await engine.restore(plan, { include: isPublic });
    expect(issues).toEqual([]);
    expect(deletes()).toEqual(['configmaps later']);
    expect(await uidOf('configmaps', 'private')).not.toBe('');
  });

  it('is refused where filters of a policy had a say, and not where it was about volumes alone', async () => {
    await backUp({
      resourcePolicy: {
        version: 'v1',
        includeExcludePolicy: { excludedNamespaceScopedResources: ['secrets'] },
      },
    });
    await expect(planned()).rejects.toMatchObject({ code: 'Unsupported' });
    await engine.deleteBackup('shop');
    await backUp({
      resourcePolicy: {
        version: 'v1',
        volumePolicies: [{ conditions: { capacity: '0,1Ti' }, action: { type: 'skip' } }],
      },
    });
    cluster.seed([live('ConfigMap', 'latest')]);
    expect(extrasOf(await planned())).toEqual(['delete configmaps shop/latest']);
  });

  it('needs no predicate where there was none', async () => {
    await backUp({});
    expect(extrasOf(await planned())).toEqual(['delete configmaps shop/later']);
  });
});

describe('a rollback', () => {
  it('is refused without a plan', async () => {
    await storeShop();
    const error: unknown = await engine
      .restore({ spec }, { existingObjects: 'rollback' })
      .catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(ValidationError);
    expect(String(error)).toContain('planRestore');
  });

  it('makes what is there as in the backup, then deletes the rest, and tells of each object', async () => {
    await storeShop();
    cluster.seed([
      live('ConfigMap', 'settings', {}, { data: { a: 'changed' } }),
      live('ConfigMap', 'later'),
    ]);
    const plan = await planned();
    const seen: string[] = [];
    const { items, issues, restore } = await engine.restore(plan, {
      onEvent: (event) => {
        if (event.type === 'phase') {
          seen.push(event.phase);
        } else if (event.type === 'item') {
          seen.push(`${event.action} ${event.object.name}`);
        }
      },
    });
    expect(issues).toEqual([]);
    expect(restore.status.phase).toBe('Completed');
    expect(seen.slice(-3)).toEqual(['Deleting', 'deleted later', 'Finalizing']);
    expect(items.at(-1)).toMatchObject({ action: 'deleted', object: { name: 'later' } });
    expect(deletes()).toEqual(['configmaps later']);
    expect(await uidOf('configmaps', 'later')).toBe('');
    const again = await planned();
    expect(extrasOf(again)).toEqual([]);
    expect(again.counts).toMatchObject({ create: 0, update: 0, delete: 0 });
  });

  it('is refused when something has come that the plan does not know, but for what it would spare', async () => {
    await storeShop();
    const plan = await planned();
    cluster.seed([
      live('PersistentVolumeClaim', 'spared', {}, { spec: {} }),
      live('ConfigMap', 'after'),
    ]);
    const error: unknown = await engine.restore(plan).catch((reason: unknown) => reason);
    expect(isLifeboatError(error, 'TargetChanged')).toBe(true);
    expect(String(error)).toContain('configmaps shop/after would be delete');
    expect(String(error)).not.toContain('spared');
    expect(deletes()).toEqual([]);
  });

  it('leaves alone what changes while it runs', async () => {
    await storeShop();
    const names = ['gone', 'kept', 'labelled', 'new'];
    cluster.seed(names.map((name) => live('ConfigMap', name)));
    cluster.seed([live('Service', 'later', {}, { spec: { ports: [{ port: 80 }] } })]);
    const plan = await planned();
    const configMap = (name: string): ObjectReference => ({
      ...{ group: '', version: 'v1', resource: 'configmaps', namespace: 'shop', name },
    });
    cluster.afterDelete = async (deleted) => {
      if (deleted === 'later') {
        await cluster.delete(configMap('gone'));
        await cluster.delete(configMap('new'));
        cluster.seed([
          live('ConfigMap', 'new'),
          live('ConfigMap', 'labelled', { labels: { 'velero.io/exclude-from-backup': 'true' } }),
        ]);
      }
    };
    const { issues, items } = await engine.restore(plan);
    const outcomes = new Map(items.map(({ object, action }) => [object.name, action]));
    expect(Object.fromEntries(names.map((name) => [name, outcomes.get(name)]))).toEqual({
      ...{ gone: 'skipped', kept: 'deleted', labelled: 'skipped', new: 'skipped' },
    });
    expect(issues.map(({ reason, object }) => `${reason} ${object?.name ?? ''}`).sort()).toEqual([
      'TargetChanged labelled',
      'TargetChanged new',
    ]);
    expect(await uidOf('configmaps', 'new')).not.toBe('');
  });

  it('reads an object again that was written in between, and deletes that very version', async () => {
    await storeShop();
    cluster.seed([live('ConfigMap', 'later')]);
    const plan = await planned();
    cluster.faults.inject({
      ...{ operation: 'delete', resource: 'configmaps', error: 'Conflict', times: 2 },
    });
    const { issues } = await engine.restore(plan);
    expect(issues).toEqual([]);
    expect(await uidOf('configmaps', 'later')).toBe('');
  });

  it('makes what cannot be deleted an error of that object', async () => {
    await storeShop();
    cluster.seed([live('ConfigMap', 'later'), live('ConfigMap', 'more')]);
    const plan = await planned();
    cluster.faults.inject({
      ...{ operation: 'delete', resource: 'configmaps', error: 'Forbidden', times: 1 },
    });
    const { issues, restore } = await engine.restore(plan);
    expect(issues).toEqual([expect.objectContaining({ severity: 'error', reason: 'Forbidden' })]);
    expect(restore.status.phase).toBe('PartiallyFailed');
    expect(deletes()).toHaveLength(2);
  });

  it('stops between two objects when it is aborted; another one does the rest', async () => {
    await storeShop();
    cluster.seed(['a', 'b', 'c'].map((name) => live('ConfigMap', name)));
    const plan = await planned();
    const controller = new AbortController();
    const careful = createEngine({ cluster, store, concurrency: { restoredObjects: 1 } });
    await expect(
      careful.restore(plan, {
        signal: controller.signal,
        onEvent: (event) => {
          if (event.type === 'item' && event.action === 'deleted') {
            controller.abort(new Error('enough'));
          }
        },
      }),
    ).rejects.toThrow('enough');
    expect(deletes()).toEqual(['configmaps a']);
    const rest = await planned();
    expect(extrasOf(rest)).toEqual(['delete configmaps shop/b', 'delete configmaps shop/c']);
    const { issues } = await engine.restore(rest);
    expect(issues).toEqual([]);
    expect(extrasOf(await planned())).toEqual([]);
  });
});
