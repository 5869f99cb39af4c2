import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../model/json.ts';
import type { KubernetesManifest, KubernetesObject } from '../../../model/kubernetes.ts';
import { stringAt } from '../../../model/object-path.ts';
import { Resources } from '../../../model/resources.ts';
import { FakeCluster } from '../fake-cluster.ts';

describe('ClaimController', () => {
  let cluster: FakeCluster;
  beforeEach(() => {
    cluster = new FakeCluster();
  });
  afterEach(async () => {
    await cluster.close();
  });

  const create = async (claimSpec: JsonObject, ...volumes: readonly KubernetesManifest[]) => {
    for (const manifest of volumes) {
      await cluster.create(Resources.persistentVolumes, manifest);
    }
    await cluster.settle();
    await cluster.create(Resources.persistentVolumeClaims, claim(claimSpec));
    await cluster.settle();
    return readClaim();
  };
  const readClaim = async (): Promise<KubernetesObject> => {
    const reference = { ...Resources.persistentVolumeClaims, namespace: 'default', name: 'data' };
    return (await cluster.get(reference)) ?? expect.fail('the claim is missing');
  };
  const outcome = (bound: KubernetesObject): string =>
    `${stringAt(bound, ['status', 'phase'])} ${stringAt(bound, ['spec', 'volumeName'])}`;

  it('binds a claim to the smallest volume that satisfies it', async () => {
    const bound = await create(
      { storageClassName: 'manual' },
      volume('large', '10Gi'),
      volume('small', '1Mi'),
      volume('fitting', '2Gi'),
    );
    expect(outcome(bound)).toBe('Bound fitting');
  });

  it('binds a claim to the volume that is reserved for it', async () => {
    const claimRef = { namespace: 'default', name: 'data' };
    const bound = await create(
      { storageClassName: 'manual' },
      volume('open', '1Gi'),
      volume('reserved', '1Gi', { claimRef }),
    );
    expect(outcome(bound)).toBe('Bound reserved');
    const reserved = await cluster.get({ ...Resources.persistentVolumes, name: 'reserved' });
    expect(stringAt(reserved ?? {}, ['spec', 'claimRef', 'uid'])).toBe(bound.metadata.uid);
  });

  it('binds a claim to the volume that it names, and not to one of another claim', async () => {
    const spec = { storageClassName: 'manual', volumeName: 'named' };
    expect(outcome(await create(spec, volume('named', '1Gi')))).toBe('Bound named');
    const other = { ...claim(spec), metadata: { namespace: 'default', name: 'other' } };
    await cluster.create(Resources.persistentVolumeClaims, other);
    await cluster.settle();
    const reference = { ...Resources.persistentVolumeClaims, ...other.metadata };
    expect(stringAt((await cluster.get(reference)) ?? {}, ['status', 'phase'])).toBe('Pending');
  });

  it.each<[string, JsonObject]>([
    ['no class and no volume', { storageClassName: '' }],
    ['a missing class', { storageClassName: 'missing' }],
    ['a volume that is missing', { storageClassName: 'manual', volumeName: 'missing' }],
    ['a snapshot that is missing', { dataSource: snapshotSource }],
  ])('leaves a claim with %s Pending', async (_name, spec) => {
    expect(stringAt(await create(spec), ['status', 'phase'])).toBe('Pending');
  });

  it('gives a claim without a class the default one', async () => {
    const bound = await create({});
    expect(stringAt(bound, ['spec', 'storageClassName'])).toBe('fake-csi');
    expect(outcome(bound)).toBe(`Bound pvc-${bound.metadata.uid ?? ''}`);
  });

  it('loses a claim with its volume', async () => {
    await create({ storageClassName: 'manual' }, volume('only', '1Gi'));
    const reference = { ...Resources.persistentVolumes, name: 'only' };
    await cluster.patch(reference, { type: 'merge', patch: { metadata: { finalizers: null } } });
    await cluster.delete(reference);
    await cluster.settle();
    expect(stringAt(await readClaim(), ['status', 'phase'])).toBe('Lost');
  });

  it('keeps a volume of policy Retain after its claim, Released', async () => {
    await create({ storageClassName: 'manual' }, volume('only', '1Gi'));
    await cluster.delete({
      ...Resources.persistentVolumeClaims,
      namespace: 'default',
      name: 'data',
    });
    await cluster.settle();
    const released = await cluster.get({ ...Resources.persistentVolumes, name: 'only' });
    expect(stringAt(released ?? {}, ['status', 'phase'])).toBe('Released');
  });

  it('fills a claim from another claim', async () => {
    await create({});
    cluster.csi.writeFile({ namespace: 'default', name: 'data' }, 'file', 'bytes');
    const dataSource = { kind: 'PersistentVolumeClaim', name: 'data' };
    const copy = { ...claim({ dataSource }), metadata: { namespace: 'default', name: 'copy' } };
    await cluster.create(Resources.persistentVolumeClaims, copy);
    await cluster.settle();
    const bytes = cluster.csi.readFile(copy.metadata, 'file') ?? [];
    expect(Buffer.from(bytes).toString()).toBe('bytes');
  });
});

const snapshotSource = {
  apiGroup: 'snapshot.storage.k8s.io',
  kind: 'VolumeSnapshot',
  name: 'missing',
};

function claim(spec: JsonObject): KubernetesManifest {
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: { name: 'data', namespace: 'default' },
    spec: {
      accessModes: ['ReadWriteOnce'],
      resources: { requests: { storage: '1Gi' } },
      ...spec,
    },
  };
}

function volume(name: string, storage: string, spec: JsonObject = {}): KubernetesManifest {
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolume',
    metadata: { name },
    spec: {
      accessModes: ['ReadWriteOnce'],
      capacity: { storage },
      hostPath: { path: '/data' },
      storageClassName: 'manual',
      ...spec,
    },
  };
}
