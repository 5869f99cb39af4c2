import { describe, expect, it } from 'vitest';
import { ClusterError } from '../../errors.ts';
import { Resources } from '../../model/resources.ts';
import type { Cluster } from '../../ports/cluster.ts';
import { FakeCluster } from '../fake-cluster/fake-cluster.ts';
import { clusterContract } from './cluster-contract.ts';

/** What a cluster does wrong, given one that does it right. */
type Mistake = (right: Cluster) => Partial<Cluster>;

/** Each mistake with the case that is there to find it. */
const mistakes: readonly (readonly [string, Mistake])[] = [
  [
    'create of a taken name rejects with AlreadyExists and changes nothing',
    (right) => ({
      create: async (resource, manifest, options) => {
        const { name = '', namespace } = manifest.metadata;
        return (
          (await right.get({ ...resource, namespace, name }, options)) ??
          right.create(resource, manifest, options)
        );
      },
    }),
  ],
  [
    'create with dryRun answers as if it had, and stores nothing',
    (right) => ({
      create: (resource, manifest, options) =>
        right.create(resource, manifest, { ...options, dryRun: false }),
    }),
  ],
  [
    'unknown fields of a custom resource and integers beyond 2^53 survive',
    (right) => ({
      get: async (reference, options) => {
        const object = await right.get(reference, options);
        return object && (JSON.parse(JSON.stringify(object)) as typeof object);
      },
    }),
  ],
  [
    'get of a missing object, namespace or resource is undefined',
    (right) => ({
      get: async (reference, options) => {
        const object = await right.get(reference, options);
        if (object === undefined) {
          throw notFound();
        }
        return object;
      },
    }),
  ],
  [
    'list yields every object once, in key order, across pages, with apiVersion and kind',
    (right) => ({
      async *list(resource, options) {
        let last: string | undefined;
        for await (const object of right.list(resource, options)) {
          yield object;
          if (last !== undefined && options?.pageSize === 2) {
            yield object;
          }
          last = object.metadata.name;
        }
      },
    }),
  ],
  [
    'a list whose snapshot expires goes on, reports it once and yields nothing twice',
    (right) => ({
      list: (resource, options) => right.list(resource, { ...options, onInconsistent: undefined }),
    }),
  ],
  [
    'watch reports what exists, then synced, then every change',
    (right) => ({
      async *watch(resource, options) {
        yield { type: 'synced' };
        yield* right.watch(resource, options);
      },
    }),
  ],
  [
    'a watch whose place the server forgot restarts with everything that exists',
    (right) => ({
      async *watch(resource, options) {
        for await (const event of right.watch(resource, options)) {
          if (event.type !== 'restarted') {
            yield event;
          }
        }
      },
    }),
  ],
  [
    'a patch with a stale resourceVersion rejects with Conflict, with the present one it succeeds',
    (right) => ({
      patch: (reference, patch, options) =>
        right.patch(
          reference,
          patch.type === 'merge' ? { type: 'merge', patch: { data: patch.patch['data'] } } : patch,
          options,
        ),
    }),
  ],
  [
    'the status subresource is patched apart from the object',
    (right) => ({
      patch: (reference, patch, options) =>
        right.patch(reference, patch, { ...options, subresource: undefined }),
    }),
  ],
  [
    'delete removes an object, and a missing one is success',
    (right) => ({
      delete: async (reference, options) => {
        if ((await right.get(reference, options)) === undefined) {
          throw notFound();
        }
        await right.delete(reference, options);
      },
    }),
  ],
  [
    'delete with the uid of another object rejects with Conflict',
    (right) => ({
      delete: (reference, options) => right.delete(reference, { ...options, uid: undefined }),
    }),
  ],
  [
    'orphaning deletion leaves the dependents, without their owner',
    (right) => ({
      delete: (reference, options) =>
        right.delete(reference, { ...options, propagationPolicy: 'Background' }),
    }),
  ],
  [
    'a signal aborted beforehand rejects every call with its reason, and nothing happens',
    (right) => ({
      get: async (reference, options) => {
        try {
          return await right.get(reference, options);
        } catch (cause) {
          throw new Error('wrapped', { cause });
        }
      },
    }),
  ],
  [
    'close may be repeated, and every later call rejects with Closed',
    () => ({ close: async () => undefined, [Symbol.asyncDispose]: async () => undefined }),
  ],
];

describe('the cluster contract finds what it is there to find', () => {
  it.each(mistakes)('%s', async (name, mistake) => {
    await expect(runCase(name, () => ({}))).resolves.toBeUndefined();
    await expect(runCase(name, mistake)).rejects.toThrow();
  });

  it('no two cases have one name', () => {
    const names = clusterContract.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
  });
});

async function runCase(name: string, mistake: Mistake): Promise<void> {
  const contractCase = clusterContract.find((candidate) => candidate.name === name);
  if (contractCase === undefined) {
    throw new RangeError(`there is no case ${name}`);
  }
  await using fake = new FakeCluster();
  const namespace = 'contract';
  const manifest = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } };
  await fake.create(Resources.namespaces, manifest);
  await contractCase.run({
    cluster: withMistake(fake, mistake),
    namespace,
    signal: AbortSignal.timeout(10_000),
    open: () => withMistake(fake.connect(), mistake),
    forgetHistory: async () => fake.compact(),
  });
}

function withMistake(right: Cluster, mistake: Mistake): Cluster {
  return {
    location: right.location,
    version: (options) => right.version(options),
    discover: (options) => right.discover(options),
    get: (reference, options) => right.get(reference, options),
    list: (resource, options) => right.list(resource, options),
    watch: (resource, options) => right.watch(resource, options),
    create: (resource, object, options) => right.create(resource, object, options),
    patch: (reference, patch, options) => right.patch(reference, patch, options),
    delete: (reference, options) => right.delete(reference, options),
    close: () => right.close(),
    [Symbol.asyncDispose]: () => right.close(),
    ...mistake(right),
  };
}

function notFound(): ClusterError {
  return new ClusterError('missing', { code: 'NotFound', operation: 'Cluster', target: 'it' });
}
