import { setImmediate as turn } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { RestoreEvent } from '../model/event.ts';
import { describeObject, type KubernetesManifest } from '../model/kubernetes.ts';
import { Resources } from '../model/resources.ts';
import type { RestoreItemAction } from '../ports/item-action.ts';
import { ManualClock } from '../testing/manual-clock.ts';
import { RestoreScene, untilDone } from './restore-scene-fixture.ts';
import { archivedObject, type StoredBackup } from './stored-backup-fixture.ts';

const { configMaps } = Resources;
const finalizers = ['example.com/held'];
const spec = { backupName: 'shop' };

let scene: RestoreScene<ManualClock>;

beforeEach(() => {
  scene = RestoreScene.open(new ManualClock());
});

afterEach(async () => {
  await scene[Symbol.asyncDispose]();
});

/** Listens to a restore: what it has done so far, and a way to wait until it has done something. */
function listener(): {
  readonly onEvent: (event: RestoreEvent) => void;
  readonly seen: readonly string[];
  readonly until: (name: string) => Promise<void>;
} {
  const seen: string[] = [];
  const awaited = new Map<string, () => void>();
  const onEvent = (event: RestoreEvent): void => {
    if (event.type === 'item') {
      const name = `${describeObject(event.object)} ${event.action}`;
      seen.push(name);
      awaited.get(name)?.();
    }
  };
  const until = (name: string): Promise<void> =>
    new Promise((resolve) => {
      if (seen.includes(name)) {
        resolve();
      }
      awaited.set(name, resolve);
    });
  return { onEvent, seen, until };
}

function configMap(namespace: string, name: string, more = {}): KubernetesManifest {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { namespace, name, ...more } };
}

async function letGo(name: string): Promise<void> {
  const patch = { metadata: { finalizers: null } };
  const reference = { ...configMaps, namespace: 'shop', name };
  await scene.cluster.patch(reference, { type: 'merge', patch });
}

