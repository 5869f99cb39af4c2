import {
  type BackupEvent,
  type Cluster,
  createEngine,
  type Engine,
  isLifeboatError,
  MemoryObjectStore,
} from '@lifeboat/core';
import { expect, it } from 'vitest';
import { KillPoint } from '../../packages/core/src/engine/kill-point-fixture.ts';
import { type TestCluster, testCluster } from '../cluster/test-cluster.ts';
import { waitFor } from '../cluster/wait-for.ts';
import { connectTestCluster } from './connect-test-cluster.ts';
import { grantUntilTheEnd, LeastPrivilegeUser, rolesOfGuides } from './least-privilege-user.ts';
import { VolumeWithData } from './volume-with-data.ts';

it('service accounts with the roles of the guide back up, restore, verify, sync and delete, and none can do the work of another', async (context) => {
  const kit = testCluster(context);
  const prefix = kit.uniqueName('least');
  const volume = await VolumeWithData.create(kit, { data: 'precious' });
  const { namespace } = volume;
  const copy = await kit.createNamespace('least-copy');
  await kit.kubectl(['create', 'configmap', 'settings', `--namespace=${namespace}`]);
  await kit.kubectl(['create', 'secret', 'generic', 'password', `--namespace=${namespace}`]);

  const saver = await LeastPrivilegeUser.create(kit, context);
  const restorer = await LeastPrivilegeUser.create(kit, context);
  const remover = await LeastPrivilegeUser.create(kit, context);
  const verifier = await LeastPrivilegeUser.create(kit, context);
  const syncer = await LeastPrivilegeUser.create(kit, context);
  await grantUntilTheEnd(kit, context, await rolesOfGuides(prefix), [
    saver.grant(`${prefix}-backup`),
    saver.grant(`${prefix}-backup-namespace`, namespace),
    restorer.grant(`${prefix}-restore`),
    restorer.grant(`${prefix}-restore-namespace`, copy),
    remover.grant(`${prefix}-delete`),
    verifier.grant(`${prefix}-verify`),
    syncer.grant(`${prefix}-sync`),
  ]);
  const store = new MemoryObjectStore();
  const [saving, restoring, removing] = [saver, restorer, remover].map((user) =>
    user.engine(store),
  ) as [Engine, Engine, Engine];
  const backupRequest = { name: prefix, spec: { includedNamespaces: [namespace] } };
  const restoreRequest = {
    spec: {
      backupName: prefix,
      includedNamespaces: [namespace],
      // The administrator's bindings grant more than the restoring user has.
      excludedResources: ['rolebindings'],
      namespaceMapping: { [namespace]: copy },
    },
  };

  await expect(removing.backup(backupRequest)).rejects.toSatisfy((error) =>
    isLifeboatError(error, 'Forbidden'),
  );
  const { backup, issues } = await saving.backup(backupRequest);
  expect(issues).toEqual([]);
  expect(backup.status).toMatchObject({ phase: 'Completed', csiVolumeSnapshotsCompleted: 1 });
  expect(await leftSnapshotObjects(kit, prefix)).toEqual([]);

  const verified = await verifier.engine(store).verify(prefix);
  expect(verified).toMatchObject({ intact: true, snapshots: 1, issues: [] });
  expect(await leftSnapshotObjects(kit, prefix)).toEqual([]);

  const restored = await restoring.restore(restoreRequest);
  expect(restored.issues).toEqual([]);
  expect(restored.restore.status.phase).toBe('Completed');
  expect(await volume.readCopy(copy)).toBe('precious');
  expect(await leftSnapshotObjects(kit, prefix)).toEqual([]);

  const synced = await syncer.engine(store).syncSnapshots();
  expect(synced).toMatchObject({ created: [{ backupName: prefix }], issues: [] });
  // Another store of the same location, which has lost the backup.
  const emptied = await syncer.engine(new MemoryObjectStore()).syncSnapshots();
  expect(emptied).toMatchObject({ removed: [{ backupName: prefix }], issues: [] });

  await expect(saving.deleteBackup(prefix)).rejects.toSatisfy((error) =>
    isLifeboatError(error, 'SnapshotFailed'),
  );
  await removing.deleteBackup(prefix);
  const kept = `${prefix}-kept`;
  await saving.backup({ ...backupRequest, name: kept }, { snapshotObjects: 'keep' });
  expect(await leftSnapshotObjects(kit, kept)).toHaveLength(2);
  await removing.deleteBackup(kept);
  await waitFor(async () => (await leftSnapshotObjects(kit, kept)).length === 0, {
    what: 'the kept snapshot objects to go',
  });
  expect(await Array.fromAsync(removing.catalog.list())).toEqual([]);
});

