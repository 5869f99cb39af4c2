import assert from 'node:assert/strict';
import { Resources } from '../../model/resources.ts';
import type { Cluster } from '../../ports/cluster.ts';
import type { ClusterContractCase, ClusterContractContext } from './cluster-contract-context.ts';
import { collect, provided, rejectsWith, rejectsWithReason } from './expectations.ts';
import { configMap, configMapReference, configMaps } from './sample-objects.ts';

const parallelCalls = 100;

/** What every call guarantees when it is refused, cut off, aborted or made too late. */
export const failureCases: readonly ClusterContractCase[] = [
  {
    name: 'a user without rights gets Forbidden from every call',
    needs: 'restrictedCluster',
    async run({ restrictedCluster, namespace, signal }) {
      for (const call of everyCall(
        provided(restrictedCluster, 'restrictedCluster'),
        namespace,
        signal,
      )) {
        const error = await rejectsWith('Forbidden', call());
        assert.equal(error.retryable, false);
      }
    },
  },
  {
    name: 'unknown credentials get Unauthorized from every call',
    needs: 'unauthenticatedCluster',
    async run({ unauthenticatedCluster, namespace, signal }) {
      for (const call of everyCall(
        provided(unauthenticatedCluster, 'unauthenticatedCluster'),
        namespace,
        signal,
      )) {
        await rejectsWith('Unauthorized', call());
      }
    },
  },
  {
    name: 'a server that does not answer is Unavailable, retryable',
    needs: 'unreachableCluster',
    async run({ unreachableCluster, namespace, signal }) {
      const unreachable = provided(unreachableCluster, 'unreachableCluster');
      const calls = everyCall(unreachable, namespace, signal).map((call) => call());
      const errors = await Promise.all(calls.map((call) => rejectsWith('Unavailable', call)));
      assert.ok(errors.every(({ retryable }) => retryable));
    },
  },
  {
    name: 'a signal aborted beforehand rejects every call with its reason, and nothing happens',
    async run({ cluster, namespace, signal }) {
      const reason = new Error('beforehand');
      for (const call of everyCall(cluster, namespace, AbortSignal.abort(reason))) {
        await rejectsWithReason(reason, call());
      }
      assert.equal(await cluster.get(configMapReference(namespace, 'a'), { signal }), undefined);
    },
  },
  {
    name: 'a get that is aborted under way rejects with the reason',
    async run({ cluster, namespace }) {
      const controller = new AbortController();
      const reason = new Error('under way');
      const call = cluster.get(configMapReference(namespace, 'a'), { signal: controller.signal });
      controller.abort(reason);
      await rejectsWithReason(reason, call);
    },
  },
  {
    name: 'a list that is aborted between two objects rejects with the reason',
    async run({ cluster, namespace, signal }) {
      const labels = { contract: 'x' };
      await cluster.create(configMaps, configMap(namespace, 'a', {}, { labels }), { signal });
      await cluster.create(configMaps, configMap(namespace, 'b', {}, { labels }), { signal });
      const controller = new AbortController();
      const reason = new Error('between');
      const list = async (): Promise<void> => {
        const options = {
          namespace,
          labelSelector: 'contract',
          pageSize: 1,
          signal: controller.signal,
        };
        for await (const _ of cluster.list(configMaps, options)) {
          controller.abort(reason);
        }
      };
      await rejectsWithReason(reason, list());
    },
  },
  {
    name: 'a hundred calls at once all succeed',
    async run({ cluster, namespace, signal }) {
      const names = Array.from({ length: parallelCalls }, (_, index) => `object-${String(index)}`);
      await Promise.all(
        names.map((name) => cluster.create(configMaps, configMap(namespace, name), { signal })),
      );
      const found = await Promise.all(
        names.map((name) => cluster.get(configMapReference(namespace, name), { signal })),
      );
      assert.deepEqual(
        found.map((object) => object?.metadata.name),
        names,
      );
    },
  },
  {
    name: 'open watches do not keep other calls from being made',
    async run({ open, namespace, signal }) {
      const cluster = open();
      const controller = new AbortController();
      const options = { namespace, signal: AbortSignal.any([signal, controller.signal]) };
      const watches = Array.from({ length: 40 }, async () => {
        for await (const event of cluster.watch(configMaps, options)) {
          if (event.type === 'added' && event.object.metadata.name === 'last') {
            break;
          }
        }
      });
      try {
        await cluster.create(configMaps, configMap(namespace, 'last'), { signal });
        await Promise.all(watches);
      } finally {
        controller.abort();
        await Promise.allSettled(watches);
        await cluster.close();
      }
    },
  },
  {
    name: 'close may be repeated, and every later call rejects with Closed',
    async run({ open, namespace, signal }: ClusterContractContext) {
      const cluster = open();
      await cluster.version({ signal });
      await cluster.close();
      await cluster.close();
      await cluster[Symbol.asyncDispose]();
      await rejectsWith('Closed', cluster.version({ signal }));
      await rejectsWith('Closed', cluster.discover({ signal }));
      for (const call of everyCall(cluster, namespace, signal)) {
        await rejectsWith('Closed', call());
      }
    },
  },
  {
    name: 'close ends a watch with Closed',
    async run({ open, namespace, signal }) {
      const cluster = open();
      const ended = collect(cluster.watch(Resources.pods, { namespace, signal }));
      await Promise.all([
        rejectsWith('Closed', ended),
        cluster.version({ signal }).then(() => cluster.close()),
      ]);
    },
  },
];

/** One call of each method that touches objects; not made until called. */
function everyCall(
  cluster: Cluster,
  namespace: string,
  signal: AbortSignal,
): readonly (() => Promise<unknown>)[] {
  const reference = configMapReference(namespace, 'a');
  const patch = { type: 'merge', patch: { data: { k: 'v' } } } as const;
  return [
    () => cluster.get(reference, { signal }),
    () => collect(cluster.list(configMaps, { namespace, signal })),
    () => collect(cluster.watch(configMaps, { namespace, signal })),
    () => cluster.create(configMaps, configMap(namespace, 'a'), { signal }),
    () => cluster.patch(reference, patch, { signal }),
    () => cluster.delete(reference, { signal }),
  ];
}
