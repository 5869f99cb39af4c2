import { describe, expect, it } from 'vitest';
import type { Backup } from '../../model/backup.ts';
import type { JsonObject } from '../../model/json.ts';
import type { KubernetesManifest, KubernetesObject } from '../../model/kubernetes.ts';
import type { Restore, RestoreSpec } from '../../model/restore.ts';
import { importedSnapshotName } from '../../snapshot/imported-snapshot.ts';
import { MemoryObjectStore } from '../../stores/memory-object-store.ts';
import { FakeCluster } from '../../testing/fake-cluster/fake-cluster.ts';
import { ArchivedVolumes } from '../archived-volumes.ts';
import { BackupContents } from '../backup-contents.ts';
import { BackupEntries } from '../backup-entries.ts';
import { BackupSpool } from '../backup-spool.ts';
import { ListedSnapshots } from '../listed-snapshots.ts';
import { resetMetadata } from '../reset-metadata.ts';
import { createBuiltInActions } from './built-in-actions.ts';

interface Scenario {
  readonly groupResource: string;
  readonly object: KubernetesObject;
  readonly spec?: Partial<RestoreSpec>;
  /** What else the backup holds. */
  readonly others?: readonly (readonly [groupResource: string, object: KubernetesObject])[];
  readonly volumeInfo?: readonly JsonObject[];
}

const backup: Backup = {
  apiVersion: 'velero.io/v1',
  kind: 'Backup',
  metadata: { name: 'b' },
  spec: {},
  status: { version: 1, formatVersion: '1.1.0', phase: 'Completed' },
};

/** Runs the actions that apply; the object to create, or why it is not. */
async function run(scenario: Scenario): Promise<KubernetesManifest | string> {
  const { groupResource, object, others = [], spec = {}, volumeInfo = [] } = scenario;
  const restore: Restore = {
    apiVersion: 'velero.io/v1',
    kind: 'Restore',
    metadata: { name: 'r', uid: 'restore-uid' },
    spec: { backupName: 'b', ...spec },
    status: { phase: 'InProgress' },
  };
  await using cluster = new FakeCluster();
  await using contents = await contentsOf([[groupResource, object], ...others]);
  const signal = new AbortController().signal;
  const volumes = new ArchivedVolumes({
    contents,
    spec: restore.spec,
    volumeInfo,
    listed: new ListedSnapshots(new MemoryObjectStore(), 'b', signal),
    movesData: false,
  });
  let item = resetMetadata(object);
  for (const action of createBuiltInActions(volumes, restore.spec)) {
    if (action.appliesTo.resources?.includes(groupResource) === true) {
      const output = await action.execute({
        item,
        itemFromBackup: object,
        purpose: 'restore',
        targetNamespace: object.metadata.namespace,
        restore,
        backup,
        cluster,
        signal,
      });
      if (output.skip !== undefined) {
        return output.skip;
      }
      item = output.item ?? item;
    }
  }
  return item;
}

async function contentsOf(
  objects: readonly (readonly [groupResource: string, object: KubernetesObject])[],
): Promise<BackupContents> {
  const spool = await BackupSpool.open();
  const entries = new BackupEntries();
  for (const [groupResource, object] of objects) {
    const record = await spool.append(Buffer.from(JSON.stringify(object)));
    const { name, namespace } = object.metadata;
    entries.add({ groupResource, namespace, name, selected: true, record });
  }
  await spool.flush();
  return new BackupContents(spool, entries);
}

function object(
  apiVersion: string,
  kind: string,
  fields: JsonObject,
  metadata: JsonObject = {},
): KubernetesObject {
  return { apiVersion, kind, metadata: { name: 'x', namespace: 'shop', ...metadata }, ...fields };
}

