import type { PlanBackupOptions } from '../backup/plan-options.ts';
import type { BackupResult } from '../backup/request.ts';
import { readArtifactList } from '../catalog/backup-files.ts';
import type { BackupSpec } from '../model/backup.ts';
import type { BackupPlan } from '../model/backup-plan.ts';
import type { JsonObject } from '../model/json.ts';
import {
  describeObject,
  groupResourceOf,
  type KubernetesManifest,
  type ResourceIdentifier,
  type StringMap,
} from '../model/kubernetes.ts';
import { stringAt } from '../model/object-path.ts';
import { Resources } from '../model/resources.ts';
import type { Cluster } from '../ports/cluster.ts';
import type { ObjectStore } from '../ports/object-store.ts';
import { MemoryObjectStore } from '../stores/memory-object-store.ts';
import { FakeCluster } from '../testing/fake-cluster/fake-cluster.ts';
import { createEngine } from './create-engine.ts';
import type { Engine, EngineOptions } from './engine.ts';

/** What a plan or a backup of the lab comes to, in a form that can be compared. */
export interface Outcome {
  readonly objects: readonly string[];
  /** `<namespace>/<claim>` → `snapshot`, or why its data is not in the backup. */
  readonly volumes: Readonly<Record<string, string>>;
  readonly issues: readonly string[];
  readonly hooks: readonly string[];
  readonly groups: readonly string[];
  /** Of the backup, or as foreseen. */
  readonly phase: string;
}

// Their names are made while a backup runs.
const namedLate: readonly string[] = [
  groupResourceOf(Resources.volumeSnapshots),
  groupResourceOf(Resources.volumeSnapshotContents),
];

/** A cluster with applications of several kinds, and an engine that may back them up beside one that may write nowhere. */
export class PlanLab implements AsyncDisposable {
  readonly cluster: FakeCluster;
  readonly store: MemoryObjectStore = new MemoryObjectStore();
  readonly engine: Engine;
  /** What the engine that may write nowhere tried to do. */
  readonly attempts: string[] = [];
  readonly reader: Engine;
  #backups = 0;

  private constructor(cluster: FakeCluster, options: Partial<EngineOptions>) {
    const { podExec } = cluster;
    this.cluster = cluster;
    this.engine = createEngine({ cluster, podExec, store: this.store, ...options });
    const refuse = async (what: string): Promise<never> => {
      this.attempts.push(what);
      throw new Error(`${what} changes something`);
    };
    this.reader = createEngine({
      ...options,
      cluster: withoutWrites(cluster, refuse),
      podExec: { exec: () => refuse('exec') },
      store: storeWithoutWrites(this.store, refuse),
    });
  }

  static async open(options: Partial<EngineOptions> = {}): Promise<PlanLab> {
    const cluster = new FakeCluster();
    cluster.onExec(() => ({}));
    for (const manifest of applications()) {
      await cluster.create(...manifest);
    }
    await cluster.settle();
    return new PlanLab(cluster, options);
  }

  async plan(spec: BackupSpec, options?: PlanBackupOptions): Promise<BackupPlan> {
    return this.reader.planBackup({ name: 'planned', spec }, options);
  }

  /** What the plan of a backup comes to. */
  async foresee(spec: BackupSpec, options?: PlanBackupOptions): Promise<Outcome> {
    const { items, volumes, issues, hooks, volumeGroups, phase } = await this.plan(spec, options);
    return {
      objects: describeAll(items),
      volumes: Object.fromEntries(
        volumes
          .filter((volume) => volume.action !== 'fail')
          .filter(
            (volume) => volume.action !== 'skip' || !withoutVolume.includes(volume.reason ?? ''),
          )
          .map((volume) => [
            `${volume.namespace}/${volume.claimName}`,
            volume.action === 'skip' ? volume.message : 'snapshot',
          ]),
      ),
      issues: issues.map(({ severity, message }) => `${severity} ${message}`).sort(),
      hooks: hooks.map(({ stage, podName }) => `${stage} ${podName}`).sort(),
      groups: volumeGroups.map((group) => JSON.stringify(group)).sort(),
      phase,
    };
  }