it('service accounts with the roles of the guide back up, verify, restore and delete a volume group', async (context) => {
  const kit = testCluster(context);
  const prefix = kit.uniqueName('least');
  const volume = await VolumeWithData.create(kit, { data: 'precious' });
  const { namespace } = volume;
  const label = 'velero.io/volume-group=db';
  await kit.kubectl(['label', 'persistentvolumeclaim/data', label, `--namespace=${namespace}`]);
  const copy = await kit.createNamespace('least-copy');
  const saver = await LeastPrivilegeUser.create(kit, context);
  const restorer = await LeastPrivilegeUser.create(kit, context);
  const remover = await LeastPrivilegeUser.create(kit, context);
  const verifier = await LeastPrivilegeUser.create(kit, context);
  await grantUntilTheEnd(
    kit,
    context,
    await rolesOfGuides(prefix, ['csi-snapshots.md', 'group-snapshots.md']),
    [
      saver.grant(`${prefix}-backup`),
      saver.grant(`${prefix}-backup-namespace`, namespace),
      saver.grant(`${prefix}-backup-volume-groups`),
      restorer.grant(`${prefix}-restore`),
      restorer.grant(`${prefix}-restore-namespace`, copy),
      restorer.grant(`${prefix}-restore-volume-groups`),
      remover.grant(`${prefix}-delete`),
      remover.grant(`${prefix}-delete-volume-groups`),
      verifier.grant(`${prefix}-verify`),
    ],
  );
  const store = new MemoryObjectStore();
  const [saving, restoring, removing, verifying] = [saver, restorer, remover, verifier].map(
    (user) => user.engine(store),
  ) as [Engine, Engine, Engine, Engine];
  const request = {
    spec: { includedNamespaces: [namespace], excludedResources: ['rolebindings'] },
  };

  const { issues, volumeGroups } = await saving.backup({ name: prefix, ...request });
  expect(issues).toEqual([]);
  expect(volumeGroups).toMatchObject([{ name: 'db', consistency: 'group' }]);
  expect(await leftSnapshotObjects(kit, prefix)).toEqual([]);

  const verified = await verifying.verify(prefix);
  expect(verified).toMatchObject({ intact: true, snapshots: 1, issues: [] });

  const restored = await restoring.restore({
    spec: {
      backupName: prefix,
      includedNamespaces: [namespace],
      namespaceMapping: { [namespace]: copy },
    },
  });
  expect(restored.issues).toEqual([]);
  expect(await volume.readCopy(copy)).toBe('precious');
  expect(await leftSnapshotObjects(kit, prefix)).toEqual([]);

  await removing.deleteBackup(prefix);
  expect(await leftSnapshotObjects(kit, prefix)).toEqual([]);

  const kept = `${prefix}-kept`;
  const keeping = await saving.backup({ name: kept, ...request }, { snapshotObjects: 'keep' });
  expect(keeping.issues).toEqual([]);
  expect(await leftSnapshotObjects(kit, kept)).toHaveLength(4);
  await removing.deleteBackup(kept);
  expect(await leftSnapshotObjects(kit, kept)).toEqual([]);
  expect(await Array.fromAsync(removing.catalog.list())).toEqual([]);
});

const claimAndGroup = [
  { what: 'a claim', labels: [] },
  { what: 'a volume group', labels: ['velero.io/volume-group=db'] },
];

