import assert from 'node:assert/strict';
import { compareCodePoints } from '../../model/json.ts';
import { Resources } from '../../model/resources.ts';
import type { ClusterContractCase, ClusterContractContext } from './cluster-contract-context.ts';
import { collect, provided, rejectsWith } from './expectations.ts';
import {
  configMap,
  configMapReference,
  configMaps,
  namespaceManifest,
  unservedResource,
} from './sample-objects.ts';

/** What `get` and `list` guarantee. */
export const readCases: readonly ClusterContractCase[] = [
  {
    name: 'get of a missing object, namespace or resource is undefined',
    async run({ cluster, namespace, signal }) {
      assert.equal(
        await cluster.get(configMapReference(namespace, 'missing'), { signal }),
        undefined,
      );
      assert.equal(
        await cluster.get(configMapReference(`${namespace}-missing`, 'a'), { signal }),
        undefined,
      );
      assert.equal(
        await cluster.get({ ...unservedResource, namespace, name: 'a' }, { signal }),
        undefined,
      );
    },
  },
  {
    name: 'get reads a cluster-scoped object',
    async run({ cluster, namespace, signal }) {
      const found = await cluster.get({ ...Resources.namespaces, name: namespace }, { signal });
      assert.equal(found?.kind, 'Namespace');
      assert.equal(found.metadata.name, namespace);
    },
  },
  {
    name: 'list yields every object once, in key order, across pages, with apiVersion and kind',
    async run({ cluster, namespace, signal }) {
      const names = ['b', 'a', 'c.d', 'c-d', 'c', 'a1', 'z'];
      await createNumbered({ cluster, namespace, signal }, names);
      for (const pageSize of [1, 2, 3, undefined]) {
        const listed = await collect(
          cluster.list(configMaps, { namespace, labelSelector: 'contract', pageSize, signal }),
        );
        assert.deepEqual(
          listed.map(({ metadata }) => metadata.name),
          names.toSorted(compareCodePoints),
        );
        assert.ok(
          listed.every(({ apiVersion, kind }) => apiVersion === 'v1' && kind === 'ConfigMap'),
        );
      }
    },
  },
  {
    // A hyphen sorts before the slash of a key, so `shop-eu/a` comes before `shop/a`.
    name: 'list without a namespace covers all, in the order of <namespace>/<name>',
    async run({ cluster, namespace, signal }) {
      const other = `${namespace}-other`;
      await cluster.create(Resources.namespaces, namespaceManifest(other), { signal });
      const labels = { contract: namespace };
      const keys = [`${namespace}/b`, `${namespace}/a`, `${other}/a`];
      for (const key of keys) {
        const [home = '', name = ''] = key.split('/');
        await cluster.create(configMaps, configMap(home, name, {}, { labels }), { signal });
      }
      const listed = await collect(
        cluster.list(configMaps, { labelSelector: `contract=${namespace}`, pageSize: 2, signal }),
      );
      await cluster.delete({ ...Resources.namespaces, name: other }, { signal });
      assert.deepEqual(
        listed.map(({ metadata }) => `${metadata.namespace ?? ''}/${metadata.name}`),
        keys.toSorted(compareCodePoints),
      );
    },
  },
  {
    name: 'list of a missing namespace yields nothing',
    async run({ cluster, namespace, signal }) {
      assert.deepEqual(
        await collect(cluster.list(configMaps, { namespace: `${namespace}-missing`, signal })),
        [],
      );
    },
  },
  {
    name: 'list selects by labels as kubectl does',
    async run({ cluster, namespace, signal }) {
      for (const [name, labels] of Object.entries({
        a: { tier: 'web' },
        b: { tier: 'db' },
        c: { app: 'shop' },
      })) {
        await cluster.create(configMaps, configMap(namespace, name, {}, { labels }), { signal });
      }
      const selected = async (labelSelector: string): Promise<string> => {
        const listed = await collect(
          cluster.list(configMaps, { namespace, labelSelector, signal }),
        );
        return listed.map(({ metadata }) => metadata.name).join(' ');
      };
      assert.equal(await selected('tier=web'), 'a');
      assert.equal(await selected('tier'), 'a b');
      assert.equal(await selected('tier in (web, db),tier!=db'), 'a');
      assert.equal(await selected('tier notin (web),app=shop'), 'c');
      assert.equal(await selected('!tier,app'), 'c');
    },
  },
  {
    name: 'list selects by fields',
    async run({ cluster, namespace, signal }) {
      await createNumbered({ cluster, namespace, signal }, ['a', 'b']);
      const options = { namespace, labelSelector: 'contract', signal };
      const named = await collect(
        cluster.list(configMaps, { ...options, fieldSelector: 'metadata.name=b' }),
      );
      assert.deepEqual(
        named.map(({ metadata }) => metadata.name),
        ['b'],
      );
      const others = await collect(
        cluster.list(configMaps, { ...options, fieldSelector: 'metadata.name!=b' }),
      );
      assert.deepEqual(
        others.map(({ metadata }) => metadata.name),
        ['a'],
      );
    },
  },
  {
    name: 'list with metadataOnly yields PartialObjectMetadata',
    async run({ cluster, namespace, signal }) {
      await cluster.create(
        configMaps,
        configMap(namespace, 'a', { k: 'v' }, { labels: { contract: 'x' } }),
        { signal },
      );
      const [only] = await collect(
        cluster.list(configMaps, {
          namespace,
          labelSelector: 'contract',
          metadataOnly: true,
          signal,
        }),
      );
      assert.equal(only?.kind, 'PartialObjectMetadata');
      assert.equal(only.apiVersion, 'meta.k8s.io/v1');
      assert.equal(only.metadata.labels?.['contract'], 'x');
      assert.equal(only['data'], undefined);
    },
  },
  {
    name: 'list of a resource that is not served rejects with NotFound',
    async run({ cluster, signal }) {
      await rejectsWith('NotFound', collect(cluster.list(unservedResource, { signal })));
    },
  },
  {
    name: 'list with a selector that cannot be parsed rejects with Invalid',
    async run({ cluster, namespace, signal }) {
      await rejectsWith(
        'Invalid',
        collect(cluster.list(configMaps, { namespace, labelSelector: 'a in (', signal })),
      );
    },
  },
  {
    name: 'leaving a list early ends it',
    async run({ cluster, namespace, signal }) {
      await createNumbered({ cluster, namespace, signal }, ['a', 'b', 'c']);
      const seen: string[] = [];
      for await (const { metadata } of cluster.list(configMaps, {
        namespace,
        labelSelector: 'contract',
        pageSize: 1,
        signal,
      })) {
        seen.push(metadata.name);
        break;
      }
      assert.deepEqual(seen, ['a']);
    },
  },
  {
    name: 'a list whose snapshot expires goes on, reports it once and yields nothing twice',
    needs: 'forgetHistory',
    async run({ cluster, namespace, signal, forgetHistory }) {
      await createNumbered({ cluster, namespace, signal }, ['a', 'b', 'c', 'd', 'e', 'f']);
      const seen: string[] = [];
      let reports = 0;
      const onInconsistent = (): void => {
        reports += 1;
      };
      const options = { namespace, labelSelector: 'contract', pageSize: 2, onInconsistent, signal };
      for await (const { metadata } of cluster.list(configMaps, options)) {
        seen.push(metadata.name);
        if (metadata.name === 'b') {
          // Not of the next page, which may have been read ahead.
          await cluster.delete(configMapReference(namespace, 'e'), { signal });
          await createNumbered({ cluster, namespace, signal }, ['a0']);
          await provided(forgetHistory, 'forgetHistory')(configMaps);
        }
      }
      assert.deepEqual(seen, ['a', 'b', 'c', 'd', 'f']);
      assert.equal(reports, 1);
    },
  },
];

async function createNumbered(
  { cluster, namespace, signal }: Pick<ClusterContractContext, 'cluster' | 'namespace' | 'signal'>,
  names: readonly string[],
): Promise<void> {
  for (const name of names) {
    await cluster.create(
      configMaps,
      configMap(namespace, name, {}, { labels: { contract: 'x' } }),
      { signal },
    );
  }
}
