import assert from 'node:assert/strict';
import { stringAt } from '../../model/object-path.ts';
import type { ClusterContractCase, ClusterContractContext } from './cluster-contract-context.ts';
import { collect, provided, rejectsWith, rejectsWithReason } from './expectations.ts';
import { configMap, configMapReference, configMaps, unservedResource } from './sample-objects.ts';
import { WatchReader } from './watch-reader.ts';
import { Widgets } from './widgets.ts';

const labels = { contract: 'x' };
const labelSelector = 'contract=x';

/** What `watch` guarantees. */
export const watchCases: readonly ClusterContractCase[] = [
  {
    name: 'watch reports what exists, then synced, then every change',
    async run(context) {
      const { cluster, namespace, signal } = context;
      await createLabelled(context, 'a', 'b');
      await using watch = new WatchReader(
        cluster.watch(configMaps, { namespace, labelSelector, signal }),
      );
      assert.deepEqual((await watch.untilSynced()).toSorted(), ['a', 'b']);

      await createLabelled(context, 'c');
      const added = await watch.expect('added', 'c');
      assert.equal(`${added.apiVersion} ${added.kind}`, 'v1 ConfigMap');
      await cluster.patch(
        configMapReference(namespace, 'a'),
        { type: 'merge', patch: { data: { k: 'v' } } },
        { signal },
      );
      const modified = await watch.expect('modified', 'a');
      assert.equal(stringAt(modified, ['data', 'k']), 'v');
      await cluster.delete(configMapReference(namespace, 'b'), { signal });
      await watch.expect('deleted', 'b');
    },
  },
  {
    name: 'watch gives the objects that exist apiVersion and kind',
    async run(context) {
      const { cluster, namespace, signal } = context;
      await createLabelled(context, 'a');
      await using watch = new WatchReader(
        cluster.watch(configMaps, { namespace, labelSelector, signal }),
      );
      const { apiVersion, kind } = await watch.expect('added', 'a');
      assert.equal(`${apiVersion} ${kind}`, 'v1 ConfigMap');
      await watch.expectMark('synced');
    },
  },
  {
    name: 'watch with a label selector reports an object that enters it as added and one that leaves it as deleted',
    async run(context) {
      const { cluster, namespace, signal } = context;
      await createLabelled(context, 'a');
      await using watch = new WatchReader(
        cluster.watch(configMaps, { namespace, labelSelector, signal }),
      );
      assert.deepEqual(await watch.untilSynced(), ['a']);
      const relabel = (value: string) =>
        ({ type: 'merge', patch: { metadata: { labels: { contract: value } } } }) as const;
      await cluster.patch(configMapReference(namespace, 'a'), relabel('y'), { signal });
      await watch.expect('deleted', 'a');
      await cluster.patch(configMapReference(namespace, 'a'), relabel('x'), { signal });
      await watch.expect('added', 'a');
    },
  },
  {
    name: 'watch with a field selector sees one object only',
    async run(context) {
      const { cluster, namespace, signal } = context;
      await using watch = new WatchReader(
        cluster.watch(configMaps, { namespace, fieldSelector: 'metadata.name=b', signal }),
      );
      assert.deepEqual(await watch.untilSynced(), []);
      await createLabelled(context, 'a', 'b');
      await watch.expect('added', 'b');
    },
  },
  {
    name: 'watch from a resourceVersion starts with the changes after it',
    async run(context) {
      const { cluster, namespace, signal } = context;
      const [created] = await createLabelled(context, 'a');
      await createLabelled(context, 'b');
      const resourceVersion = created?.metadata.resourceVersion;
      await using watch = new WatchReader(
        cluster.watch(configMaps, { namespace, labelSelector, resourceVersion, signal }),
      );
      await watch.expect('added', 'b');
      await cluster.delete(configMapReference(namespace, 'a'), { signal });
      await watch.expect('deleted', 'a');
    },
  },
  {
    name: 'watch of a resource that is not served rejects with NotFound',
    async run({ cluster, signal }) {
      await rejectsWith('NotFound', collect(cluster.watch(unservedResource, { signal })));
    },
  },
  {
    name: 'an aborted watch rejects with the reason, also while it waits',
    async run({ cluster, namespace, signal }) {
      const reason = new Error('enough');
      const controller = new AbortController();
      const watch = new WatchReader(
        cluster.watch(configMaps, {
          namespace,
          labelSelector,
          signal: AbortSignal.any([signal, controller.signal]),
        }),
      );
      await watch.untilSynced();
      const waiting = watch.next();
      setImmediate(() => controller.abort(reason));
      await rejectsWithReason(reason, waiting);
    },
  },
  {
    name: 'several watches of one resource see the same changes',
    async run(context) {
      const { cluster, namespace, signal } = context;
      const open = (): WatchReader =>
        new WatchReader(cluster.watch(configMaps, { namespace, labelSelector, signal }));
      await using first = open();
      await using second = open();
      await first.untilSynced();
      await second.untilSynced();
      await createLabelled(context, 'a');
      await first.expect('added', 'a');
      await second.expect('added', 'a');
    },
  },
  {
    name: 'a watch whose connections break goes on where it stood',
    needs: 'breakConnections',
    async run(context) {
      const { cluster, namespace, signal, open, breakConnections } = context;
      await createLabelled(context, 'a');
      await using watch = new WatchReader(
        cluster.watch(configMaps, { namespace, labelSelector, signal }),
      );
      assert.deepEqual(await watch.untilSynced(), ['a']);
      await provided(breakConnections, 'breakConnections')();
      await using other = open();
      await createLabelled({ ...context, cluster: other }, 'b');
      await watch.expect('added', 'b');
      await other.delete(configMapReference(namespace, 'a'), { signal });
      await watch.expect('deleted', 'a');
    },
  },
  {
    name: 'a read whose connections break is tried again',
    needs: 'breakConnections',
    async run(context) {
      const { cluster, namespace, signal, breakConnections } = context;
      await createLabelled(context, 'a');
      const reads = Array.from({ length: 20 }, () =>
        cluster.get(configMapReference(namespace, 'a'), { signal }),
      );
      await provided(breakConnections, 'breakConnections')();
      const found = await Promise.all(reads);
      assert.ok(found.every((object) => object?.metadata.name === 'a'));
    },
  },
  {
    name: 'a watch whose place the server forgot restarts with everything that exists',
    needs: 'forgetHistory',
    async run(context) {
      const { cluster, namespace, signal, forgetHistory } = context;
      await using widgets = await Widgets.register(context);
      await widgets.create('a');
      await using watch = new WatchReader(cluster.watch(widgets.resource, { namespace, signal }));
      assert.deepEqual(await watch.untilSynced(), ['a']);
      await provided(forgetHistory, 'forgetHistory')(widgets.resource);
      await watch.expectMark('restarted');
      assert.deepEqual(await watch.untilSynced(), ['a']);
      await widgets.create('b');
      await watch.expect('added', 'b');
    },
  },
  {
    name: 'watch from a resourceVersion that the server forgot rejects with Gone',
    needs: 'forgetHistory',
    async run(context) {
      const { cluster, namespace, signal, forgetHistory } = context;
      await using widgets = await Widgets.register(context);
      const { metadata } = await widgets.create('a');
      await widgets.create('b');
      await provided(forgetHistory, 'forgetHistory')(widgets.resource);
      const { resourceVersion } = metadata;
      await rejectsWith(
        'Gone',
        collect(cluster.watch(widgets.resource, { namespace, resourceVersion, signal })),
      );
    },
  },
];

async function createLabelled(
  { cluster, namespace, signal }: ClusterContractContext,
  ...names: readonly string[]
): Promise<Awaited<ReturnType<typeof cluster.create>>[]> {
  const created = [];
  for (const name of names) {
    created.push(
      await cluster.create(configMaps, configMap(namespace, name, {}, { labels }), { signal }),
    );
  }
  return created;
}