it.for(claimAndGroup)(
  'a service account with the roles of the guides removes what a failed or cancelled snapshot of $what has made',
  async ({ labels }, context) => {
    const kit = testCluster(context);
    const prefix = kit.uniqueName('least');
    const { namespace } = await VolumeWithData.create(kit, { data: 'precious' });
    for (const label of labels) {
      await kit.kubectl(['label', 'persistentvolumeclaim/data', label, `--namespace=${namespace}`]);
    }
    const user = await LeastPrivilegeUser.create(kit, context);
    await grantUntilTheEnd(
      kit,
      context,
      await rolesOfGuides(prefix, ['csi-snapshots.md', 'group-snapshots.md']),
      [
        user.grant(`${prefix}-backup`),
        user.grant(`${prefix}-backup-namespace`, namespace),
        user.grant(`${prefix}-backup-volume-groups`),
      ],
    );
    const spec = { includedNamespaces: [namespace] };
    const store = new MemoryObjectStore();

    const states = ['Requested', 'Bound', 'HandleAssigned'] as const;
    for (const state of ['Requesting', ...states] as const) {
      const name = `${prefix}-${state.toLowerCase()}`;
      const stop = new AbortController();
      const connection = connectTestCluster(kit, { token: user.token });
      context.onTestFinished(() => connection.close());
      const isIt = (event: BackupEvent): boolean =>
        event.type === 'snapshot' && event.state === state;
      const cluster =
        state === 'Requesting'
          ? abortedWhileCreating(connection.cluster, stop)
          : connection.cluster;
      const backup = createEngine({ cluster, store }).backup(
        { name, spec },
        {
          signal: stop.signal,
          onEvent: (event) => {
            if (isIt(event)) {
              stop.abort(new Error('stopped by the test'));
            }
          },
        },
      );
      await expect(backup).rejects.toThrow('stopped by the test');
      expect([name, await leftSnapshotObjects(kit, name)]).toEqual([name, []]);
    }

    const rpc = labels.length === 0 ? 'CreateSnapshot' : 'CreateVolumeGroupSnapshot';
    await kit.injectFault({ rpc, namespace, code: 'INTERNAL', message: 'disk on fire' });
    const impatient = { timeouts: { snapshotErrorGraceMs: 1_000 } };
    const { issues } = await user.engine(store, impatient).backup({
      name: prefix,
      spec,
    });
    expect(issues).toMatchObject([{ reason: 'SnapshotFailed', object: { name: 'data' } }]);
    expect(issues[0]?.message).toContain('disk on fire');
    expect(issues[0]?.message).not.toContain('may be left');
    expect(await leftSnapshotObjects(kit, prefix)).toEqual([]);
  },
);

it('a service account with the roles of the guides changes objects that exist', async (context) => {
  const kit = testCluster(context);
  const prefix = kit.uniqueName('least');
  const namespace = await kit.createNamespace('least');
  const copy = await kit.createNamespace('least-copy');
  await kit.kubectl(['create', 'configmap', 'owner', `--namespace=${namespace}`]);
  await createOwnedQuota(kit, namespace);
  const user = await LeastPrivilegeUser.create(kit, context);
  await grantUntilTheEnd(
    kit,
    context,
    await rolesOfGuides(prefix, ['csi-snapshots.md', 'changing-objects-on-restore.md']),
    [
      user.grant(`${prefix}-backup`),
      user.grant(`${prefix}-backup-namespace`, namespace),
      user.grant(`${prefix}-restore`),
      user.grant(`${prefix}-restore-namespace`, copy),
      user.grant(`${prefix}-restore-existing`, copy),
    ],
  );
  const engine = user.engine(new MemoryObjectStore());
  await engine.backup({ name: prefix, spec: { includedNamespaces: [namespace] } });
  const spec = {
    backupName: prefix,
    includedNamespaces: [namespace],
    includedResources: ['configmaps', 'resourcequotas'],
    namespaceMapping: { [namespace]: copy },
  };
  const field = (object: string, path: string): Promise<string> =>
    kit.kubectl(['get', object, `--namespace=${copy}`, `--output=jsonpath={${path}}`]);
  const label = (value: string): Promise<string> =>
    kit.kubectl(['label', '--overwrite', 'configmap/owner', `x=${value}`, `--namespace=${copy}`]);

  const restoreStatus = { includedResources: ['resourcequotas'] };
  const first = await engine.restore(
    { spec: { ...spec, restoreStatus } },
    { relinkOwners: true, restoreManagedFields: true },
  );
  expect(first.issues).toEqual([]);
  expect(await field('resourcequota/owned', '.metadata.ownerReferences[0].name')).toBe('owner');

  await label('changed');
  const uid = await field('configmap/owner', '.metadata.uid');
  const updated = await engine.restore({ spec: { ...spec, existingResourcePolicy: 'update' } });
  expect(updated.issues).toEqual([]);
  expect(await field('configmap/owner', '.metadata.uid')).toBe(uid);

  await kit.kubectl([
    'patch',
    'configmap/owner',
    `--namespace=${copy}`,
    '--patch={"data":{"a":"b"}}',
  ]);
  const again = await engine.restore({ spec }, { existingObjects: 'recreate' });
  expect(again.issues).toEqual([]);
  expect(await field('configmap/owner', '.metadata.uid')).not.toBe(uid);
});