describe('an object that is created again', () => {
  // In the order in which they are begun.
  const [held, free] = ['a-held', 'b-free'];

  beforeEach(async () => {
    const archived = (name: string): StoredBackup['objects'][number] => [
      'configmaps',
      archivedObject('v1', 'ConfigMap', { name }, { data: { a: 'backup' } }),
    ];
    await scene.storeBackup('shop', [archived(held), archived(free)]);
    scene.cluster.seed([
      { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop' } },
      configMap('shop', held, { finalizers }),
      configMap('shop', free),
    ]);
  });

  it('waits for the one in its place without holding back others', async () => {
    const { onEvent, until } = listener();
    const options = { existingObjects: 'recreate', concurrency: 1, onEvent } as const;
    const restored = scene.restore({ spec }, options);
    await until(`configmaps shop/${free} recreated`);
    await letGo(held);
    expect((await restored).issues).toEqual([]);
    expect(await scene.cluster.get({ ...configMaps, namespace: 'shop', name: held })).toMatchObject(
      { data: { a: 'backup' } },
    );
  });

  it('waits without holding back other resources of its wave', async () => {
    // As many as have their objects listed at a time, and one more.
    const kinds = [
      ['ingresses', 'networking.k8s.io/v1', 'Ingress'],
      ['leases', 'coordination.k8s.io/v1', 'Lease'],
      ['networkpolicies', 'networking.k8s.io/v1', 'NetworkPolicy'],
      ['podtemplates', 'v1', 'PodTemplate'],
      ['resourcequotas', 'v1', 'ResourceQuota'],
    ] as const;
    const object = { name: 'x', labels: { a: 'backup' } };
    await scene.storeBackup(
      'kinds',
      kinds.map(([resource, apiVersion, kind]) => [
        resource,
        archivedObject(apiVersion, kind, object),
      ]),
    );
    scene.cluster.seed(
      kinds.map(([resource, apiVersion, kind]) => {
        const held = resource === 'resourcequotas' ? {} : { finalizers };
        return { apiVersion, kind, metadata: { namespace: 'shop', name: 'x', ...held } };
      }),
    );
    const { onEvent, until } = listener();
    const options = { existingObjects: 'recreate', onEvent } as const;
    const restored = scene.restore({ spec: { backupName: 'kinds' } }, options);
    await until('resourcequotas shop/x recreated');
    const { issues } = await untilDone(scene.clock, restored);
    expect(issues.map(({ reason }) => reason)).toEqual(Array(4).fill('Timeout'));
  });

  it('fails alone when that one does not go in time', async () => {
    const { onEvent, until } = listener();
    const options = { existingObjects: 'recreate', concurrency: 1, onEvent } as const;
    const restored = scene.restore({ spec }, { ...options, recreateTimeoutMs: 1_000 });
    await until(`configmaps shop/${free} recreated`);
    await scene.clock.advance(1_000);
    expect((await restored).issues).toMatchObject([{ reason: 'Timeout', object: { name: held } }]);
  });
});

describe('a namespace that is being deleted', () => {
  const webhooks = 'validatingwebhookconfigurations.admissionregistration.k8s.io';
  const lastOfOther = 'services other/web created';

  function archivedIn(namespace: string): StoredBackup['objects'] {
    const ports = [{ port: 80 }];
    return [
      ['configmaps', archivedObject('v1', 'ConfigMap', { name: 'settings', namespace })],
      [
        'services',
        archivedObject('v1', 'Service', { name: 'web', namespace }, { spec: { ports } }),
      ],
    ];
  }

  beforeEach(async () => {
    const webhook = { name: 'ask', namespace: undefined };
    await scene.storeBackup('shop', [
      ...archivedIn('other'),
      ['configmaps', archivedObject('v1', 'ConfigMap', { name: 'unasked', namespace: 'other' })],
      ...archivedIn('shop'),
      [
        'validatingwebhookconfigurations',
        archivedObject(
          'admissionregistration.k8s.io/v1',
          'ValidatingWebhookConfiguration',
          webhook,
        ),
      ],
    ]);
    const spec = { finalizers: ['kubernetes'] };
    scene.cluster.seed([
      { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop' }, spec },
      configMap('shop', 'held', { finalizers }),
    ]);
    await scene.cluster.delete({ ...Resources.namespaces, name: 'shop' });
  });

  it('holds back its own objects, in their order, and what comes last', async () => {
    const { onEvent, until, seen } = listener();
    const restored = scene.restore({ spec }, { concurrency: 1, onEvent });
    await until(lastOfOther);
    await letGo('held');
    expect((await restored).issues).toEqual([]);
    expect(seen.filter((each) => each.endsWith('created'))).toEqual([
      'namespaces other created',
      'configmaps other/settings created',
      'configmaps other/unasked created',
      lastOfOther,
      'namespaces shop created',
      'configmaps shop/settings created',
      'services shop/web created',
      `${webhooks} ask created`,
    ]);
  });

  it('holds back only the object that asks for one of its objects', async () => {
    const { onEvent, until } = listener();
    const asking: RestoreItemAction = {
      name: 'example.com/ask',
      appliesTo: { resources: ['configmaps'] },
      execute: async ({ item }) =>
        item.metadata.name === 'settings'
          ? { additionalItems: [{ groupResource: 'services', namespace: 'shop', name: 'web' }] }
          : {},
    };
    const restored = scene.restore({ spec }, { concurrency: 1, actions: [asking], onEvent });
    await until('configmaps other/unasked created');
    await letGo('held');
    const { issues, items } = await restored;
    expect(issues).toEqual([]);
    expect(items.filter(({ object }) => object.groupResource === 'services')).toHaveLength(2);
  });

  it('holds back only its own objects in a wave before that of the namespaces, too', async () => {
    const { onEvent, until } = listener();
    // So that it comes first.
    const mapped = { ...spec, namespaceMapping: { other: 'z-other' } };
    const options = { resourcePriorities: ['configmaps', 'namespaces'], concurrency: 1, onEvent };
    const restored = scene.restore({ spec: mapped }, options);
    await until('configmaps z-other/settings created');
    await letGo('held');
    expect((await restored).issues).toEqual([]);
  });

  it('has its objects follow no sooner than what they need', async () => {
    const { cluster } = scene;
    const claimSpec = {
      ...{ accessModes: ['ReadWriteOnce'], storageClassName: 'slow' },
      resources: { requests: { storage: '1Mi' } },
    };
    await scene.storeBackup('claims', [
      [
        'persistentvolumeclaims',
        archivedObject('v1', 'PersistentVolumeClaim', { name: 'data' }, { spec: claimSpec }),
      ],
      [
        'storageclasses',
        archivedObject(
          'storage.k8s.io/v1',
          'StorageClass',
          { name: 'slow', namespace: undefined },
          { provisioner: cluster.csi.name },
        ),
      ],
    ]);
    const { onEvent, seen, until } = listener();
    const slow: RestoreItemAction = {
      name: 'example.com/slow',
      appliesTo: { resources: ['storageclasses.storage.k8s.io'] },
      execute: async () => {
        await letGo('held');
        await until('namespaces shop created');
        // Time for the claim to be made in, were it not held back.
        for (let turns = 0; turns < 100; turns += 1) {
          await turn();
        }
        return {};
      },
    };
    const restored = scene.restore(
      { spec: { backupName: 'claims', includeClusterResources: true } },
      { actions: [slow], onEvent },
    );
    expect((await restored).issues).toEqual([]);
    expect(seen.filter((each) => !each.startsWith('namespaces '))).toEqual([
      'storageclasses.storage.k8s.io slow created',
      'persistentvolumeclaims shop/data created',
    ]);
  });

  it('fails alone when it does not go in time', async () => {
    const { onEvent, until, seen } = listener();
    const restored = scene.restore({ spec }, { namespaceTimeoutMs: 1_000, onEvent });
    await until(lastOfOther);
    await scene.clock.advance(1_000);
    const { issues } = await restored;
    expect(issues).toMatchObject([{ reason: 'NamespaceTerminating', object: { name: 'shop' } }]);
    expect(seen).toContain(`${webhooks} ask created`);
    expect(seen).toContain('services shop/web failed');
  });

  it('is not waited for any longer after an abort', async () => {
    const { onEvent, until } = listener();
    const abort = new AbortController();
    const restored = scene.restore({ spec }, { signal: abort.signal, onEvent });
    await until(lastOfOther);
    abort.abort(new Error('enough'));
    await expect(restored).rejects.toThrow('enough');
  });
});