  /** What the backup itself comes to. */
  async backUp(spec: BackupSpec, options?: Omit<PlanBackupOptions, 'onEvent'>): Promise<Outcome> {
    const name = `backup-${(this.#backups += 1)}`;
    const stored: ResourceIdentifier[] = [];
    let result: BackupResult;
    try {
      result = await this.engine.backup(
        { name, spec },
        {
          ...options,
          onEvent: (event) =>
            void (event.type === 'item' && event.action === 'stored' && stored.push(event.object)),
        },
      );
    } catch (error) {
      return { ...nothing, issues: [String(error)] };
    }
    const { backup, hooks, volumeGroups, issues } = result;
    const volumes = await readArtifactList(this.store, name, 'volumeInfo');
    return {
      objects: describeAll(stored),
      volumes: Object.fromEntries(volumes.map(describeVolume)),
      issues: issues.map(({ severity, message }) => `${severity} ${message}`).sort(),
      hooks: hooks.map(({ stage, podName }) => `${stage} ${podName}`).sort(),
      groups: volumeGroups.map((group) => JSON.stringify(group)).sort(),
      phase: backup.status.phase,
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.cluster.close();
  }
}

const nothing: Outcome = {
  ...{ objects: [], volumes: {}, issues: [], hooks: [], groups: [] },
  phase: 'Failed',
};
// The file of volumes knows only claims that have one.
const withoutVolume: readonly string[] = ['ClaimNotBound', 'VolumeMissing'];

function describeAll(objects: readonly ResourceIdentifier[]): readonly string[] {
  return objects
    .filter(({ groupResource }) => !namedLate.includes(groupResource))
    .map(({ groupResource, namespace, name }) => describeObject({ groupResource, namespace, name }))
    .sort();
}

function describeVolume(volume: JsonObject): readonly [string, string] {
  const claim = `${stringAt(volume, ['pvcNamespace'])}/${stringAt(volume, ['pvcName'])}`;
  const reason = stringAt(volume, ['skippedReason']) ?? 'snapshot';
  return [claim, reason.replace(/^csiSnapshot: (.*);$/, '$1')];
}

type Refuse = (what: string) => Promise<never>;

function withoutWrites(cluster: Cluster, refuse: Refuse): Cluster {
  return {
    location: cluster.location,
    version: (options) => cluster.version(options),
    discover: (options) => cluster.discover(options),
    get: (reference, options) => cluster.get(reference, options),
    list: (resource, options) => cluster.list(resource, options),
    watch: (resource, options) => cluster.watch(resource, options),
    create: () => refuse('create'),
    patch: () => refuse('patch'),
    delete: () => refuse('delete'),
    close: () => refuse('close'),
    [Symbol.asyncDispose]: () => refuse('close'),
  };
}

function storeWithoutWrites(store: ObjectStore, refuse: Refuse): ObjectStore {
  return {
    location: store.location,
    capabilities: store.capabilities,
    get: (key, options) => store.get(key, options),
    stat: (key, options) => store.stat(key, options),
    list: (prefix, options) => store.list(prefix, options),
    listPrefixes: (prefix, options) => store.listPrefixes(prefix, options),
    put: () => refuse('put'),
    delete: () => refuse('delete object'),
    close: () => refuse('close store'),
    [Symbol.asyncDispose]: () => refuse('close store'),
  };
}

type Manifest = readonly [Parameters<Cluster['create']>[0], KubernetesManifest];

function applications(): readonly Manifest[] {
  const freezing = {
    'pre.hook.backup.velero.io/command': '["freeze"]',
    'post.hook.backup.velero.io/command': '["thaw"]',
  };
  const group = { 'velero.io/volume-group': 'db' };
  return [
    namespace('shop', { team: 'a' }),
    namespace('shop-eu'),
    namespace('empty'),
    object('configMaps', 'shop', 'settings', { labels: { app: 'web' } }),
    object('configMaps', 'shop', 'other'),
    object('configMaps', 'shop-eu', 'settings', { labels: { app: 'web' } }),
    object('configMaps', 'shop-eu', 'hidden', {
      labels: { 'velero.io/exclude-from-backup': 'true' },
    }),
    object('serviceAccounts', 'shop', 'web'),
    [
      Resources.clusterRoleBindings,
      {
        apiVersion: 'rbac.authorization.k8s.io/v1',
        kind: 'ClusterRoleBinding',
        metadata: { name: 'web' },
        roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'gone' },
        subjects: [{ kind: 'ServiceAccount', namespace: 'shop', name: 'web' }],
      },
    ],
    claim('shop', 'data'),
    claim('shop', 'unbound', { storageClassName: 'none' }),
    claim('shop', 'a', {}, group),
    claim('shop', 'b', {}, group),
    claim('shop-eu', 'only', {}, { app: 'db' }),
    pod('shop', 'web', ['data'], { labels: { app: 'web' } }),
    pod('shop', 'cron', ['missing'], {}),
    pod('shop', 'db', ['a', 'b'], { labels: { app: 'db' }, annotations: freezing }),
  ];
}

interface Metadata {
  readonly labels?: StringMap;
  readonly annotations?: StringMap;
}

function namespace(name: string, labels: StringMap = {}): Manifest {
  return [
    Resources.namespaces,
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels } },
  ];
}

function object(
  resource: 'configMaps' | 'serviceAccounts',
  inNamespace: string,
  name: string,
  metadata: Metadata = {},
): Manifest {
  const kind = resource === 'configMaps' ? 'ConfigMap' : 'ServiceAccount';
  const manifest = {
    apiVersion: 'v1',
    kind,
    metadata: { ...metadata, namespace: inNamespace, name },
  };
  return [Resources[resource], manifest];
}

function claim(
  inNamespace: string,
  name: string,
  spec: { readonly storageClassName?: string } = {},
  labels: StringMap = {},
): Manifest {
  const resources = { requests: { storage: '1Mi' } };
  return [
    Resources.persistentVolumeClaims,
    {
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      metadata: { namespace: inNamespace, name, labels },
      spec: {
        ...{ storageClassName: 'fake-csi', accessModes: ['ReadWriteMany'], resources },
        ...spec,
      },
    },
  ];
}

function pod(
  inNamespace: string,
  name: string,
  claims: readonly string[],
  metadata: Metadata,
): Manifest {
  const volumes = claims.map((claimName) => ({
    name: claimName,
    persistentVolumeClaim: { claimName },
  }));
  return [
    Resources.pods,
    {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { ...metadata, namespace: inNamespace, name },
      spec: { containers: [{ name: 'main', image: 'main' }], volumes },
    },
  ];
}