/** A cluster of which a backup is aborted when its first snapshot has been requested, before the answer comes. */
function abortedWhileCreating(inner: Cluster, stop: AbortController): Cluster {
  return {
    location: inner.location,
    version: (options) => inner.version(options),
    discover: (options) => inner.discover(options),
    get: (reference, options) => inner.get(reference, options),
    list: (resource, options) => inner.list(resource, options),
    watch: (resource, options) => inner.watch(resource, options),
    patch: (reference, patch, options) => inner.patch(reference, patch, options),
    delete: (reference, options) => inner.delete(reference, options),
    create: async (resource, manifest, { signal, ...options } = {}) => {
      const created = await inner.create(resource, manifest, options);
      if (/^volume(group)?snapshots$/.test(resource.resource)) {
        stop.abort(new Error('stopped by the test'));
      }
      signal?.throwIfAborted();
      return created;
    },
    close: () => inner.close(),
    [Symbol.asyncDispose]: () => inner.close(),
  };
}

/** A ResourceQuota `owned` whose owner is the ConfigMap `owner`. */
async function createOwnedQuota(kit: TestCluster, namespace: string): Promise<void> {
  const uid = await kit.kubectl([
    'get',
    'configmap/owner',
    `--namespace=${namespace}`,
    '--output=jsonpath={.metadata.uid}',
  ]);
  const ownerReferences = [{ apiVersion: 'v1', kind: 'ConfigMap', name: 'owner', uid }];
  const quota = {
    apiVersion: 'v1',
    kind: 'ResourceQuota',
    metadata: { name: 'owned', namespace, ownerReferences },
    spec: { hard: { pods: '10' } },
  };
  await kit.kubectl(['apply', '--filename=-'], { input: JSON.stringify(quota) });
  const quotaStatus = ['resourcequota/owned', `--namespace=${namespace}`];
  await kit.kubectl([
    'wait',
    ...quotaStatus,
    '--for=jsonpath={.status.hard.pods}=10',
    '--timeout=60s',
  ]);
}

it.for(claimAndGroup)(
  'a service account with the role of the guide finds and removes what a killed backup and a killed deletion of $what left',
  async ({ labels }, context) => {
    const kit = testCluster(context);
    const prefix = kit.uniqueName('least');
    const { namespace } = await VolumeWithData.create(kit, { data: 'precious' });
    for (const label of labels) {
      await kit.kubectl(['label', 'persistentvolumeclaim/data', label, `--namespace=${namespace}`]);
    }
    const user = await LeastPrivilegeUser.create(kit, context);
    await grantUntilTheEnd(kit, context, await rolesOfGuides(prefix, ['leftovers.md']), [
      user.grant(`${prefix}-leftovers`),
    ]);
    const store = new MemoryObjectStore();
    const engine = user.engine(store);
    const { cluster } = connectTestCluster(kit);
    context.onTestFinished(() => cluster.close());
    const dying = (at: number): Engine => {
      const process = new KillPoint({ at, when: 'after', die: () => undefined });
      return createEngine({ cluster: process.cluster(cluster), store: process.store(store) });
    };
    const request = { name: prefix, spec: { includedNamespaces: [namespace] } };

    await expect(dying(2).backup(request)).rejects.toThrow('the process has died');
    await removeAllLeftovers(engine, prefix);
    expect(await leftSnapshotObjects(kit, prefix)).toEqual([]);

    await createEngine({ cluster, store }).backup(request);
    await expect(dying(3).deleteBackup(prefix)).rejects.toThrow('the process has died');
    await removeAllLeftovers(engine, prefix);
    expect(await leftSnapshotObjects(kit, prefix)).toEqual([]);
    expect(await Array.fromAsync(store.list('backups/'))).toEqual([]);
  },
);

it('a service account with the role of the guide runs hooks in the namespaces it is bound in, and only there', async (context) => {
  const kit = testCluster(context, { node: true });
  const prefix = kit.uniqueName('least');
  const user = await LeastPrivilegeUser.create(kit, context);
  const [bound, other] = await Promise.all([podWithHooks(kit), podWithHooks(kit)]);
  await grantUntilTheEnd(
    kit,
    context,
    await rolesOfGuides(prefix, ['csi-snapshots.md', 'hooks.md']),
    [
      user.grant(`${prefix}-backup`),
      user.grant(`${prefix}-backup-namespace`, bound),
      user.grant(`${prefix}-backup-namespace`, other),
      user.grant(`${prefix}-backup-hooks`, bound),
    ],
  );
  const engine = user.engine(new MemoryObjectStore());
  const allowed = await engine.backup({ name: bound, spec: { includedNamespaces: [bound] } });
  expect(allowed.issues).toEqual([]);
  expect(allowed.hooks).toMatchObject([
    { stage: 'pre', outcome: 'Succeeded' },
    { stage: 'post', outcome: 'Succeeded' },
  ]);
  const denied = await engine.backup({ name: other, spec: { includedNamespaces: [other] } });
  expect(denied.issues).toMatchObject([{ reason: 'HookFailed', object: { name: 'app' } }]);
  expect(denied.hooks).toMatchObject([{ stage: 'pre', outcome: 'Failed' }]);
});