describe('what is not restored', () => {
  const skipped: readonly [
    what: string,
    groupResource: string,
    KubernetesObject,
    reason: string,
  ][] = [
    [
      'a pod that has run to its end',
      'pods',
      object('v1', 'Pod', { status: { phase: 'Succeeded' } }),
      'run to its end',
    ],
    [
      'a failed pod',
      'pods',
      object('v1', 'Pod', { status: { phase: 'Failed' } }),
      'run to its end',
    ],
    [
      'a mirror pod',
      'pods',
      object('v1', 'Pod', {}, { annotations: { 'kubernetes.io/config.mirror': 'x' } }),
      'static pod',
    ],
    [
      'a complete job',
      'jobs.batch',
      object('batch/v1', 'Job', { status: { completionTime: '2026-01-01T00:00:00Z' } }),
      'complete',
    ],
    [
      'an APIService of the server itself',
      'apiservices.apiregistration.k8s.io',
      object(
        'apiregistration.k8s.io/v1',
        'APIService',
        {},
        { labels: { 'kube-aggregator.kubernetes.io/automanaged': 'onstart' } },
      ),
      'registers it itself',
    ],
    [
      'the certificates of the cluster',
      'configmaps',
      object('v1', 'ConfigMap', {}, { name: 'kube-root-ca.crt' }),
      'its own certificates',
    ],
    [
      'a generated token',
      'secrets',
      object(
        'v1',
        'Secret',
        { type: 'kubernetes.io/service-account-token' },
        { name: 'web-token-abc', annotations: { 'kubernetes.io/service-account.name': 'web' } },
      ),
      'generated for ServiceAccount web',
    ],
    [
      'the Service of the API server',
      'services',
      object('v1', 'Service', {}, { name: 'kubernetes', namespace: 'default' }),
      'makes this Service itself',
    ],
    [
      'endpoints that a controller derived',
      'endpointslices.discovery.k8s.io',
      object(
        'discovery.k8s.io/v1',
        'EndpointSlice',
        {},
        { labels: { 'endpointslice.kubernetes.io/managed-by': 'endpointslice-controller.k8s.io' } },
      ),
      'derives it',
    ],
    [
      'old endpoints that a controller derived',
      'endpoints',
      object(
        'v1',
        'Endpoints',
        {},
        { annotations: { 'endpoints.kubernetes.io/last-change-trigger-time': 't' } },
      ),
      'derives it',
    ],
    [
      'the address of a Service',
      'ipaddresses.networking.k8s.io',
      object(
        'networking.k8s.io/v1',
        'IPAddress',
        {},
        { labels: { 'ipaddress.kubernetes.io/managed-by': 'ipallocator.k8s.io' } },
      ),
      'makes it for its Service',
    ],
    [
      'the volume that a pod makes for itself',
      'persistentvolumeclaims',
      object(
        'v1',
        'PersistentVolumeClaim',
        {},
        { ownerReferences: [{ apiVersion: 'v1', kind: 'Pod', name: 'p', uid: 'u' }] },
      ),
      'ephemeral volume of Pod p',
    ],
  ];
  it.each(skipped)('%s', async (_what, groupResource, item, reason) => {
    expect(await run({ groupResource, object: item })).toContain(reason);
  });

  it.each([
    ['endpoints that people wrote', 'endpoints', object('v1', 'Endpoints', { subsets: [] })],
    [
      'addresses that others registered',
      'ipaddresses.networking.k8s.io',
      object('networking.k8s.io/v1', 'IPAddress', {}),
    ],
  ])('%s are restored', async (_what, groupResource, item) => {
    expect(await run({ groupResource, object: item })).toEqual(item);
  });
});

