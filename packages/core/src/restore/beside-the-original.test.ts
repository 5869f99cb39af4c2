import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { JsonObject } from '../model/json.ts';
import type { KubernetesObject } from '../model/kubernetes.ts';
import { objectsAt } from '../model/object-path.ts';
import { Resources } from '../model/resources.ts';
import { claim, ObjectChangesScene } from './object-changes-fixture.ts';
import { archivedObject } from './stored-backup-fixture.ts';

let scene: ObjectChangesScene;

beforeEach(async () => {
  scene = await ObjectChangesScene.open();
});

afterEach(async () => {
  await scene[Symbol.asyncDispose]();
});

describe('beside the original', () => {
  const service: KubernetesObject = archivedObject(
    'v1',
    'Service',
    {
      name: 'np',
      annotations: {
        'kubectl.kubernetes.io/last-applied-configuration':
          '{"spec":{"ports":[{"name":"a","nodePort":30080},{"name":"b","nodePort":30081}]}}',
      },
    },
    {
      spec: {
        type: 'NodePort',
        selector: { app: 'web' },
        ports: [
          { name: 'a', port: 80, protocol: 'TCP', nodePort: 30080 },
          { name: 'b', port: 81, protocol: 'TCP', nodePort: 30081 },
        ],
      },
    },
  );
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
        nfs: { server: 's', path: '/shop' },
        claimRef: { namespace: 'shop', name: 'data' },
      },
    },
  );
  const bound = archivedObject(
    'v1',
    'PersistentVolumeClaim',
    { name: 'data' },
    { spec: { ...(claim['spec'] as JsonObject), storageClassName: '', volumeName: 'static' } },
  );
  const copy = { namespaceMapping: { shop: 'copy' } };
  const copied = { group: '', version: 'v1', resource: 'services', namespace: 'copy', name: 'np' };

  it('a Service leaves the node ports that the original has', async () => {
    await scene.storeBackup([['services', service]]);
    scene.cluster.seed([
      { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop' } },
      {
        ...service,
        spec: {
          ...(service['spec'] as JsonObject),
          ports: [{ name: 'a', port: 80, nodePort: 30080 }],
        },
      },
    ]);
    const { issues } = await scene.restore({}, copy);
    expect(issues).toEqual([
      expect.objectContaining({
        severity: 'warning',
        reason: 'NodePortTaken',
        object: { groupResource: 'services', namespace: 'copy', name: 'np' },
      }),
    ]);
    expect(issues[0]?.message).toContain('node port 30080 belongs to Service shop/np');
    const ports = objectsAt((await scene.cluster.get(copied)) ?? {}, ['spec', 'ports']);
    expect(ports.map(({ nodePort }) => nodePort)).toEqual([expect.not.toBeOneOf([30080]), 30081]);
  });

  it('a Service has the node ports of the backup when modifiers and transforms see it', async () => {
    await scene.storeBackup([['services', service]]);
    scene.cluster.seed([
      { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop' } },
      service,
    ]);
    const { issues } = await scene.restore(
      {
        resourceModifiers: {
          version: 'v1',
          resourceModifierRules: [
            {
              conditions: { groupResource: 'services' },
              patches: [{ operation: 'remove', path: '/spec/ports/0/nodePort' }],
            },
          ],
        },
      },
      copy,
    );
    expect(issues.map(({ reason, message }) => `${reason}: ${message}`)).toEqual([
      'NodePortTaken: node port 30081 belongs to Service shop/np of the target cluster, so another one is chosen',
    ]);
  });

  it('a Service keeps the node ports that are free', async () => {
    await scene.storeBackup([['services', service]]);
    const { issues } = await scene.restore({}, copy);
    expect(issues).toEqual([]);
    expect(
      objectsAt((await scene.cluster.get(copied)) ?? {}, ['spec', 'ports']).map(
        ({ nodePort }) => nodePort,
      ),
    ).toEqual([30080, 30081]);
  });

  it('a Service is restored by who may not read the original', async () => {
    await scene.storeBackup([['services', service]]);
    const hidden = { operation: 'get', resource: 'services', namespace: 'shop' } as const;
    scene.cluster.faults.inject({ ...hidden, error: 'Forbidden' });
    expect((await scene.restore({}, copy)).issues).toEqual([]);
    scene.cluster.faults.clear();
    scene.cluster.faults.inject({ ...hidden, error: 'Unavailable' });
    await scene.cluster.delete(copied);
    const { issues } = await scene.restore({}, copy, 'again');
    expect(issues).toEqual([expect.objectContaining({ severity: 'error', reason: 'Unavailable' })]);
  });

  it('a claim does not take the volume of the original, unless volume and claim are given a name for it', async () => {
    await scene.storeBackup([
      ['persistentvolumes', volume],
      ['persistentvolumeclaims', bound],
    ]);
    scene.cluster.seed([
      { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop' } },
      {
        ...volume,
        spec: {
          ...(volume['spec'] as JsonObject),
          claimRef: { namespace: 'shop', name: 'data', uid: 'u' },
        },
      },
    ]);
    const refused = await scene.restore({}, copy);
    expect(refused.issues).toContainEqual(
      expect.objectContaining({ severity: 'error', reason: 'VolumeInUse' }),
    );
    const renamed = await scene.restore(
      {
        transforms: [
          (object) =>
            object.kind === 'PersistentVolume'
              ? { ...object, metadata: { ...object.metadata, name: 'static-copy' } }
              : object,
          (object) =>
            object.kind === 'PersistentVolumeClaim'
              ? {
                  ...object,
                  spec: { ...(object['spec'] as JsonObject), volumeName: 'static-copy' },
                }
              : object,
        ],
      },
      copy,
      'renamed',
    );
    expect(renamed.issues).toEqual([]);
    expect(
      await scene.cluster.get({ ...Resources.persistentVolumes, name: 'static-copy' }),
    ).toMatchObject({
      spec: { claimRef: { namespace: 'copy', name: 'data' } },
    });
    const own = { ...Resources.persistentVolumeClaims, namespace: 'copy', name: 'data' };
    expect(await scene.cluster.get(own)).toMatchObject({ spec: { volumeName: 'static-copy' } });
  });
});
