import assert from 'node:assert/strict';
import { isLifeboatError } from '../../errors.ts';
import type {
  KubernetesManifest,
  KubernetesObject,
  ObjectReference,
} from '../../model/kubernetes.ts';
import { booleanAt, stringAt } from '../../model/object-path.ts';
import { Resources } from '../../model/resources.ts';
import type { ClusterContractContext, CsiContractContext } from './cluster-contract-context.ts';
import { eventually } from './expectations.ts';

const snapshotApiVersion = 'snapshot.storage.k8s.io/v1';

/** The manifest of a claim of 1Mi, filled from a VolumeSnapshot if one is named. */
export function claimManifest(
  { namespace }: ClusterContractContext,
  { storageClassName }: CsiContractContext,
  name: string,
  fromSnapshot?: string,
): KubernetesManifest {
  const dataSource =
    fromSnapshot === undefined
      ? {}
      : {
          dataSource: {
            apiGroup: 'snapshot.storage.k8s.io',
            kind: 'VolumeSnapshot',
            name: fromSnapshot,
          },
        };
  const resources = { requests: { storage: '1Mi' } };
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: { name, namespace },
    spec: { storageClassName, accessModes: ['ReadWriteOnce'], resources, ...dataSource },
  };
}

/** The manifest of a VolumeSnapshot of a claim. */
export function snapshotManifest(
  { namespace }: ClusterContractContext,
  volumeSnapshotClassName: string,
  name: string,
  persistentVolumeClaimName: string,
): KubernetesManifest {
  return {
    apiVersion: snapshotApiVersion,
    kind: 'VolumeSnapshot',
    metadata: { name, namespace },
    spec: { volumeSnapshotClassName, source: { persistentVolumeClaimName } },
  };
}

/** The manifests of a pre-provisioned pair: a content that names a storage snapshot, and a VolumeSnapshot that names the content. */
export function staticPair(
  { namespace }: ClusterContractContext,
  { driver }: CsiContractContext,
  name: string,
  snapshotHandle: string,
): { readonly content: KubernetesManifest; readonly snapshot: KubernetesManifest } {
  const contentName = `${namespace}-${name}`;
  return {
    content: {
      apiVersion: snapshotApiVersion,
      kind: 'VolumeSnapshotContent',
      metadata: { name: contentName },
      spec: {
        driver,
        deletionPolicy: 'Retain',
        source: { snapshotHandle },
        volumeSnapshotRef: { name, namespace },
      },
    },
    snapshot: {
      apiVersion: snapshotApiVersion,
      kind: 'VolumeSnapshot',
      metadata: { name, namespace },
      spec: { source: { volumeSnapshotContentName: contentName } },
    },
  };
}

/** Points at a VolumeSnapshot of the case's namespace. */
export function snapshotReference(
  { namespace }: ClusterContractContext,
  name: string,
): ObjectReference {
  return { ...Resources.volumeSnapshots, namespace, name };
}

/** Points at a VolumeSnapshotContent. */
export function contentReference(name: string): ObjectReference {
  return { ...Resources.volumeSnapshotContents, name };
}

/** Waits until an object exists and is as wanted, and returns it. */
export function eventuallyIs(
  { cluster, signal }: ClusterContractContext,
  what: string,
  reference: ObjectReference,
  isAsWanted: (object: KubernetesObject) => boolean,
): Promise<KubernetesObject> {
  const ask = async (): Promise<KubernetesObject | undefined> => {
    const object = await cluster.get(reference, { signal });
    return object !== undefined && isAsWanted(object) ? object : undefined;
  };
  return eventually(what, ask, signal);
}

/** Waits until an object is gone. */
export async function eventuallyGone(
  { cluster, signal }: ClusterContractContext,
  reference: ObjectReference,
): Promise<void> {
  const isGone = async (): Promise<boolean> =>
    (await cluster.get(reference, { signal })) === undefined;
  await eventually(`deletion of ${reference.resource} ${reference.name}`, isGone, signal);
}

/** Whether `status.readyToUse` of a VolumeSnapshot or its content is true. */
export function isReadyToUse(object: KubernetesObject): boolean {
  return booleanAt(object, ['status', 'readyToUse']) === true;
}

/** A claim `data` that is bound, and a VolumeSnapshot `snapshot` of it that is ready, with its content. */
export async function takeSnapshot(
  context: ClusterContractContext,
  csi: CsiContractContext,
  volumeSnapshotClassName: string,
): Promise<{ readonly snapshot: KubernetesObject; readonly content: KubernetesObject }> {
  const { cluster, signal } = context;
  await cluster.create(Resources.persistentVolumeClaims, claimManifest(context, csi, 'data'), {
    signal,
  });
  const manifest = snapshotManifest(context, volumeSnapshotClassName, 'snapshot', 'data');
  await cluster.create(Resources.volumeSnapshots, manifest, { signal });
  const snapshot = await eventuallyIs(
    context,
    'readiness of the VolumeSnapshot',
    snapshotReference(context, 'snapshot'),
    isReadyToUse,
  );
  const contentName = stringAt(snapshot, ['status', 'boundVolumeSnapshotContentName']) ?? '';
  const content = await eventuallyIs(
    context,
    'readiness of the VolumeSnapshotContent',
    contentReference(contentName),
    isReadyToUse,
  );
  return { snapshot, content };
}

/**
 * Removes a content whose VolumeSnapshot went while the two were being bound. The controllers may never let go of it; it
 * stands for nothing, so its finalizers are taken off.
 */
export async function removeAbandoned(
  context: ClusterContractContext,
  contentName: string,
): Promise<void> {
  const { cluster, signal } = context;
  const reference = contentReference(contentName);
  await cluster.delete(reference, { signal });
  const patch = { type: 'merge', patch: { metadata: { finalizers: null } } } as const;
  try {
    await cluster.patch(reference, patch, { signal });
  } catch (error) {
    assert.ok(isLifeboatError(error, 'NotFound'), 'the finalizers of a content can be removed');
  }
  await eventuallyGone(context, reference);
}
