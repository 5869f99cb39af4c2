import { expect } from 'vitest';
import { ValidationError } from '../errors.ts';
import type { GroupVersionResource, KubernetesObject } from '../model/kubernetes.ts';
import { Resources } from '../model/resources.ts';
import type { FakeCluster } from '../testing/fake-cluster/fake-cluster.ts';
import type { RestoreOptions, RestoreRequest, RestoreResult } from './request.ts';
import { RestoreScene, type SceneEngine } from './restore-scene-fixture.ts';
import { archivedObject, type StoredBackup } from './stored-backup-fixture.ts';

export const deployments: GroupVersionResource = {
  group: 'apps',
  version: 'v1',
  resource: 'deployments',
};

const namespace = archivedObject('v1', 'Namespace', { name: 'shop', namespace: undefined });
const settings = archivedObject('v1', 'ConfigMap', { name: 'settings' }, { data: { a: 'b' } });
export const web: KubernetesObject = archivedObject(
  'apps/v1',
  'Deployment',
  { name: 'web' },
  {
    spec: {
      replicas: 3,
      selector: { matchLabels: { app: 'web' } },
      template: {
        metadata: { labels: { app: 'web' } },
        spec: {
          nodeSelector: { 'kubernetes.io/hostname': 'n1' },
          containers: [{ name: 'c', image: 'docker.io/web:1' }],
        },
      },
    },
  },
);
export const claim: KubernetesObject = archivedObject(
  'v1',
  'PersistentVolumeClaim',
  { name: 'data' },
  {
    spec: {
      accessModes: ['ReadWriteOnce'],
      storageClassName: 'old',
      resources: { requests: { storage: '1Gi' } },
    },
  },
);

/** Restores of a small application that change its objects. Dispose it. */
export class ObjectChangesScene implements AsyncDisposable {
  readonly #scene = RestoreScene.open();

  static async open(): Promise<ObjectChangesScene> {
    const scene = new ObjectChangesScene();
    await scene.storeBackup([
      ['namespaces', namespace],
      ['configmaps', settings],
      ['deployments', web],
      ['persistentvolumeclaims', claim],
    ]);
    scene.cluster.seed([
      { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'velero' } },
      storageClass('new'),
    ]);
    return scene;
  }

  get cluster(): FakeCluster {
    return this.#scene.cluster;
  }

  /** Has other objects restored in place of the application. */
  storeBackup(objects: StoredBackup['objects']): Promise<void> {
    return this.#scene.storeBackup('b', objects);
  }

  restore(
    options: RestoreOptions & SceneEngine = {},
    spec: Partial<RestoreRequest['spec']> = {},
    name = 'r',
  ): Promise<RestoreResult> {
    return this.#scene.restore({ name, spec: { backupName: 'b', ...spec } }, options);
  }

  deployment(name = 'web', ns = 'shop'): Promise<KubernetesObject | undefined> {
    return this.cluster.get({ ...deployments, namespace: ns, name });
  }

  /** What a restore is refused for, before anything is touched. */
  async faultsOf(running: Promise<RestoreResult>): Promise<readonly string[]> {
    const error: unknown = await running.catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(ValidationError);
    expect(await this.cluster.get({ ...Resources.namespaces, name: 'shop' })).toBeUndefined();
    return error instanceof ValidationError
      ? error.violations.map(({ path, rule }) => `${path} ${rule}`)
      : [];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#scene[Symbol.asyncDispose]();
  }
}

export function storageClass(name: string): KubernetesObject {
  return {
    apiVersion: 'storage.k8s.io/v1',
    kind: 'StorageClass',
    metadata: { name },
    provisioner: 'example.com/none',
    volumeBindingMode: 'WaitForFirstConsumer',
  };
}
