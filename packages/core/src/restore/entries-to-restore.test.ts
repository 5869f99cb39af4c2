import { describe, expect, it } from 'vitest';
import { silentLogger } from '../internal/silent-logger.ts';
import { systemClock } from '../internal/system-clock.ts';
import type { JsonObject } from '../model/json.ts';
import type { KubernetesObject } from '../model/kubernetes.ts';
import { MemoryObjectStore } from '../stores/memory-object-store.ts';
import { FakeCluster } from '../testing/fake-cluster/fake-cluster.ts';
import type { RestoreOptions, RestoreRequest } from './request.ts';
import { runRestore } from './run-restore.ts';
import { archivedObject, storeBackup } from './stored-backup-fixture.ts';

const labels = { app: 'web' };
const pod = archivedObject(
  'v1',
  'Pod',
  { name: 'web', labels },
  {
    spec: {
      priorityClassName: 'high',
      containers: [{ name: 'c', image: 'i' }],
      volumes: [{ name: 'd', persistentVolumeClaim: { claimName: 'data' } }],
    },
  },
);
const high: KubernetesObject = archivedObject(
  'scheduling.k8s.io/v1',
  'PriorityClass',
  { name: 'high', namespace: undefined },
  { value: 1000 },
);

function claim(name: string, spec: JsonObject = {}): KubernetesObject {
  return archivedObject(
    'v1',
    'PersistentVolumeClaim',
    { name },
    {
      spec: {
        accessModes: ['ReadWriteOnce'],
        storageClassName: '',
        resources: { requests: { storage: '1Gi' } },
        ...spec,
      },
    },
  );
}

const volume = archivedObject(
  'v1',
  'PersistentVolume',
  { name: 'static', namespace: undefined },
  {
    spec: {
      capacity: { storage: '1Gi' },
      accessModes: ['ReadWriteOnce'],
      persistentVolumeReclaimPolicy: 'Retain',
      storageClassName: '',
      nfs: { server: 's', path: '/' },
      claimRef: { namespace: 'shop', name: 'data' },
    },
  },
);

/** Names what a restore creates but for the namespace, in order. */
async function created(
  spec: Partial<RestoreRequest['spec']>,
  options: RestoreOptions = {},
): Promise<readonly string[]> {
  await using cluster = new FakeCluster();
  await using store = new MemoryObjectStore();
  await storeBackup(store, {
    name: 'b',
    objects: [
      ['priorityclasses', high],
      ['persistentvolumes', volume],
      ['persistentvolumeclaims', claim('data', { volumeName: 'static' })],
      ['persistentvolumeclaims', claim('other')],
      ['pods', pod],
    ],
  });
  const names: string[] = [];
  await runRestore(
    { cluster, store, clock: systemClock, logger: silentLogger, actions: [], concurrency: 1 },
    { spec: { backupName: 'b', ...spec } },
    {
      ...options,
      onEvent: (event) => {
        if (event.type === 'item' && event.action === 'created') {
          names.push(`${event.object.groupResource.split('.')[0]}/${event.object.name}`);
        }
      },
    },
  );
  return names.filter((name) => name !== 'namespaces/shop').toSorted();
}

describe('a pod that is selected by its labels', () => {
  const labelSelector = { matchLabels: labels };

  it('brings its class, its claims and their volumes along', async () => {
    expect(await created({ labelSelector, includedNamespaces: ['shop'] })).toEqual([
      'persistentvolumeclaims/data',
      'persistentvolumes/static',
      'pods/web',
      'priorityclasses/high',
    ]);
  });

  it('brings nothing along that is in no namespace when the spec forbids that', async () => {
    const spec = { labelSelector, includeClusterResources: false };
    expect(await created(spec)).toEqual(['pods/web']);
  });

  it('brings no claim along that other filters leave out', async () => {
    const onlyPods = ['pods', 'priorityclasses'];
    expect(await created({ labelSelector, includedResources: onlyPods })).not.toContain(
      'persistentvolumeclaims/data',
    );
    expect(await created({ labelSelector, excludedResources: ['pvc'] })).not.toContain(
      'persistentvolumeclaims/data',
    );
    const include = ({ name }: { readonly name: string }): boolean => name !== 'data';
    expect(await created({ labelSelector }, { include })).not.toContain(
      'persistentvolumeclaims/data',
    );
  });
});