describe('what is changed', () => {
  const changed: readonly [
    what: string,
    groupResource: string,
    from: KubernetesObject,
    to: JsonObject,
    spec?: Partial<RestoreSpec>,
  ][] = [
    [
      'a pod is freed from its node and its token',
      'pods',
      object('v1', 'Pod', {
        spec: {
          nodeName: 'n1',
          priority: 5,
          ephemeralContainers: [{ name: 'debug' }],
          serviceAccountName: 'web',
          volumes: [{ name: 'web-token-abc' }, { name: 'data' }],
          containers: [{ name: 'c', volumeMounts: [{ name: 'web-token-abc' }, { name: 'data' }] }],
        },
      }),
      {
        spec: {
          serviceAccountName: 'web',
          volumes: [{ name: 'data' }],
          containers: [{ name: 'c', volumeMounts: [{ name: 'data' }] }],
        },
      },
    ],
    [
      'a job loses the labels of its uid',
      'jobs.batch',
      object('batch/v1', 'Job', {
        spec: {
          selector: {
            matchLabels: { 'controller-uid': 'u', 'batch.kubernetes.io/controller-uid': 'u' },
          },
          template: { metadata: { labels: { 'controller-uid': 'u', app: 'a' } } },
        },
      }),
      { spec: { selector: { matchLabels: {} }, template: { metadata: { labels: { app: 'a' } } } } },
    ],
    [
      'a token that somebody asked for is issued anew',
      'secrets',
      object(
        'v1',
        'Secret',
        {
          type: 'kubernetes.io/service-account-token',
          data: { token: 't', 'ca.crt': 'c', namespace: 'bg==', extra: 'e' },
        },
        {
          annotations: {
            'kubernetes.io/service-account.name': 'web',
            'kubernetes.io/service-account.uid': 'u',
          },
        },
      ),
      {
        type: 'kubernetes.io/service-account-token',
        data: { extra: 'e' },
        metadata: {
          name: 'x',
          namespace: 'shop',
          annotations: { 'kubernetes.io/service-account.name': 'web' },
        },
      },
    ],
    [
      'an account loses the reference to its generated token',
      'serviceaccounts',
      object('v1', 'ServiceAccount', { secrets: [{ name: 'x-token-abc' }, { name: 'own' }] }),
      { secrets: [{ name: 'own' }] },
    ],
    [
      'subjects follow the namespace mapping',
      'rolebindings.rbac.authorization.k8s.io',
      object('rbac.authorization.k8s.io/v1', 'RoleBinding', {
        subjects: [
          { kind: 'ServiceAccount', name: 'a', namespace: 'shop' },
          { kind: 'ServiceAccount', name: 'b', namespace: 'other' },
          { kind: 'User', name: 'u' },
        ],
      }),
      {
        subjects: [
          { kind: 'ServiceAccount', name: 'a', namespace: 'copy' },
          { kind: 'ServiceAccount', name: 'b', namespace: 'other' },
          { kind: 'User', name: 'u' },
        ],
      },
      { namespaceMapping: { shop: 'copy' } },
    ],
    [
      'webhooks that do not say what Velero asks for have no side effects',
      'validatingwebhookconfigurations.admissionregistration.k8s.io',
      object('admissionregistration.k8s.io/v1', 'ValidatingWebhookConfiguration', {
        webhooks: [
          { name: 'a', sideEffects: 'Unknown' },
          { name: 'b' },
          { name: 'c', sideEffects: 'NoneOnDryRun' },
        ],
      }),
      {
        webhooks: [
          { name: 'a', sideEffects: 'None' },
          { name: 'b', sideEffects: 'None' },
          { name: 'c', sideEffects: 'NoneOnDryRun' },
        ],
      },
    ],
    [
      'webhooks of another version stay',
      'mutatingwebhookconfigurations.admissionregistration.k8s.io',
      object('admissionregistration.k8s.io/v1beta1', 'MutatingWebhookConfiguration', {
        webhooks: [{ name: 'a' }],
      }),
      { webhooks: [{ name: 'a' }] },
    ],
    [
      'a pod does not wait for a restore that is over',
      'pods',
      object('v1', 'Pod', {
        spec: {
          initContainers: [{ name: 'restore-wait' }, { name: 'restic-wait' }],
          containers: [{ name: 'c' }],
        },
      }),
      { spec: { containers: [{ name: 'c' }] } },
    ],
    [
      'a pod keeps its own init containers',
      'pods',
      object('v1', 'Pod', {
        spec: {
          initContainers: [{ name: 'restore-wait' }, { name: 'migrate' }],
          containers: [{ name: 'c' }],
        },
      }),
      { spec: { initContainers: [{ name: 'migrate' }], containers: [{ name: 'c' }] } },
    ],
    [
      'subjects of the whole cluster follow the namespace mapping',
      'clusterrolebindings.rbac.authorization.k8s.io',
      object(
        'rbac.authorization.k8s.io/v1',
        'ClusterRoleBinding',
        { subjects: [{ kind: 'ServiceAccount', name: 'a', namespace: 'shop' }] },
        { namespace: undefined },
      ),
      { subjects: [{ kind: 'ServiceAccount', name: 'a', namespace: 'copy' }] },
      { namespaceMapping: { shop: 'copy' } },
    ],
    [
      'a definition keeps unknown fields by its schema',
      'customresourcedefinitions.apiextensions.k8s.io',
      object('apiextensions.k8s.io/v1', 'CustomResourceDefinition', {
        spec: {
          preserveUnknownFields: true,
          versions: [{ name: 'v1', schema: { openAPIV3Schema: { type: 'object' } } }],
        },
      }),
      {
        spec: {
          versions: [
            {
              name: 'v1',
              schema: {
                openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
              },
            },
          ],
        },
      },
    ],
    [
      'a volume that outlived its claim waits for the claim of that name',
      'persistentvolumes',
      object(
        'v1',
        'PersistentVolume',
        {
          spec: {
            persistentVolumeReclaimPolicy: 'Retain',
            claimRef: { namespace: 'shop', name: 'data', uid: 'u', resourceVersion: '1' },
          },
        },
        {
          namespace: undefined,
          annotations: {
            'pv.kubernetes.io/bound-by-controller': 'yes',
            'pv.kubernetes.io/provisioned-by': 'd',
          },
        },
      ),
      {
        spec: {
          persistentVolumeReclaimPolicy: 'Retain',
          claimRef: { namespace: 'copy', name: 'data' },
        },
        metadata: { name: 'x', annotations: { 'pv.kubernetes.io/provisioned-by': 'd' } },
      },
      { namespaceMapping: { shop: 'copy' } },
    ],
  ];
  it.each(changed)('%s', async (_what, groupResource, from, to, spec = {}) => {
    const item = await run({ groupResource, object: from, spec });
    expect(item).toEqual({ ...resetMetadata(from), ...to });
  });
});

