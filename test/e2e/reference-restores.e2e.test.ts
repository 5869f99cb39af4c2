import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Resources } from '@lifeboat/core';
import { expect, it } from 'vitest';
import { objectsAt, valueAt } from '../../packages/core/src/model/object-path.ts';
import type { ExplainedDifference } from './explained-differences.ts';
import { type ComparedRestore, ReferenceRestoreScene } from './reference-restore-scene.ts';
import { filledClaims } from './reference-stand-ins.ts';
import {
  anyRestore,
  besideOriginal,
  claimsFromSnapshots,
  completedJob,
  derivedEndpoints,
  derivedSlices,
  hostPathVolumes,
  noteOnClaims,
  ofTheCluster,
  portOfOriginal,
  snapshotClasses,
  tokenOfAccount,
  updated,
  zooBackup,
} from './restore-differences.ts';

const zoo = { vector: 'zoo-namespace', name: 'zoo' } as const;

function fewerWarnings(why: string): ExplainedDifference {
  return { file: 'status', at: 'warnings', why };
}

const copied: readonly ExplainedDifference[] = [
  ...anyRestore,
  ...claimsFromSnapshots,
  hostPathVolumes,
  ...besideOriginal,
  ...portOfOriginal,
];

/** Asserts that a restore did what Velero did, apart from what is explained, and returns its issues as `<severity> <reason> <name>`. */
function issuesLike({ result, ...differences }: ComparedRestore): readonly string[] {
  expect(differences).toEqual({ unexplained: [], outdated: [] });
  return (
    result.issues
      // Whether a pod differs depends on whether the API server knew of the LimitRange when it was made.
      .filter(({ object }) => object?.groupResource !== 'pods')
      .map(
        ({ severity, reason, object }) =>
          `${severity} ${reason} ${object?.name.replace(/-[0-9a-f]{10}$/, '')}`,
      )
      .sort()
  );
}

it('a namespace is restored into another one, again, and over itself as Velero did it', {
  timeout: 600_000,
}, async (context) => {
  const scene = await ReferenceRestoreScene.open(context, zoo);
  const copy = scene.ours('zoo-m');
  const first = await scene.restoreAsReference('zoo-mapped', [
    ...copied,
    ...zooBackup,
    ...derivedEndpoints,
  ]);
  const everyTime = ['error VolumeInUse static-claim', 'warning ExistsAndDiffers static-pv'];
  const binding = 'warning ExistsAndDiffers zoo-keeper';
  const port = 'warning NodePortTaken np';
  expect(issuesLike(first)).toEqual([...everyTime, binding, port].sort());
  for (const claim of filledClaims) {
    expect(await scene.markOf(copy, claim)).toBe(claim);
  }

  const patch = '{"data":{"b":"changed","new":"x"}}';
  const target = ['configmap/conf', `--namespace=${copy}`];
  await scene.kit.kubectl(['patch', ...target, '--type=merge', `--patch=${patch}`]);
  const again = await scene.restoreAsReference('zoo-mapped-again', [
    ...copied,
    ...zooBackup,
    derivedSlices,
    fewerWarnings('What means the same is no reason to warn.'),
  ]);
  const conf = 'warning ExistsAndDiffers conf';
  expect(issuesLike(again)).toEqual([...everyTime, binding, port, conf].sort());

  const over = await scene.restoreAsReference('zoo-mapped-update', [
    ...copied,
    ...zooBackup,
    ...updated,
    ...derivedEndpoints,
    fewerWarnings('What means the same need not be updated.'),
  ]);
  expect(issuesLike(over)).toEqual([...everyTime, port]);
  const original = scene.cluster.get({
    ...Resources.persistentVolumeClaims,
    ...{ namespace: scene.ours('zoo'), name: 'static-claim' },
  });
  // Velero takes its volume away.
  expect(await original).toMatchObject({ status: { phase: 'Bound' } });
});

it('services are restored with their node ports as Velero did it', {
  timeout: 600_000,
}, async (context) => {
  const scene = await ReferenceRestoreScene.open(context, zoo);
  await scene.freePorts();
  const restore = await scene.restoreAsReference('zoo-np', [
    ...anyRestore,
    fewerWarnings('Of kube-root-ca.crt, which each cluster has.'),
    {
      file: 'outcomes',
      at: 'snapshot.storage.k8s.io/v1/VolumeSnapshotContent',
      only: 'reference',
      why: 'Without its claim no snapshot is imported; Velero creates contents, which nobody needs.',
    },
  ]);
  expect(issuesLike(restore)).toEqual(['error Invalid np']);
  const service = await scene.cluster.get({
    ...{ group: '', version: 'v1', resource: 'services' },
    ...{ namespace: scene.ours('zoo-np'), name: 'lb' },
  });
  const ports = objectsAt(service ?? {}, ['spec', 'ports']).map(({ nodePort }) => nodePort);
  const healthPort = valueAt(service ?? {}, ['spec', 'healthCheckNodePort']);
  expect([...ports, healthPort].map(String)).toEqual(
    ['32542', '32127'].map((port) => scene.ours(port)),
  );
});

