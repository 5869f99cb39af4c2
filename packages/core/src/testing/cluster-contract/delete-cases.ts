import assert from 'node:assert/strict';
import type { KubernetesObject } from '../../model/kubernetes.ts';
import { Resources } from '../../model/resources.ts';
import type { ClusterContractCase, ClusterContractContext } from './cluster-contract-context.ts';
import { eventually, rejectsWith } from './expectations.ts';
import { configMap, configMapReference, configMaps, namespaceManifest } from './sample-objects.ts';

const held = { finalizers: ['contract.lifeboat.dev/hold'] };
const release = { type: 'merge', patch: { metadata: { finalizers: null } } } as const;

/** What `delete` guarantees, and what the server does after it. */
export const deleteCases: readonly ClusterContractCase[] = [
  {
    name: 'delete removes an object, and a missing one is success',
    async run({ cluster, namespace, signal }) {
      const reference = configMapReference(namespace, 'a');
      await cluster.create(configMaps, configMap(namespace, 'a'), { signal });
      await cluster.delete(reference, { signal });
      assert.equal(await cluster.get(reference, { signal }), undefined);
      await cluster.delete(reference, { signal });
      await cluster.delete(configMapReference(`${namespace}-missing`, 'a'), { signal });
    },
  },
  {
    name: 'delete with the uid of another object rejects with Conflict',
    async run({ cluster, namespace, signal }) {
      const reference = configMapReference(namespace, 'a');
      const first = await cluster.create(configMaps, configMap(namespace, 'a'), { signal });
      await cluster.delete(reference, { uid: first.metadata.uid, signal });
      await cluster.create(configMaps, configMap(namespace, 'a'), { signal });
      await rejectsWith('Conflict', cluster.delete(reference, { uid: first.metadata.uid, signal }));
      assert.ok(await cluster.get(reference, { signal }));
    },
  },
  {
    name: 'delete with a stale resourceVersion rejects with Conflict',
    async run({ cluster, namespace, signal }) {
      const reference = configMapReference(namespace, 'a');
      const created = await cluster.create(configMaps, configMap(namespace, 'a'), { signal });
      const patched = await cluster.patch(
        reference,
        { type: 'merge', patch: { data: { k: 'v' } } },
        { signal },
      );
      await rejectsWith(
        'Conflict',
        cluster.delete(reference, { resourceVersion: created.metadata.resourceVersion, signal }),
      );
      await cluster.delete(reference, {
        resourceVersion: patched.metadata.resourceVersion,
        signal,
      });
      assert.equal(await cluster.get(reference, { signal }), undefined);
    },
  },
  {
    name: 'delete with dryRun removes nothing',
    async run({ cluster, namespace, signal }) {
      await cluster.create(configMaps, configMap(namespace, 'a'), { signal });
      await cluster.delete(configMapReference(namespace, 'a'), { dryRun: true, signal });
      const stored = await cluster.get(configMapReference(namespace, 'a'), { signal });
      assert.ok(stored);
      assert.equal(stored.metadata.deletionTimestamp, undefined);
    },
  },
  {
    name: 'a finalizer keeps a deleted object, marked, until it is removed',
    async run({ cluster, namespace, signal }) {
      const reference = configMapReference(namespace, 'a');
      await cluster.create(configMaps, configMap(namespace, 'a', {}, held), { signal });
      await cluster.delete(reference, { signal });
      const marked = await cluster.get(reference, { signal });
      assert.ok(marked?.metadata.deletionTimestamp);
      await cluster.delete(reference, { signal });
      await cluster.patch(reference, release, { signal });
      assert.equal(await cluster.get(reference, { signal }), undefined);
    },
  },
  {
    name: 'an object that is being deleted takes no new finalizer',
    async run({ cluster, namespace, signal }) {
      const reference = configMapReference(namespace, 'a');
      await cluster.create(configMaps, configMap(namespace, 'a', {}, held), { signal });
      await cluster.delete(reference, { signal });
      const more = {
        type: 'merge',
        patch: { metadata: { finalizers: [...held.finalizers, 'contract.lifeboat.dev/late'] } },
      } as const;
      await rejectsWith('Invalid', cluster.patch(reference, more, { signal }));
      await cluster.patch(reference, release, { signal });
    },
  },
  {
    name: 'background deletion takes the dependents along',
    async run(context) {
      const { cluster, namespace, signal } = context;
      await createOwnerAndDependent(context);
      await cluster.delete(configMapReference(namespace, 'owner'), {
        propagationPolicy: 'Background',
        signal,
      });
      await eventually('deletion of the dependent', () => isGone(context, 'dependent'), signal);
    },
  },
  {
    name: 'foreground deletion keeps the owner until its dependents are gone',
    async run(context) {
      const { cluster, namespace, signal } = context;
      await createOwnerAndDependent(context);
      await cluster.delete(configMapReference(namespace, 'owner'), {
        propagationPolicy: 'Foreground',
        signal,
      });
      await eventually('deletion of the owner', () => isGone(context, 'owner'), signal);
      assert.equal(
        await cluster.get(configMapReference(namespace, 'dependent'), { signal }),
        undefined,
      );
    },
  },
  {
    name: 'orphaning deletion leaves the dependents, without their owner',
    async run(context) {
      const { cluster, namespace, signal } = context;
      await createOwnerAndDependent(context);
      await cluster.delete(configMapReference(namespace, 'owner'), {
        propagationPolicy: 'Orphan',
        signal,
      });
      await eventually('deletion of the owner', () => isGone(context, 'owner'), signal);
      const dependent = await cluster.get(configMapReference(namespace, 'dependent'), { signal });
      assert.ok(dependent);
      assert.equal(dependent.metadata.ownerReferences?.length ?? 0, 0);
    },
  },
  {
    name: 'a new namespace gets its default ServiceAccount and its root certificate',
    async run({ cluster, namespace, signal }) {
      const account = { ...Resources.serviceAccounts, namespace, name: 'default' };
      await eventually(
        'creation of the default ServiceAccount',
        () => cluster.get(account, { signal }),
        signal,
      );
      const certificate = configMapReference(namespace, 'kube-root-ca.crt');
      await eventually(
        'creation of the root certificate',
        () => cluster.get(certificate, { signal }),
        signal,
      );
    },
  },
  {
    name: 'a namespace that is being deleted refuses new objects with Forbidden, and goes with its content',
    async run(context) {
      const { cluster, signal } = context;
      const doomed = `${context.namespace}-doomed`;
      const reference = { ...Resources.namespaces, name: doomed };
      await cluster.create(Resources.namespaces, namespaceManifest(doomed), { signal });
      await cluster.create(configMaps, configMap(doomed, 'held', {}, held), { signal });
      await cluster.create(configMaps, configMap(doomed, 'free'), { signal });
      await cluster.delete(reference, { signal });

      const terminating = await cluster.get(reference, { signal });
      assert.ok(terminating?.metadata.deletionTimestamp);
      const error = await rejectsWith(
        'Forbidden',
        cluster.create(configMaps, configMap(doomed, 'late'), { signal }),
      );
      assert.match(error.message, /terminat/i);
      await eventually(
        'deletion of what is not held',
        async () => !(await cluster.get(configMapReference(doomed, 'free'), { signal })),
        signal,
      );
      assert.ok(await cluster.get(reference, { signal }));

      await cluster.patch(configMapReference(doomed, 'held'), release, { signal });
      await eventually(
        'deletion of the namespace',
        async () => !(await cluster.get(reference, { signal })),
        signal,
      );
    },
  },
];

async function createOwnerAndDependent({
  cluster,
  namespace,
  signal,
}: ClusterContractContext): Promise<void> {
  const owner = await cluster.create(configMaps, configMap(namespace, 'owner'), { signal });
  const ownerReferences = [ownerReferenceTo(owner)];
  await cluster.create(configMaps, configMap(namespace, 'dependent', {}, { ownerReferences }), {
    signal,
  });
}

function ownerReferenceTo({ apiVersion, kind, metadata }: KubernetesObject) {
  return {
    apiVersion,
    kind,
    name: metadata.name,
    uid: metadata.uid ?? '',
    blockOwnerDeletion: true,
  };
}

async function isGone(
  { cluster, namespace, signal }: ClusterContractContext,
  name: string,
): Promise<boolean> {
  return (await cluster.get(configMapReference(namespace, name), { signal })) === undefined;
}
