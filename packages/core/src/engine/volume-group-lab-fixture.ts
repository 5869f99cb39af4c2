import { readArchive } from '../archive/archive-reader.ts';
import type { BackupOptions, BackupResult } from '../backup/request.ts';
import { backupKey } from '../catalog/key-layout.ts';
import { isJsonObject, type JsonObject, parseJson } from '../model/json.ts';
import type { KubernetesManifest, KubernetesObject } from '../model/kubernetes.ts';
import { stringAt } from '../model/object-path.ts';
import { Resources } from '../model/resources.ts';
import type { TakeGroupSnapshotRequest } from '../snapshot/take-group-snapshot.ts';
import type { GroupMember } from '../snapshot/taken-group-snapshot.ts';
import { MemoryObjectStore } from '../stores/memory-object-store.ts';
import { FakeCluster } from '../testing/fake-cluster/fake-cluster.ts';
import { createEngine } from './create-engine.ts';
import type { Engine, EngineOptions } from './engine.ts';

/** The claims of the group. */
export const names = ['a', 'b', 'c'] as const;

/** The label of the group. */
export const group = { 'velero.io/volume-group': 'db' };

export const groupApi = { group: 'groupsnapshot.storage.k8s.io', version: 'v1' };

const groupContents = { ...groupApi, resource: 'volumegroupsnapshotcontents' };

const groupResources = [
  { ...groupApi, resource: 'volumegroupsnapshots' },
  groupContents,
  Resources.volumeSnapshots,
  Resources.volumeSnapshotContents,
];

type VolumeGroupLabOptions = Pick<EngineOptions, 'concurrency' | 'timeouts'>;

/** A cluster with a namespace `shop` whose three claims are a volume group. */
export class VolumeGroupLab implements AsyncDisposable {
  readonly cluster: FakeCluster = new FakeCluster();
  readonly store: MemoryObjectStore = new MemoryObjectStore();
  readonly engine: Engine;

  private constructor(options: VolumeGroupLabOptions) {
    this.engine = createEngine({ ...options, cluster: this.cluster, store: this.store });
  }

  static async open(options: VolumeGroupLabOptions = {}): Promise<VolumeGroupLab> {
    const lab = new VolumeGroupLab(options);
    lab.cluster.seed([{ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop' } }]);
    for (const name of names) {
      await lab.create(claim(name));
    }
    await lab.cluster.settle();
    for (const name of names) {
      lab.cluster.csi.writeFile({ namespace: 'shop', name }, 'file', `of ${name}`);
    }
    return lab;
  }

  async create(manifest: KubernetesManifest): Promise<void> {
    await this.cluster.create(Resources.persistentVolumeClaims, manifest);
  }

  backup(options: BackupOptions = {}, name = 'first'): Promise<BackupResult> {
    return this.engine.backup({ name, spec: { includedNamespaces: ['shop'] } }, options);
  }

  /** What {@link GroupSnapshotSession.request} wants for the group. */
  async groupRequest(): Promise<TakeGroupSnapshotRequest> {
    const { cluster } = this;
    const claims = cluster.list(Resources.persistentVolumeClaims, {
      namespace: 'shop',
      labelSelector: 'velero.io/volume-group=db',
    });
    const groupSnapshotClass = await cluster.get({
      ...groupApi,
      resource: 'volumegroupsnapshotclasses',
      name: 'fake-csi',
    });
    const members: GroupMember[] = [];
    for await (const each of claims) {
      const name = stringAt(each, ['spec', 'volumeName']) ?? '';
      const volume = await cluster.get({ ...Resources.persistentVolumes, name });
      if (volume !== undefined) {
        members.push({ claim: each, volume });
      }
    }
    if (groupSnapshotClass === undefined) {
      throw new Error('no VolumeGroupSnapshotClass fake-csi');
    }
    return {
      namespace: 'shop',
      labelKey: 'velero.io/volume-group',
      labelValue: 'db',
      members,
      groupSnapshotClass,
    };
  }

  async archivedSnapshots(): Promise<readonly JsonObject[]> {
    const found: JsonObject[] = [];
    const source = await this.store.get(backupKey('first', 'archive'));
    for await (const { entry, bytes } of readArchive(source)) {
      const object = parseJson(Buffer.from(bytes).toString());
      if (
        entry.groupResource === 'volumesnapshots.snapshot.storage.k8s.io' &&
        isJsonObject(object)
      ) {
        found.push(object);
      }
    }
    return found;
  }

  read(namespace: string, name: string): string {
    return Buffer.from(this.cluster.csi.readFile({ namespace, name }, 'file') ?? []).toString();
  }

  /** Collects the VolumeGroupSnapshotContents that are made from now on until it is told to stop. */
  async followContents(): Promise<{ readonly stop: () => Promise<readonly KubernetesObject[]> }> {
    const made: KubernetesObject[] = [];
    const { promise: started, resolve: start } = Promise.withResolvers<void>();
    const controller = new AbortController();
    const { signal } = controller;
    const follow = async (): Promise<void> => {
      try {
        for await (const event of this.cluster.watch(groupContents, { signal })) {
          if (event.type === 'synced') {
            start();
          } else if (event.type === 'added') {
            made.push(event.object);
          }
        }
      } catch (error) {
        if (!signal.aborted) {
          throw error;
        }
      }
    };
    const following = follow();
    await Promise.race([started, following]);
    return {
      stop: async () => {
        await this.cluster.settle();
        controller.abort();
        await following;
        return made;
      },
    };
  }

  /** What there is of snapshots: kind, name and policy of each object. */
  async snapshotObjects(): Promise<readonly string[]> {
    await this.cluster.settle();
    const found: string[] = [];
    for (const resource of groupResources) {
      for await (const object of this.cluster.list(resource)) {
        found.push(
          `${object.kind} ${object.metadata.name} ${stringAt(object, ['spec', 'deletionPolicy']) ?? ''}`,
        );
      }
    }
    return found;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.cluster.close();
  }
}

/** A claim of namespace `shop`. */
export function claim(
  name: string,
  labels: Readonly<Record<string, string>> = group,
  storageClassName = 'fake-csi',
): KubernetesManifest {
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: { name, namespace: 'shop', labels },
    spec: {
      storageClassName,
      accessModes: ['ReadWriteOnce'],
      resources: { requests: { storage: '1Gi' } },
    },
  };
}