describe('a Service', () => {
  const http: JsonObject = { name: 'http', port: 80 };
  const admin: JsonObject = { name: 'admin', port: 81, protocol: 'TCP' };
  const chosenHttp: JsonObject = { ...http, nodePort: 30080 };
  const chosenAdmin: JsonObject = { ...admin, nodePort: 30081 };
  const ports = [chosenHttp, chosenAdmin];
  const freed = [http, admin];
  const service = (spec: JsonObject, metadata: JsonObject = {}): KubernetesObject =>
    object(
      'v1',
      'Service',
      { spec: { clusterIP: '10.0.0.1', clusterIPs: ['10.0.0.1'], ports, ...spec } },
      metadata,
    );
  const applied = (list: JsonObject[], spec: JsonObject = {}): JsonObject => ({
    annotations: {
      'kubectl.kubernetes.io/last-applied-configuration': JSON.stringify({
        spec: { ...spec, ports: list },
      }),
    },
  });
  const owned: JsonObject = {
    managedFields: [
      {
        fieldsV1: {
          'f:spec': { 'f:ports': { 'k:{"port":81,"protocol":"TCP"}': { 'f:nodePort': {} } } },
        },
      },
    ],
  };
  const cases: readonly [
    what: string,
    from: KubernetesObject,
    to: JsonObject,
    spec?: Partial<RestoreSpec>,
  ][] = [
    ['gets new addresses and node ports', service({}), { ports: freed }],
    [
      'stays headless',
      service({ clusterIP: 'None', clusterIPs: ['None'] }),
      { clusterIP: 'None', clusterIPs: ['None'], ports: freed },
    ],
    [
      'keeps a node port that was applied',
      service({}, applied([{ name: 'admin', nodePort: 30081 }])),
      { ports: [http, chosenAdmin] },
    ],
    [
      'keeps a node port whose field somebody owns',
      service({}, owned),
      { ports: [http, chosenAdmin] },
    ],
    [
      'heeds what was applied before what is owned',
      service({}, { ...owned, ...applied([{ name: 'http', nodePort: 30080 }]) }),
      { ports: [chosenHttp, admin] },
    ],
    ['keeps every node port on request', service({}), { ports }, { preserveNodePorts: true }],
    ['gets a new health check port', service({ healthCheckNodePort: 31000 }), { ports: freed }],
    [
      'keeps a health check port that was applied',
      service({ healthCheckNodePort: 31000 }, applied([], { healthCheckNodePort: 31000 })),
      { healthCheckNodePort: 31000, ports: freed },
    ],
    [
      'keeps a health check port whose field somebody owns, whatever was applied',
      service(
        { healthCheckNodePort: 31000 },
        {
          ...applied([]),
          managedFields: [{ fieldsV1: { 'f:spec': { 'f:healthCheckNodePort': {} } } }],
        },
      ),
      { healthCheckNodePort: 31000, ports: freed },
    ],
  ];
  it.each(cases)('%s', async (_what, from, to, spec = {}) => {
    const item = await run({ groupResource: 'services', object: from, spec });
    expect(item).toMatchObject({ spec: to });
    expect(Object.keys(typeof item === 'string' ? {} : (item['spec'] ?? {})).sort()).toEqual(
      Object.keys(to).sort(),
    );
  });
});

