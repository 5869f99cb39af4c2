import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readBackup } from '../catalog/backup-files.ts';
import { backupKey } from '../catalog/key-layout.ts';
import { isLifeboatError } from '../errors.ts';
import { silentLogger } from '../internal/silent-logger.ts';
import { systemClock } from '../internal/system-clock.ts';
import type { KubernetesManifest, KubernetesObject } from '../model/kubernetes.ts';
import { Resources } from '../model/resources.ts';
import { MemoryObjectStore } from '../stores/memory-object-store.ts';
import { FakeCluster } from '../testing/fake-cluster/fake-cluster.ts';
import type { RestoreOptions, RestoreResult } from './request.ts';
import { runRestore } from './run-restore.ts';
import { archivedObject } from './stored-backup-fixture.ts';
import { storeVersionedBackup, type VersionedEntry } from './versioned-archive-fixture.ts';

const group = 'example.com';
const widgets = `widgets.${group}`;

let cluster: FakeCluster;
let store: MemoryObjectStore;

beforeEach(() => {
  cluster = new FakeCluster();
  store = new MemoryObjectStore();
});

afterEach(async () => {
  await cluster.close();
  await store.close();
});

function definition(versions: readonly string[]): KubernetesManifest {
  const schema = {
    openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
  };
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: widgets },
    spec: {
      group,
      scope: 'Namespaced',
      names: { plural: 'widgets', singular: 'widget', kind: 'Widget', listKind: 'WidgetList' },
      versions: versions.map((name, index) => ({
        ...{ name, schema, served: true, storage: index === 0 },
      })),
    },
  };
}

/** A widget in a version; its spec says in which, and its folder is the version, but of the preferred one. */
function widget(version: string, folder = `${widgets}/${version}`): VersionedEntry {
  const spec = { writtenAs: version };
  return [folder, archivedObject(`${group}/${version}`, 'Widget', { name: 'w' }, { spec })];
}

/** A widget in several versions, the preferred one first. */
function widgetIn(preferred: string, ...others: readonly string[]): readonly VersionedEntry[] {
  return [
    ...others.map((version) => widget(version)),
    widget(preferred, `${widgets}/${preferred}-preferredversion`),
    widget(preferred, widgets),
  ];
}

async function serve(versions: readonly string[]): Promise<void> {
  await cluster.create(Resources.customResourceDefinitions, definition(versions));
  await cluster.settle();
}

function restore(options: RestoreOptions = {}): Promise<RestoreResult> {
  return runRestore(
    { cluster, store, clock: systemClock, logger: silentLogger, actions: [], concurrency: 4 },
    { spec: { backupName: 'b' } },
    options,
  );
}

async function restored(version: string): Promise<KubernetesObject | undefined> {
  return cluster.get({ group, version, resource: 'widgets', namespace: 'shop', name: 'w' });
}

describe('a backup of several versions', () => {
  it.each<[string, readonly string[], readonly string[], string]>([
    ['that the target prefers', ['v1', 'v2'], ['v2', 'v1'], 'v2'],
    ['that the backup prefers', ['v1', 'v1beta1'], ['v1', 'v1alpha1'], 'v1'],
    ['that both have', ['v2', 'v1beta1', 'v1'], ['v1', 'v1beta1'], 'v1'],
  ])('is restored in the version %s', async (_, archived, served, chosen) => {
    await serve(served);
    const [preferred = '', ...others] = archived;
    await storeVersionedBackup(store, 'b', widgetIn(preferred, ...others));
    const { issues } = await restore();
    expect(issues).toEqual([]);
    expect(await restored(chosen)).toMatchObject({ spec: { writtenAs: chosen } });
  });

  it('is restored in the version that is asked for', async () => {
    await serve(['v2', 'v1']);
    await storeVersionedBackup(store, 'b', widgetIn('v2', 'v1'));
    await restore({ apiVersionPriorities: { widgets: ['v3', 'v1'] } });
    expect(await restored('v1')).toMatchObject({ spec: { writtenAs: 'v1' } });
  });

  it('is restored in a version of the definition that comes with it', async () => {
    const archived = definition(['v2']);
    await storeVersionedBackup(store, 'b', [
      ...widgetIn('v1', 'v2'),
      [
        'customresourcedefinitions.apiextensions.k8s.io',
        archivedObject(
          archived.apiVersion,
          archived.kind,
          {
            ...{ name: widgets, namespace: undefined },
          },
          { spec: archived['spec'] ?? {} },
        ),
      ],
    ]);
    const { issues } = await restore();
    expect(issues).toEqual([]);
    expect(await restored('v2')).toMatchObject({ spec: { writtenAs: 'v2' } });
  });

  it('is a warning when the target serves none of them', async () => {
    await serve(['v3']);
    await storeVersionedBackup(store, 'b', widgetIn('v1', 'v2'));
    const { issues } = await restore();
    expect(issues).toMatchObject([{ severity: 'warning', reason: 'ResourceNotServed' }]);
  });

  it('is restored again without a difference', async () => {
    await serve(['v2', 'v1']);
    await storeVersionedBackup(store, 'b', widgetIn('v1', 'v2'));
    await restore();
    const { issues } = await restore();
    expect(issues).toEqual([]);
  });

  it('loses a copy that is not of the version its path says, with an error', async () => {
    await serve(['v2', 'v1']);
    const [, hostile] = widget('v1');
    await storeVersionedBackup(store, 'b', [[`${widgets}/v2`, hostile], ...widgetIn('v1')]);
    const { issues } = await restore();
    expect(issues).toMatchObject([
      {
        severity: 'error',
        reason: 'CorruptObject',
        message: expect.stringContaining('its copy of version v2') as string,
      },
    ]);
    expect(await restored('v1')).toMatchObject({ spec: { writtenAs: 'v1' } });
  });

  it('that holds a copy twice is refused', async () => {
    await serve(['v2', 'v1']);
    await storeVersionedBackup(store, 'b', [widget('v2'), ...widgetIn('v1', 'v2')]);
    const error: unknown = await restore().catch((cause: unknown) => cause);
    expect(isLifeboatError(error, 'CorruptBackup')).toBe(true);
  });
});

it('refuses priorities that are no lists', async () => {
  await storeVersionedBackup(store, 'b', []);
  const apiVersionPriorities = { widgets: 'v1' } as unknown as Record<string, readonly string[]>;
  const error: unknown = await restore({ apiVersionPriorities }).catch((cause: unknown) => cause);
  expect(isLifeboatError(error, 'Validation')).toBe(true);
});

it('refuses a backup whose format is of a later major version, and takes that of the first releases', async () => {
  const formatVersion = async (version: string): Promise<void> => {
    await storeVersionedBackup(store, 'b', []);
    const backup = await readBackup(store, 'b');
    const status = { ...backup?.status, formatVersion: version };
    await store.put(backupKey('b', 'backup'), Buffer.from(JSON.stringify({ ...backup, status })));
  };
  await formatVersion('2.0.0');
  const error: unknown = await restore().catch((cause: unknown) => cause);
  expect(isLifeboatError(error, 'Unsupported')).toBe(true);
  await formatVersion('1');
  expect((await restore()).restore.status.phase).toBe('Completed');
});
