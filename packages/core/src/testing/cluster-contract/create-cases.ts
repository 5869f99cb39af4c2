import assert from 'node:assert/strict';
import { isLifeboatError } from '../../errors.ts';
import { isJsonObject, parseJson } from '../../model/json.ts';
import { arrayAt, numberAt, objectAt, objectsAt, stringAt } from '../../model/object-path.ts';
import type { ClusterContractCase } from './cluster-contract-context.ts';
import { assertJsonEqual, rejectsWith } from './expectations.ts';
import { configMap, configMapReference, configMaps, unservedResource } from './sample-objects.ts';
import { Widgets } from './widgets.ts';

const largeValueLength = 1_000_000;
const racers = 8;

/** What `create` guarantees. */
export const createCases: readonly ClusterContractCase[] = [
  {
    name: 'create returns the object as stored, with uid, resourceVersion and creationTimestamp',
    async run({ cluster, namespace, signal }) {
      const created = await cluster.create(configMaps, configMap(namespace, 'a', { k: 'v' }), {
        signal,
      });
      assert.equal(created.apiVersion, 'v1');
      assert.equal(created.kind, 'ConfigMap');
      assert.equal(stringAt(created, ['data', 'k']), 'v');
      assert.match(created.metadata.uid ?? '', /^[0-9a-f]{8}-[0-9a-f-]{27}$/);
      assert.match(created.metadata.resourceVersion ?? '', /^[0-9]+$/);
      assert.match(created.metadata.creationTimestamp ?? '', /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
      assertJsonEqual(await cluster.get(configMapReference(namespace, 'a'), { signal }), created);
    },
  },
  {
    name: 'create with generateName appends five characters',
    async run({ cluster, namespace, signal }) {
      const manifest = {
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata: { generateName: 'velero-data-', namespace },
      };
      const [first, second] = [
        await cluster.create(configMaps, manifest, { signal }),
        await cluster.create(configMaps, manifest, { signal }),
      ];
      assert.match(first.metadata.name, /^velero-data-[a-z0-9]{5}$/);
      assert.notEqual(first.metadata.name, second.metadata.name);
      assert.equal(first.metadata.generateName, 'velero-data-');
    },
  },
  {
    name: 'create cuts a generateName to 58 characters before it appends five',
    async run({ cluster, namespace, signal }) {
      const generateName = 'a'.repeat(70);
      const manifest = {
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata: { generateName, namespace },
      };
      const { metadata } = await cluster.create(configMaps, manifest, { signal });
      assert.match(metadata.name, /^a{58}[a-z0-9]{5}$/);
    },
  },
  {
    name: 'create of a taken name rejects with AlreadyExists and changes nothing',
    async run({ cluster, namespace, signal }) {
      await cluster.create(configMaps, configMap(namespace, 'a', { k: 'first' }), { signal });
      await rejectsWith(
        'AlreadyExists',
        cluster.create(configMaps, configMap(namespace, 'a', { k: 'second' }), { signal }),
      );
      const stored = await cluster.get(configMapReference(namespace, 'a'), { signal });
      assert.ok(stored);
      assert.equal(stringAt(stored, ['data', 'k']), 'first');
    },
  },
  {
    name: 'of concurrent creates of one name exactly one wins',
    async run({ cluster, namespace, signal }) {
      const outcomes = await Promise.allSettled(
        Array.from({ length: racers }, (_, index) =>
          cluster.create(configMaps, configMap(namespace, 'a', { winner: String(index) }), {
            signal,
          }),
        ),
      );
      const losers = outcomes.filter((outcome) => outcome.status === 'rejected');
      assert.equal(losers.length, racers - 1);
      assert.ok(losers.every(({ reason }) => isLifeboatError(reason, 'AlreadyExists')));
    },
  },
  {
    name: 'create in a missing namespace rejects with NotFound',
    async run({ cluster, namespace, signal }) {
      await rejectsWith(
        'NotFound',
        cluster.create(configMaps, configMap(`${namespace}-missing`, 'a'), { signal }),
      );
    },
  },
  {
    name: 'create of a resource that is not served rejects with NotFound',
    async run({ cluster, namespace, signal }) {
      const manifest = {
        apiVersion: 'unserved.contract.lifeboat.dev/v1',
        kind: 'Nothing',
        metadata: { name: 'a', namespace },
      };
      await rejectsWith('NotFound', cluster.create(unservedResource, manifest, { signal }));
    },
  },
  {
    name: 'create of an invalid object rejects with Invalid and names the fields',
    async run({ cluster, namespace, signal }) {
      const error = await rejectsWith(
        'Invalid',
        cluster.create(configMaps, configMap(namespace, 'Not_A_Name'), { signal }),
      );
      assert.ok('invalidFields' in error && Array.isArray(error.invalidFields));
      assert.ok(
        error.invalidFields.some(
          (field: unknown) => isJsonObject(field) && field['field'] === 'metadata.name',
        ),
      );
      assert.equal(error.retryable, false);
    },
  },
  {
    name: 'create with dryRun answers as if it had, and stores nothing',
    async run({ cluster, namespace, signal }) {
      const created = await cluster.create(configMaps, configMap(namespace, 'a'), {
        dryRun: true,
        signal,
      });
      assert.equal(created.metadata.name, 'a');
      assert.equal(await cluster.get(configMapReference(namespace, 'a'), { signal }), undefined);
    },
  },
  {
    name: 'create records field ownership under fieldManager',
    async run({ cluster, namespace, signal }) {
      const created = await cluster.create(configMaps, configMap(namespace, 'a', { k: 'v' }), {
        fieldManager: 'contract',
        signal,
      });
      assert.deepEqual(
        objectsAt(created, ['metadata', 'managedFields']).map((entry) =>
          stringAt(entry, ['manager']),
        ),
        ['contract'],
      );
    },
  },
  {
    name: 'unicode, empty strings and a __proto__ key survive',
    async run({ cluster, namespace, signal }) {
      const data = parseJson(
        '{"__proto__":"own","empty":"","unicode":"żółw 🛟 \\u2028 </script>","newline":"a\\nb\\r\\n"}',
      );
      assert.ok(isJsonObject(data));
      await cluster.create(configMaps, configMap(namespace, 'a', data), { signal });
      const stored = await cluster.get(configMapReference(namespace, 'a'), { signal });
      assert.ok(stored);
      assertJsonEqual(objectAt(stored, ['data']), data);
    },
  },
  {
    name: 'an object of a million bytes survives',
    async run({ cluster, namespace, signal }) {
      const large = 'x'.repeat(largeValueLength);
      await cluster.create(configMaps, configMap(namespace, 'a', { large }), { signal });
      const stored = await cluster.get(configMapReference(namespace, 'a'), { signal });
      assert.ok(stored);
      assert.ok(stringAt(stored, ['data', 'large']) === large);
    },
  },
  {
    name: 'unknown fields of a custom resource and integers beyond 2^53 survive',
    async run(context) {
      const { cluster, signal } = context;
      await using widgets = await Widgets.register(context);
      const spec = parseJson(
        '{"large":9007199254740993,"largest":9223372036854775807,"list":[-9007199254740993,{"a":null,"b":[]}]}',
      );
      assert.ok(isJsonObject(spec));
      await widgets.create('a', spec);
      const stored = await cluster.get(widgets.reference('a'), { signal });
      assert.ok(stored);
      assertJsonEqual(objectAt(stored, ['spec']), spec);
    },
  },
  {
    name: 'create drops the status of a resource with a status subresource and starts at generation 1',
    async run(context) {
      const { cluster, signal } = context;
      await using widgets = await Widgets.register(context);
      const manifest = { ...widgets.manifest('a', { size: 1 }), status: { phase: 'Ready' } };
      const created = await cluster.create(widgets.resource, manifest, { signal });
      assert.equal(objectAt(created, ['status']), undefined);
      assert.equal(numberAt(created, ['metadata', 'generation']), 1);
    },
  },
  {
    name: 'finalizers, labels and annotations are stored as given',
    async run({ cluster, namespace, signal }) {
      const metadata = {
        labels: { app: 'shop', empty: '' },
        annotations: { 'example.com/note': '{"a": 1}' },
        finalizers: ['example.com/hold'],
      };
      const created = await cluster.create(configMaps, configMap(namespace, 'a', {}, metadata), {
        signal,
      });
      assertJsonEqual(created.metadata.labels, metadata.labels);
      assertJsonEqual(created.metadata.annotations, metadata.annotations);
      assertJsonEqual(arrayAt(created, ['metadata', 'finalizers']), metadata.finalizers);
      const release = { type: 'merge', patch: { metadata: { finalizers: null } } } as const;
      await cluster.patch(configMapReference(namespace, 'a'), release, { signal });
    },
  },
];
