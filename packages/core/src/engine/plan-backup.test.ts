import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import type { PlanBackupOptions } from '../backup/plan-options.ts';
import { ValidationError } from '../errors.ts';
import type { BackupSpec } from '../model/backup.ts';
import type { PlanEvent } from '../model/event.ts';
import { Resources } from '../model/resources.ts';
import type { BackupItemAction } from '../ports/item-action.ts';
import { MemoryObjectStore } from '../stores/memory-object-store.ts';
import { createEngine } from './create-engine.ts';
import { type Outcome, PlanLab } from './plan-lab-fixture.ts';

const driver = 'csi.fake.lifeboat.dev';
const shop: BackupSpec = { includedNamespaces: ['shop'] };

describe('the plan of a backup', () => {
  it.each<[string, BackupSpec, PlanBackupOptions]>([
    ['one namespace', shop, {}],
    ['everything', {}, {}],
    ['a pattern and a namespace that is missing', { includedNamespaces: ['s*', 'gone'] }, {}],
    ['only what is missing', { includedNamespaces: ['gone'] }, {}],
    ['labels', { labelSelector: { matchLabels: { app: 'db' } } }, {}],
    [
      'alternatives of labels in one namespace',
      {
        ...shop,
        orLabelSelectors: [{ matchLabels: { app: 'web' } }, { matchLabels: { app: 'db' } }],
      },
      {},
    ],
    ['lists for both scopes', { ...shop, includedResources: ['po', 'gizmos'] }, {}],
    [
      'lists for one scope',
      { includedClusterScopedResources: ['*'], excludedNamespaceScopedResources: ['pods'] },
      {},
    ],
    ['no snapshots', { ...shop, snapshotVolumes: false }, {}],
    ['groups one by one', shop, { groupSnapshots: 'never' }],
    ['a predicate', shop, { include: ({ name }) => name !== 'data' && name !== 'b' }],
    ['a predicate that throws', shop, { include: ({ name }) => name.length > 1 || fail() }],
    ['a class that is missing', shop, { volumeSnapshotClasses: { [driver]: 'gone' } }],
    [
      'a volume policy',
      shop,
      {
        resourcePolicy: {
          version: 'v1',
          volumePolicies: [
            {
              conditions: { pvcLabels: { 'velero.io/volume-group': 'db' } },
              action: { type: 'skip' },
            },
            { conditions: { csi: {} }, action: { type: 'custom' } },
          ],
        },
      },
    ],
  ])(
    'foretells what is stored, snapshotted, run and reported: %s',
    async (_what, spec, options) => {
      await using lab = await PlanLab.open();
      const foreseen = await lab.foresee(spec, options);
      expect(lab.attempts).toEqual([]);
      const made = await lab.backUp(spec, options);
      expect(foreseen.objects).toEqual([...new Set(foreseen.objects)]);
      if (made.phase === 'Failed') {
        expect(foreseen).toMatchObject({ phase: 'Failed', objects: [] });
      } else {
        expect(foreseen).toEqual(made);
      }
    },
  );
});

const patterns = fc.uniqueArray(fc.constantFrom('shop', 's*', 'empty', 'gone'), { maxLength: 2 });
const resourceNames = fc.uniqueArray(
  fc.constantFrom('pods', 'pvc', 'cm', '*s', 'clusterrolebindings', 'pv', 'gizmos'),
  { maxLength: 2 },
);
const selectors = fc.constantFrom({ app: 'web' }, { app: 'db' }, { app: 'none' });
const specs: fc.Arbitrary<BackupSpec> = fc
  .tuple(
    fc.record({ includedNamespaces: patterns, snapshotVolumes: fc.constant(false) }),
    fc.oneof(
      fc.record({ includedResources: resourceNames, excludedResources: resourceNames }),
      fc.record({ includedClusterScopedResources: resourceNames }),
      fc.record({ excludedNamespaceScopedResources: resourceNames }),
    ),
    fc.option(selectors.map((matchLabels) => ({ labelSelector: { matchLabels } }))),
  )
  .map(([basis, filters, labels]) => ({ ...basis, ...filters, ...labels }));

it('foretells every backup', async () => {
  await using lab = await PlanLab.open();
  await fc.assert(
    fc.asyncProperty(specs, async (spec) => {
      const foreseen = await lab.foresee(spec).catch(String);
      const made = await lab.backUp(spec);
      const isRefused = typeof foreseen === 'string' || made.phase === 'Failed';
      expect(isRefused ? phaseOf(foreseen) : foreseen).toEqual(isRefused ? 'Failed' : made);
    }),
    { numRuns: 60 },
  );
  expect(lab.attempts).toEqual([]);
}, 60_000);