it('what a label selects is restored without volumes as Velero did it', {
  timeout: 600_000,
}, async (context) => {
  const scene = await ReferenceRestoreScene.open(context, zoo);
  const restore = await scene.restoreAsReference('zoo-filtered', [
    ...anyRestore,
    ...derivedEndpoints,
    noteOnClaims,
    {
      file: 'outcomes',
      at: 'snapshot.storage.k8s.io/v1/VolumeSnapshot',
      only: 'reference',
      why: 'Snapshot objects of the archive are never restored, so they are not skipped either.',
    },
  ]);
  expect(issuesLike(restore)).toEqual([]);
});

it('a namespace that was deleted is restored as Velero did it', {
  timeout: 600_000,
}, async (context) => {
  const scene = await ReferenceRestoreScene.open(context, zoo);
  const { kit } = scene;
  await kit.kubectl(['delete', 'namespace', scene.ours('zoo')]);
  const shared = [
    'persistentvolume/static-pv',
    'clusterrolebinding/zoo-keeper',
    'clusterrole/zoo-keeper',
  ];
  await kit.kubectl(['delete', ...shared.map((target) => scene.ours(target))]);
  const restore = await scene.restoreAsReference('zoo-original', [
    ...anyRestore,
    ...derivedEndpoints,
    ...claimsFromSnapshots,
    hostPathVolumes,
    ...zooBackup,
    tokenOfAccount,
    fewerWarnings('What means the same is no reason to warn.'),
  ]);
  expect(issuesLike(restore)).toEqual([]);
  for (const claim of filledClaims) {
    expect(await scene.markOf(scene.ours('zoo'), claim)).toBe(claim);
  }
});

it('resource modifiers change what is restored as in Velero', {
  timeout: 600_000,
}, async (context) => {
  const scene = await ReferenceRestoreScene.open(context, {
    vector: 'all-namespaces',
    name: 'all',
  });
  const namespace = await scene.kit.createNamespace('velero');
  const file = join(import.meta.dirname, '../vectors/restores/rmod/modifiers.yaml');
  await scene.cluster.create(Resources.configMaps, {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'rmod', namespace },
    data: { 'modifiers.yaml': scene.ours(await readFile(file, 'utf8')) },
  });
  const explained = [
    ...anyRestore,
    ...claimsFromSnapshots,
    hostPathVolumes,
    ...besideOriginal,
    ...derivedEndpoints,
    completedJob,
    fewerWarnings('Of kube-root-ca.crt, which each cluster has.'),
    {
      file: 'objects',
      at: /\/endpoint(slice)?s(\.|\/).*\/np(-<suffix>)?\.json$/,
      only: 'reference' as const,
      why: 'Endpoints are left to the controller, which makes none without a Service.',
    },
    {
      file: 'outcomes',
      at: 'v1/PersistentVolume pvc-<uid>',
      only: 'reference' as const,
      why: 'No namespace was asked for that has them, so they are not looked at.',
    },
    {
      file: 'status',
      at: 'errors',
      why: 'A claim whose volume is bound to another claim is one; Velero creates it, for nothing.',
    },
  ];
  const restore = await scene.restoreAsReference('rmod', explained, { metadata: { namespace } });
  expect(issuesLike(restore)).toEqual([
    'error Invalid np',
    'error VolumeInUse static-claim',
    'warning ExistsAndDiffers static-pv',
  ]);
});

it('everything that a cluster has lost is restored as Velero did it, definitions included', {
  timeout: 600_000,
}, async (context) => {
  const scene = await ReferenceRestoreScene.open(context, {
    vector: 'all-namespaces',
    name: 'all',
  });
  await scene.kit.kubectl(['delete', 'namespace', scene.ours('zoo')]);
  const shared = [
    ...['persistentvolume/static-pv', 'priorityclass/zoo-high', 'ingressclass/zoo-ic'],
    ...['clusterrolebinding/zoo-keeper', 'clusterrole/zoo-keeper'],
    ...['widgets', 'gizmos'].map((name) => `customresourcedefinition/${name}.lab.example.com`),
  ];
  await scene.kit.kubectl(['delete', ...shared.map((target) => scene.ours(target))]);
  const restore = await scene.restoreAsReference(
    'all-restored',
    [
      ...anyRestore,
      ...derivedEndpoints,
      ...claimsFromSnapshots,
      hostPathVolumes,
      tokenOfAccount,
      completedJob,
      ofTheCluster,
      snapshotClasses,
      fewerWarnings("Of what is everybody's, and of kube-root-ca.crt, which each cluster has."),
    ],
    { include: (candidate) => scene.isOurs(candidate) },
  );
  expect(issuesLike(restore)).toEqual([]);
  for (const claim of filledClaims) {
    expect(await scene.markOf(scene.ours('zoo'), claim)).toBe(claim);
  }
});

it('pods with hooks are restored as Velero did it, and the hooks have run', {
  timeout: 600_000,
}, async (context) => {
  const scene = await ReferenceRestoreScene.open(context, {
    vector: 'hooks-annotations',
    name: 'hooks-ann',
  });
  const restore = await scene.restoreAsReference('hooks-mapped', [
    ...anyRestore,
    ...claimsFromSnapshots,
    snapshotClasses,
    fewerWarnings('Of kube-root-ca.crt, which each cluster has.'),
  ]);
  expect(issuesLike(restore)).toEqual([]);
  const copy = scene.ours('hooked-m');
  expect(await scene.markOf(copy, 'data')).toBe('data');
  expect(await scene.fileOf(copy, 'data', 'restored')).toBe('restored\n');
});