describe('a PersistentVolumeClaim', () => {
  const bound = object(
    'v1',
    'PersistentVolumeClaim',
    {
      spec: {
        volumeName: 'pv',
        storageClassName: 'fast',
        selector: { matchLabels: { a: 'b' } },
        dataSourceRef: { kind: 'PersistentVolumeClaim', name: 'origin' },
        resources: { requests: { storage: '10Mi' } },
      },
      status: { phase: 'Bound' },
    },
    {
      name: 'data',
      annotations: {
        'pv.kubernetes.io/bind-completed': 'yes',
        'pv.kubernetes.io/bound-by-controller': 'yes',
        'volume.kubernetes.io/storage-provisioner': 'd',
        'volume.beta.kubernetes.io/storage-provisioner': 'd',
        'volume.kubernetes.io/selected-node': 'n1',
        'velero.io/volume-snapshot-name': 'vs',
        'backup.velero.io/must-include-additional-items': 'true',
        note: 'kept',
      },
    },
  );
  const others: Scenario['others'] = [
    [
      'volumesnapshots.snapshot.storage.k8s.io',
      object(
        'snapshot.storage.k8s.io/v1',
        'VolumeSnapshot',
        { status: { boundVolumeSnapshotContentName: 'vsc' } },
        { name: 'vs', annotations: { 'velero.io/csi-volumesnapshot-restore-size': '30Mi' } },
      ),
    ],
    [
      'volumesnapshotcontents.snapshot.storage.k8s.io',
      object(
        'snapshot.storage.k8s.io/v1',
        'VolumeSnapshotContent',
        { spec: { driver: 'd' }, status: { snapshotHandle: 'h' } },
        { name: 'vsc', namespace: undefined },
      ),
    ],
  ];

  it('is filled from its imported snapshot and asks for no less than that needs', async () => {
    const item = await run({ groupResource: 'persistentvolumeclaims', object: bound, others });
    expect(item).toEqual({
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      metadata: { name: 'data', namespace: 'shop', annotations: { note: 'kept' } },
      spec: {
        storageClassName: 'fast',
        resources: { requests: { storage: '30Mi' } },
        dataSource: {
          apiGroup: 'snapshot.storage.k8s.io',
          kind: 'VolumeSnapshot',
          name: importedSnapshotName('restore-uid', 'vs'),
        },
      },
    });
  });

  it('gets a new volume when no data is wanted', async () => {
    const item = await run({
      groupResource: 'persistentvolumeclaims',
      object: bound,
      others,
      spec: { restorePVs: false },
    });
    expect(item).toMatchObject({
      spec: { storageClassName: 'fast', resources: { requests: { storage: '10Mi' } } },
    });
    expect(item).not.toHaveProperty('spec.volumeName');
    expect(item).not.toHaveProperty('spec.dataSource');
  });

  it('has its volume left out when that is provisioned anew', async () => {
    const volume = object(
      'v1',
      'PersistentVolume',
      {
        spec: {
          persistentVolumeReclaimPolicy: 'Retain',
          claimRef: { namespace: 'shop', name: 'data' },
        },
      },
      { name: 'pv', namespace: undefined },
    );
    const scenario = { groupResource: 'persistentvolumes', object: volume };
    const claims: Scenario['others'] = [['persistentvolumeclaims', bound]];
    expect(await run({ ...scenario, others: claims })).toContain('from its snapshot');
    expect(
      await run({ ...scenario, volumeInfo: [{ pvName: 'pv', backupMethod: 'CSISnapshot' }] }),
    ).toContain('from its snapshot');
  });
});
