import assert from 'node:assert/strict';
import { arrayAt, numberAt, objectAt, objectsAt, stringAt } from '../../model/object-path.ts';
import { Resources } from '../../model/resources.ts';
import type { ClusterPatch } from '../../ports/cluster.ts';
import type { ClusterContractCase } from './cluster-contract-context.ts';
import { assertJsonEqual, rejectsWith } from './expectations.ts';
import { configMap, configMapReference, configMaps } from './sample-objects.ts';
import { Widgets } from './widgets.ts';

/** What `patch` guarantees. */
export const patchCases: readonly ClusterContractCase[] = [
  {
    name: 'a merge patch sets, replaces and, with null, removes; the object is returned as stored',
    async run({ cluster, namespace, signal }) {
      await cluster.create(
        configMaps,
        configMap(namespace, 'a', { kept: '1', changed: '1', removed: '1' }),
        { signal },
      );
      const patch: ClusterPatch = {
        type: 'merge',
        patch: { data: { changed: '2', removed: null, added: '3' } },
      };
      const patched = await cluster.patch(configMapReference(namespace, 'a'), patch, { signal });
      assertJsonEqual(objectAt(patched, ['data']), { kept: '1', changed: '2', added: '3' });
      assertJsonEqual(await cluster.get(configMapReference(namespace, 'a'), { signal }), patched);
    },
  },
  {
    name: 'a JSON patch carries out its operations in order',
    async run({ cluster, namespace, signal }) {
      const metadata = { annotations: { 'example.com/a': '1' } };
      await cluster.create(configMaps, configMap(namespace, 'a', { c: '2' }, metadata), { signal });
      const operations = [
        { op: 'test', path: '/metadata/annotations/example.com~1a', value: '1' },
        { op: 'replace', path: '/metadata/annotations/example.com~1a', value: '5' },
        { op: 'remove', path: '/data/c' },
        { op: 'add', path: '/data/d', value: '3' },
        { op: 'replace', path: '/data/d', value: '4' },
      ];
      const reference = configMapReference(namespace, 'a');
      const patched = await cluster.patch(reference, { type: 'json', operations }, { signal });
      assertJsonEqual(objectAt(patched, ['data']), { d: '4' });
      assertJsonEqual(patched.metadata.annotations, { 'example.com/a': '5' });
    },
  },
  {
    name: 'a JSON patch whose test fails rejects with Invalid and changes nothing',
    async run({ cluster, namespace, signal }) {
      const created = await cluster.create(configMaps, configMap(namespace, 'a', { k: '1' }), {
        signal,
      });
      const operations = [
        { op: 'replace', path: '/data/k', value: '2' },
        { op: 'test', path: '/data/k', value: '1' },
      ];
      await rejectsWith(
        'Invalid',
        cluster.patch(configMapReference(namespace, 'a'), { type: 'json', operations }, { signal }),
      );
      assertJsonEqual(await cluster.get(configMapReference(namespace, 'a'), { signal }), created);
    },
  },
  {
    name: 'a patch that changes nothing keeps the resourceVersion',
    async run({ cluster, namespace, signal }) {
      const created = await cluster.create(configMaps, configMap(namespace, 'a', { k: '1' }), {
        signal,
      });
      const patched = await cluster.patch(
        configMapReference(namespace, 'a'),
        { type: 'merge', patch: { data: { k: '1' } } },
        { signal },
      );
      assert.equal(patched.metadata.resourceVersion, created.metadata.resourceVersion);
    },
  },
  {
    name: 'a patch with a stale resourceVersion rejects with Conflict, with the present one it succeeds',
    async run({ cluster, namespace, signal }) {
      const reference = configMapReference(namespace, 'a');
      const created = await cluster.create(configMaps, configMap(namespace, 'a', { k: '1' }), {
        signal,
      });
      const set = (k: string, resourceVersion: string | undefined): Promise<unknown> =>
        cluster.patch(
          reference,
          { type: 'merge', patch: { metadata: { resourceVersion }, data: { k } } },
          { signal },
        );
      await set('2', created.metadata.resourceVersion);
      const error = await rejectsWith('Conflict', set('3', created.metadata.resourceVersion));
      assert.equal(error.retryable, false);
      const stored = await cluster.get(reference, { signal });
      assert.ok(stored);
      assert.equal(stringAt(stored, ['data', 'k']), '2');
    },
  },
  {
    name: 'patch of a missing object rejects with NotFound',
    async run({ cluster, namespace, signal }) {
      const patch: ClusterPatch = { type: 'merge', patch: { data: { k: '1' } } };
      await rejectsWith(
        'NotFound',
        cluster.patch(configMapReference(namespace, 'missing'), patch, { signal }),
      );
    },
  },
  {
    name: 'patch with dryRun answers as if it had, and stores nothing',
    async run({ cluster, namespace, signal }) {
      const reference = configMapReference(namespace, 'a');
      const created = await cluster.create(configMaps, configMap(namespace, 'a', { k: '1' }), {
        signal,
      });
      const patched = await cluster.patch(
        reference,
        { type: 'merge', patch: { data: { k: '2' } } },
        { dryRun: true, signal },
      );
      assert.equal(stringAt(patched, ['data', 'k']), '2');
      assertJsonEqual(await cluster.get(reference, { signal }), created);
    },
  },
  {
    name: 'a patch of an immutable field rejects with Invalid and names the field',
    async run({ cluster, namespace, signal }) {
      const manifest = {
        apiVersion: 'v1',
        kind: 'PersistentVolumeClaim',
        metadata: { name: 'a', namespace },
        spec: {
          storageClassName: '',
          accessModes: ['ReadWriteOnce'],
          resources: { requests: { storage: '1Mi' } },
        },
      };
      await cluster.create(Resources.persistentVolumeClaims, manifest, { signal });
      const reference = { ...Resources.persistentVolumeClaims, namespace, name: 'a' };
      const patch: ClusterPatch = {
        type: 'merge',
        patch: { spec: { accessModes: ['ReadWriteMany'] } },
      };
      const error = await rejectsWith('Invalid', cluster.patch(reference, patch, { signal }));
      assert.match(error.message, /spec/);
    },
  },
  {
    name: 'apply creates what is missing, and removes what its manager no longer names',
    async run({ cluster, namespace, signal }) {
      const reference = configMapReference(namespace, 'a');
      const apply = (data: Readonly<Record<string, string>>) =>
        cluster.patch(
          reference,
          { type: 'apply', manifest: configMap(namespace, 'a', data) },
          { fieldManager: 'one', signal },
        );
      const created = await apply({ kept: '1', dropped: '1' });
      assert.equal(created.metadata.name, 'a');
      await cluster.patch(
        reference,
        { type: 'merge', patch: { data: { foreign: '1' } } },
        { fieldManager: 'two', signal },
      );
      const applied = await apply({ kept: '2' });
      assertJsonEqual(objectAt(applied, ['data']), { kept: '2', foreign: '1' });
      const appliers = objectsAt(applied, ['metadata', 'managedFields']).filter(
        (entry) => stringAt(entry, ['operation']) === 'Apply',
      );
      assert.deepEqual(
        appliers.map((entry) => stringAt(entry, ['manager'])),
        ['one'],
      );
    },
  },
  {
    name: "apply of another manager's field rejects with Conflict unless forced",
    async run({ cluster, namespace, signal }) {
      const reference = configMapReference(namespace, 'a');
      const apply = (fieldManager: string, k: string, force?: boolean) =>
        cluster.patch(
          reference,
          { type: 'apply', manifest: configMap(namespace, 'a', { k }), force },
          { fieldManager, signal },
        );
      await apply('one', '1');
      await rejectsWith('Conflict', apply('two', '2'));
      const forced = await apply('two', '2', true);
      assert.equal(stringAt(forced, ['data', 'k']), '2');
      await rejectsWith('Conflict', apply('one', '1'));
    },
  },
  {
    name: 'a patch replaces the managedFields that it names, and an empty list of them removes all',
    async run({ cluster, namespace, signal }) {
      const reference = configMapReference(namespace, 'a');
      await cluster.create(configMaps, configMap(namespace, 'a', { k: '1' }), {
        fieldManager: 'one',
        signal,
      });
      const managedFields = [
        {
          apiVersion: 'v1',
          fieldsType: 'FieldsV1',
          fieldsV1: { 'f:data': { '.': {}, 'f:k': {} } },
          manager: 'two',
          operation: 'Apply',
          time: '2026-01-02T03:04:05Z',
        },
      ];
      for (const fields of [managedFields, []]) {
        const patched = await cluster.patch(
          reference,
          { type: 'merge', patch: { metadata: { managedFields: fields } } },
          { fieldManager: 'three', signal },
        );
        assertJsonEqual(arrayAt(patched, ['metadata', 'managedFields']), fields);
        assertJsonEqual(await cluster.get(reference, { signal }), patched);
      }
    },
  },
  {
    name: 'the status subresource is patched apart from the object',
    async run(context) {
      const { cluster, signal } = context;
      await using widgets = await Widgets.register(context);
      await widgets.create('a', { size: 1 });
      const patch: ClusterPatch = {
        type: 'merge',
        patch: { spec: { size: 2 }, status: { phase: 'Ready' } },
      };

      const withStatus = await cluster.patch(widgets.reference('a'), patch, {
        subresource: 'status',
        signal,
      });
      assert.equal(stringAt(withStatus, ['status', 'phase']), 'Ready');
      assert.equal(numberAt(withStatus, ['spec', 'size']), 1);

      const ignored: ClusterPatch = { type: 'merge', patch: { status: { phase: 'Lost' } } };
      const unchanged = await cluster.patch(widgets.reference('a'), ignored, { signal });
      assert.equal(stringAt(unchanged, ['status', 'phase']), 'Ready');
    },
  },
  {
    name: 'the generation counts changes of the spec only',
    async run(context) {
      const { cluster, signal } = context;
      await using widgets = await Widgets.register(context);
      await widgets.create('a', { size: 1 });
      const generationAfter = async (
        patch: ClusterPatch,
        subresource?: string,
      ): Promise<number | undefined> =>
        numberAt(await cluster.patch(widgets.reference('a'), patch, { subresource, signal }), [
          'metadata',
          'generation',
        ]);
      assert.equal(
        await generationAfter({ type: 'merge', patch: { metadata: { labels: { a: 'b' } } } }),
        1,
      );
      assert.equal(
        await generationAfter({ type: 'merge', patch: { status: { phase: 'Ready' } } }, 'status'),
        1,
      );
      assert.equal(await generationAfter({ type: 'merge', patch: { spec: { size: 2 } } }), 2);
    },
  },
];
