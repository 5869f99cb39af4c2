import { afterAll, describe, expect, it } from 'vitest';
import { ClusterError } from '../../../errors.ts';
import type { JsonObject } from '../../../model/json.ts';
import { arrayAt, objectsAt, stringAt, valueAt } from '../../../model/object-path.ts';
import { FakeCluster } from '../fake-cluster.ts';

const cluster = new FakeCluster();
afterAll(async () => {
  await cluster.close();
});

/** The fields that the server refuses in a new object. */
async function refusedFields(
  group: string,
  resource: string,
  kind: string,
  fields: JsonObject,
  metadata: JsonObject = { name: 'a', namespace: 'default' },
): Promise<readonly string[]> {
  const version = 'v1';
  const apiVersion = group === '' ? version : `${group}/${version}`;
  try {
    await cluster.create(
      { group, version, resource },
      { apiVersion, kind, metadata, ...fields },
      { dryRun: true },
    );
    return [];
  } catch (error) {
    expect(error).toBeInstanceOf(ClusterError);
    expect(error).toMatchObject({ code: 'Invalid', httpStatus: 422 });
    return error instanceof ClusterError ? error.invalidFields.map(({ field }) => field) : [];
  }
}

describe('admission of a new object', () => {
  it.each<[string, JsonObject, readonly string[]]>([
    ['no name', { namespace: 'default' }, ['metadata.name']],
    ['a name with capitals', { name: 'A', namespace: 'default' }, ['metadata.name']],
    ['a name too long', { name: 'a'.repeat(254), namespace: 'default' }, ['metadata.name']],
    [
      'a label value with a space',
      { name: 'a', namespace: 'default', labels: { a: 'b c' } },
      ['metadata.labels'],
    ],
    [
      'a label key with two slashes',
      { name: 'a', namespace: 'default', labels: { 'a/b/c': '' } },
      ['metadata.labels'],
    ],
    [
      'annotations too large',
      { name: 'a', namespace: 'default', annotations: { a: 'x'.repeat(262_144) } },
      ['metadata.annotations'],
    ],
    [
      'an owner without a uid',
      {
        name: 'a',
        namespace: 'default',
        ownerReferences: [{ apiVersion: 'v1', kind: 'Pod', name: 'a', uid: '' }],
      },
      ['metadata.ownerReferences[0].uid'],
    ],
    ['an ordinary name', { name: 'a.b-c', namespace: 'default', labels: { 'a.b/c': 'd' } }, []],
  ])('judges metadata: %s', async (_name, metadata, expected) => {
    expect(await refusedFields('', 'configmaps', 'ConfigMap', {}, metadata)).toEqual(expected);
  });

  const template = { spec: { containers: [{ name: 'a', image: 'b' }] } };
  it.each<[string, string, string, JsonObject, readonly string[]]>([
    ['', 'configmaps', 'ConfigMap', { data: { 'a/b': 'x' } }, ['data[a/b]']],
    ['', 'pods', 'Pod', { spec: { containers: [] } }, ['spec.containers']],
    ['', 'pods', 'Pod', { spec: { containers: [{ name: 'a' }] } }, ['spec.containers[0].image']],
    ['', 'services', 'Service', { spec: {} }, ['spec.ports']],
    ['', 'services', 'Service', { spec: { clusterIP: 'None' } }, []],
    [
      '',
      'persistentvolumeclaims',
      'PersistentVolumeClaim',
      { spec: {} },
      ['spec.accessModes', 'spec.resources[storage]'],
    ],
    [
      '',
      'persistentvolumeclaims',
      'PersistentVolumeClaim',
      { spec: { accessModes: ['Any'], resources: { requests: { storage: '0' } } } },
      ['spec.accessModes', 'spec.resources[storage]'],
    ],
    [
      '',
      'persistentvolumes',
      'PersistentVolume',
      { spec: { accessModes: ['ReadWriteOnce'], capacity: { storage: '1Gi' } } },
      ['spec'],
    ],
    ['apps', 'deployments', 'Deployment', { spec: { template } }, ['spec.selector']],
    ['batch', 'jobs', 'Job', { spec: {} }, ['spec.template', 'spec.template.spec.containers']],
    ['storage.k8s.io', 'storageclasses', 'StorageClass', {}, ['provisioner']],
    [
      'snapshot.storage.k8s.io',
      'volumesnapshots',
      'VolumeSnapshot',
      { spec: { source: {} } },
      ['spec.source'],
    ],
    [
      'snapshot.storage.k8s.io',
      'volumesnapshotcontents',
      'VolumeSnapshotContent',
      {
        spec: {
          driver: 'd',
          deletionPolicy: 'Keep',
          source: { snapshotHandle: 'h', volumeHandle: 'v' },
          volumeSnapshotRef: { name: 'n' },
        },
      },
      ['spec.source', 'spec.deletionPolicy', 'spec.volumeSnapshotRef'],
    ],
    [
      'snapshot.storage.k8s.io',
      'volumesnapshotclasses',
      'VolumeSnapshotClass',
      { driver: 'd' },
      ['deletionPolicy'],
    ],
  ])('judges %s %s %s %j', async (group, resource, kind, fields, expected) => {
    expect(await refusedFields(group, resource, kind, fields)).toEqual(expected);
  });

  it('refuses an object that is too large', async () => {
    const data = { large: 'x'.repeat(1_600_000) };
    const manifest = {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'a', namespace: 'default' },
      data,
    };
    await expect(
      cluster.create({ group: '', version: 'v1', resource: 'configmaps' }, manifest),
    ).rejects.toMatchObject({ code: 'Invalid', httpStatus: 413 });
  });

  it('refuses a Pod whose ServiceAccount is missing', async () => {
    const manifest = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'a', namespace: 'default' },
      spec: { serviceAccountName: 'missing', containers: [{ name: 'a', image: 'b' }] },
    };
    await expect(
      cluster.create({ group: '', version: 'v1', resource: 'pods' }, manifest),
    ).rejects.toMatchObject({ code: 'Forbidden' });
  });

  it('gives a Service an address and node ports, and refuses those that are taken', async () => {
    const services = { group: '', version: 'v1', resource: 'services' };
    const service = (name: string, spec: JsonObject) => ({
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name, namespace: 'default' },
      spec: { type: 'NodePort', ports: [{ port: 80 }], ...spec },
    });
    const first = await cluster.create(services, service('first', {}));
    const clusterIP = stringAt(first, ['spec', 'clusterIP']) ?? '';
    const [port = {}] = objectsAt(first, ['spec', 'ports']);
    expect(clusterIP).toMatch(/^10\.96\./);
    expect(arrayAt(first, ['spec', 'clusterIPs'])).toEqual([clusterIP]);
    expect(port).toMatchObject({ port: 80, protocol: 'TCP', targetPort: 80, nodePort: 30_000 });
    const second = service('second', { clusterIP, ports: [port] });
    await expect(cluster.create(services, second)).rejects.toMatchObject({
      invalidFields: [{ field: 'spec.clusterIPs' }, { field: 'spec.ports[0].nodePort' }],
    });
  });

  it('gives a Job a selector of its own and refuses that of another', async () => {
    const jobs = { group: 'batch', version: 'v1', resource: 'jobs' };
    const job = (name: string, spec: JsonObject) => ({
      apiVersion: 'batch/v1',
      kind: 'Job',
      metadata: { name, namespace: 'default' },
      spec: { template, ...spec },
    });
    const first = await cluster.create(jobs, job('first', {}));
    const selector = valueAt(first, ['spec', 'selector']) ?? null;
    expect(selector).toEqual({
      matchLabels: { 'batch.kubernetes.io/controller-uid': first.metadata.uid },
    });
    const copy = job('copy', { selector, template: valueAt(first, ['spec', 'template']) ?? null });
    await expect(cluster.create(jobs, copy)).rejects.toMatchObject({ code: 'Invalid' });
  });
});