/** A namespace with a pod that runs and whose hooks do nothing. */
async function podWithHooks(kit: TestCluster): Promise<string> {
  const namespace = await kit.createNamespace('hooked');
  const pod = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: 'app',
      namespace,
      annotations: {
        'pre.hook.backup.velero.io/command': 'true',
        'post.hook.backup.velero.io/command': 'true',
      },
    },
    spec: {
      terminationGracePeriodSeconds: 1,
      automountServiceAccountToken: false,
      containers: [
        {
          name: 'app',
          image: 'busybox:1.36',
          imagePullPolicy: 'IfNotPresent',
          command: ['sh', '-c', 'trap "exit 0" TERM; while :; do sleep 1; done'],
        },
      ],
    },
  };
  // The namespace's default service account may still be on its way.
  await waitFor(
    async () => {
      await kit.kubectl(['apply', '--filename=-'], { input: JSON.stringify(pod) });
      return true;
    },
    { what: 'the pod to be admitted' },
  );
  await kit.kubectl([
    'wait',
    'pod/app',
    `--namespace=${namespace}`,
    '--for=jsonpath={.status.phase}=Running',
    '--timeout=60s',
  ]);
  return namespace;
}

async function removeAllLeftovers(engine: Engine, backup: string): Promise<void> {
  const removeSome = async (): Promise<boolean> => {
    const found = await engine.findLeftovers({ minimumAgeMs: 0 });
    const ours = found.filter(({ backupName }) => backupName === backup);
    const outcomes = await engine.removeLeftovers(ours);
    const failed = outcomes.filter(({ outcome }) => outcome === 'Failed');
    expect(failed).toEqual([]);
    return ours.length === 0;
  };
  await waitFor(removeSome, { what: 'nothing to be left' });
}

async function leftSnapshotObjects(
  kit: TestCluster,
  backupName: string,
): Promise<readonly string[]> {
  const output = await kit.kubectl([
    'get',
    'volumesnapshots,volumesnapshotcontents,volumegroupsnapshots,volumegroupsnapshotcontents',
    '--all-namespaces',
    `--selector=velero.io/backup-name=${backupName}`,
    '--output=name',
  ]);
  return output.split('\n').filter((line) => line !== '');
}

it('a service account with the roles of the guides runs hooks in restored pods', async (context) => {
  const kit = testCluster(context, { node: true });
  const prefix = kit.uniqueName('hooks');
  const source = await kit.createNamespace('hooks');
  const copy = await kit.createNamespace('hooks-copy');
  const pod = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'app', namespace: source },
    spec: {
      automountServiceAccountToken: false,
      terminationGracePeriodSeconds: 0,
      containers: [
        {
          name: 'app',
          image: 'busybox:1.36',
          imagePullPolicy: 'IfNotPresent',
          command: ['sleep', '100000'],
        },
      ],
    },
  };
  // The namespace's default service account may still be on its way.
  await waitFor(
    () => kit.kubectl(['apply', '--filename=-'], { input: JSON.stringify(pod) }).catch(() => false),
    { what: 'the pod to be admitted' },
  );
  const user = await LeastPrivilegeUser.create(kit, context);
  await grantUntilTheEnd(
    kit,
    context,
    await rolesOfGuides(prefix, ['csi-snapshots.md', 'hooks.md']),
    [
      user.grant(`${prefix}-backup`),
      user.grant(`${prefix}-backup-namespace`, source),
      user.grant(`${prefix}-restore`),
      user.grant(`${prefix}-restore-namespace`, copy),
      user.grant(`${prefix}-backup-hooks`, copy),
      user.grant(`${prefix}-restore-hooks`),
    ],
  );
  const engine = user.engine(new MemoryObjectStore());
  await engine.backup({ name: prefix, spec: { includedNamespaces: [source] } });
  const { hooks } = await engine.restore({
    spec: {
      backupName: prefix,
      includedNamespaces: [source],
      includedResources: ['pods'],
      namespaceMapping: { [source]: copy },
      hooks: { resources: [{ name: 'h', postHooks: [{ exec: { command: ['true'] } }] }] },
    },
  });
  expect(hooks).toMatchObject([{ podName: 'app', namespace: copy, outcome: 'Succeeded' }]);
});