function phaseOf(foreseen: string | Outcome): string {
  return typeof foreseen === 'string' ? 'Failed' : foreseen.phase;
}

function fail(): never {
  throw new Error('no idea');
}

describe('a plan', () => {
  it('says of each object why it goes in', async () => {
    await using lab = await PlanLab.open();
    const { items, counts } = await lab.plan({ includedNamespaces: ['sh*p'] });
    const reasonOf = (groupResource: string, name: string): unknown =>
      items.find((item) => item.groupResource === groupResource && item.name === name)?.reason;
    const resources = 'every namespaced resource';
    expect(reasonOf('configmaps', 'settings')).toEqual({
      ...{ type: 'selected', namespaces: 'sh*p', resources },
    });
    const pod = { groupResource: 'pods', namespace: 'shop', name: 'web' };
    const pull = { type: 'pulledAlong', parent: pod, action: 'velero.io/pod' };
    expect(reasonOf('persistentvolumeclaims', 'data')).toEqual(pull);
    expect(reasonOf('namespaces', 'shop')).toMatchObject({ type: 'selected' });
    const volumes = items.filter(({ groupResource }) => groupResource === 'persistentvolumes');
    expect(volumes[0]?.reason).toMatchObject({ type: 'pulledAlong', action: 'velero.io/pv' });
    expect(reasonOf('volumesnapshotclasses.snapshot.storage.k8s.io', 'fake-csi')).toEqual({
      type: 'snapshotClass',
    });
    expect(counts).toMatchObject({ configmaps: 3, namespaces: 1, persistentvolumes: 3, pods: 3 });
    expect(Object.values(counts).reduce((sum, count) => sum + count)).toBe(items.length);

    const labelled = await lab.plan({ labelSelector: { matchLabels: { app: 'db' } } });
    const ofClaim = labelled.items.find(({ namespace }) => namespace === 'shop-eu');
    expect(ofClaim?.reason).toMatchObject({ type: 'selected', labels: 'app=db' });
    expect(labelled.items).toContainEqual({
      ...{ apiVersion: 'v1', kind: 'Namespace', groupResource: 'namespaces', name: 'shop-eu' },
      reason: { type: 'namespaceOfItems' },
    });
  });

  it('says of each volume what would become of it, and of each hook that it would run', async () => {
    await using lab = await PlanLab.open();
    const { volumes, hooks, volumeGroups } = await lab.plan(shop);
    const classOf = { driver, volumeName: expect.any(String) as string };
    const grouped = {
      ...{ ...classOf, namespace: 'shop', action: 'groupSnapshot', group: 'db' },
      volumeGroupSnapshotClass: 'fake-csi',
    };
    expect(volumes.toSorted((a, b) => a.claimName.localeCompare(b.claimName))).toStrictEqual([
      { ...grouped, claimName: 'a' },
      { ...grouped, claimName: 'b' },
      {
        ...{ ...classOf, namespace: 'shop', claimName: 'data', action: 'snapshot' },
        volumeSnapshotClass: 'fake-csi',
      },
      {
        ...{ namespace: 'shop', claimName: 'unbound', action: 'skip', reason: 'ClaimNotBound' },
        message: expect.stringContaining('Pending') as string,
      },
    ]);
    expect(volumeGroups).toEqual([
      { namespace: 'shop', name: 'db', consistency: 'group', claimNames: ['a', 'b'] },
    ]);
    const call = { namespace: 'shop', podName: 'db', containerName: 'main' };
    expect(hooks).toStrictEqual([
      { stage: 'pre', ...call, command: ['freeze'] },
      { stage: 'post', ...call, command: ['thaw'] },
    ]);
  });

  it('says that a volume cannot be snapshotted, which keeps its claim out', async () => {
    await using lab = await PlanLab.open();
    const volumeSnapshotClasses = { [driver]: 'gone' };
    const { volumes, items, issues, phase } = await lab.plan(shop, { volumeSnapshotClasses });
    expect(volumes).toContainEqual({
      ...{ namespace: 'shop', claimName: 'data', action: 'fail' },
      message: expect.stringMatching(/VolumeSnapshotClass gone.*does not exist/) as string,
    });
    expect(items.some(({ name }) => name === 'data')).toBe(false);
    expect(phase).toBe('PartiallyFailed');
    expect(issues.filter(({ severity }) => severity === 'error')).toMatchObject([
      { reason: 'SnapshotFailed', object: { name: 'data' } },
    ]);
  });

  it('is a JSON value', async () => {
    await using lab = await PlanLab.open();
    const plan = await lab.plan({ includedNamespaces: ['shop', 'gone'] });
    expect(JSON.parse(JSON.stringify(plan))).toStrictEqual(plan);
  });

  it('says that the name is taken, by a backup or by a run, and takes none itself', async () => {
    await using lab = await PlanLab.open();
    const taken = async (): Promise<readonly string[]> =>
      (await lab.plan(shop)).refusals.map(({ code, message }) => `${code}: ${message}`);
    expect(await taken()).toEqual([]);
    expect(await taken()).toEqual([]);
    await lab.store.put('backups/planned/lifeboat-claim.json', Buffer.from('{"runId":"other"}'));
    expect(await taken()).toEqual([expect.stringMatching(/^AlreadyExists: .*run other/)]);
    await lab.store.delete('backups/planned/lifeboat-claim.json');
    await lab.engine.backup({ name: 'planned', spec: shop });
    expect(await taken()).toEqual([
      expect.stringMatching(/^AlreadyExists: .*a backup of this name is stored there/),
    ]);
  });

  it('says that the store cannot keep two writers apart', async () => {
    await using lab = await PlanLab.open();
    const unsafe = new (class extends MemoryObjectStore {
      override readonly capabilities = { ifAbsent: false };
    })();
    const { cluster } = lab;
    const request = { name: 'planned', spec: shop };
    const options = { cluster, store: unsafe };
    expect((await createEngine(options).planBackup(request)).refusals).toMatchObject([
      { code: 'Unsupported' },
    ]);
    const allowed = createEngine({ ...options, allowUnsafeConcurrentWriters: true });
    expect((await allowed.planBackup(request)).refusals).toEqual([]);
  });

  it('is refused as the backup would be, with all violations', async () => {
    await using lab = await PlanLab.open();
    const refusal = await lab.reader
      .planBackup({ name: 'No', spec: { ttl: 'soon' } })
      .catch((error: unknown) => error);
    expect(refusal).toBeInstanceOf(ValidationError);
    expect((refusal as ValidationError).violations.map(({ path }) => path)).toEqual([
      'name',
      'spec.ttl',
    ]);
  });

  it('gives item actions a cluster that they can only read', async () => {
    const backupItemActions: readonly BackupItemAction[] = [
      {
        name: 'example.com/meddle',
        appliesTo: { resources: ['configmaps'] },
        async execute({ item, cluster, signal }) {
          await cluster.delete({ ...Resources.configMaps, ...item.metadata }, { signal });
          return {};
        },
      },
    ];
    await using lab = await PlanLab.open({ backupItemActions });
    const { issues, items } = await lab.plan(shop);
    expect(lab.attempts).toEqual([]);
    expect(issues.filter(({ reason }) => reason === 'Forbidden')).toHaveLength(3);
    expect(items.some(({ groupResource }) => groupResource === 'configmaps')).toBe(false);
  });

  it('says that a resource cannot be listed, and that a hook cannot be run', async () => {
    await using lab = await PlanLab.open();
    lab.cluster.faults.inject({ operation: 'list', resource: 'configmaps', error: 'Forbidden' });
    // A pod that waits for its claim for ever.
    const annotations = { 'pre.hook.backup.velero.io/command': '["freeze"]' };
    await lab.cluster.create(Resources.pods, {
      ...{ apiVersion: 'v1', kind: 'Pod' },
      metadata: { namespace: 'shop', name: 'stuck', annotations },
      spec: {
        containers: [{ name: 'main', image: 'main' }],
        volumes: [{ name: 'gone', persistentVolumeClaim: { claimName: 'gone' } }],
      },
    });
    const { issues, hooks, items } = await lab.plan(shop);
    expect(issues).toContainEqual(
      expect.objectContaining({ severity: 'error', reason: 'ListFailed' }),
    );
    const failures = issues.filter(({ reason }) => reason === 'HookFailed');
    expect(failures[0]?.message).toContain('the pod is Pending, not Running');
    expect(hooks.map(({ podName }) => podName)).toEqual(['db', 'db']);
    expect(items.some(({ name, kind }) => kind === 'Pod' && name === 'stuck')).toBe(false);
  });

  it('reports progress and issues, and stops when it is aborted', async () => {
    await using lab = await PlanLab.open();
    const events: PlanEvent[] = [];
    const { items, issues } = await lab.plan(shop, { onEvent: (event) => events.push(event) });
    const { length: total } = items;
    expect(events.at(-1)).toEqual({ type: 'progress', done: total, total });
    expect(events.filter(({ type }) => type === 'issue')).toHaveLength(issues.length);
    expect(new Set(events.map(({ type }) => type))).toEqual(new Set(['progress', 'issue']));

    const abort = new AbortController();
    const reason = new Error('enough');
    const onEvent = (): void => abort.abort(reason);
    await expect(lab.plan(shop, { signal: abort.signal, onEvent })).rejects.toBe(reason);
    await expect(lab.plan(shop, { signal: abort.signal })).rejects.toBe(reason);
  });
});
