import type { JsonObject } from '../../../model/json.ts';
import type { KubernetesManifest, KubernetesObject } from '../../../model/kubernetes.ts';
import { arrayAt, objectAt, stringAt, valueAt, withValueAt } from '../../../model/object-path.ts';
import { compareQuantities, formatQuantity } from '../../../model/quantity.ts';
import type { FakeVolume } from '../csi/fake-csi-storage.ts';
import { withAnnotation } from './snapshot-objects.ts';

/** Tables of volumes and what uses them. */
export const VolumeTable = {
  claims: 'persistentvolumeclaims',
  volumes: 'persistentvolumes',
  classes: 'storageclasses.storage.k8s.io',
  pods: 'pods',
} as const;

/** Finalizers of claims and volumes. */
export const VolumeFinalizer = {
  claim: 'kubernetes.io/pvc-protection',
  volume: 'kubernetes.io/pv-protection',
  provisioned: 'external-provisioner.volume.kubernetes.io/finalizer',
} as const;

/** The annotation by which the scheduler says that a claim has a consumer. */
export const selectedNodeAnnotation = 'volume.kubernetes.io/selected-node';

/** What a claim asks for. */
export function requestOf(claim: KubernetesObject): string {
  return stringAt(claim, ['spec', 'resources', 'requests', 'storage']) ?? '0';
}

/** Names of the claims that a Pod mounts. */
export function claimNamesOf(pod: KubernetesObject): readonly string[] {
  return arrayAt(pod, ['spec', 'volumes']).flatMap((volume) => {
    const name = stringAt({ volume }, ['volume', 'persistentVolumeClaim', 'claimName']);
    return name ?? [];
  });
}

/** Whether a Pod has not come to its end. */
export function isActive(pod: KubernetesObject): boolean {
  const phase = stringAt(pod, ['status', 'phase']);
  return phase !== 'Succeeded' && phase !== 'Failed';
}

/** The volume that a claim is filled from, in the form of a StorageClass's provisioner. */
export function provisionedVolume(
  claim: KubernetesObject,
  storageClass: KubernetesObject,
  driver: string,
  volume: FakeVolume,
): KubernetesManifest {
  const { namespace = '', name, uid = '', resourceVersion = '' } = claim.metadata;
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolume',
    metadata: {
      name: volume.name,
      annotations: {
        'pv.kubernetes.io/provisioned-by': driver,
        'volume.kubernetes.io/provisioner-deletion-secret-name': '',
        'volume.kubernetes.io/provisioner-deletion-secret-namespace': '',
      },
      finalizers: [VolumeFinalizer.provisioned],
    },
    spec: {
      accessModes: arrayAt(claim, ['spec', 'accessModes']),
      capacity: { storage: formatQuantity(volume.sizeBytes) },
      claimRef: {
        apiVersion: 'v1',
        kind: 'PersistentVolumeClaim',
        name,
        namespace,
        resourceVersion,
        uid,
      },
      csi: {
        driver,
        volumeAttributes: {
          'csi.storage.k8s.io/pv/name': volume.name,
          'csi.storage.k8s.io/pvc/name': name,
          'csi.storage.k8s.io/pvc/namespace': namespace,
        },
        volumeHandle: volume.handle,
      },
      persistentVolumeReclaimPolicy: stringAt(storageClass, ['reclaimPolicy']) ?? 'Delete',
      storageClassName: storageClass.metadata.name,
      volumeMode: stringAt(claim, ['spec', 'volumeMode']) ?? 'Filesystem',
    },
  };
}

/** Whether a volume names a claim as its own: by name, and by uid if it has one. */
export function isReservedFor(volume: KubernetesObject, claim: KubernetesObject): boolean {
  const reference = objectAt(volume, ['spec', 'claimRef']);
  const uid = reference && stringAt(reference, ['uid']);
  return (
    reference?.['namespace'] === claim.metadata.namespace &&
    reference?.['name'] === claim.metadata.name &&
    (uid === undefined || uid === '' || uid === claim.metadata.uid)
  );
}

/** Whether an unclaimed volume satisfies a claim. */
export function satisfies(volume: KubernetesObject, claim: KubernetesObject): boolean {
  const modes = arrayAt(volume, ['spec', 'accessModes']);
  const className = (object: KubernetesObject): string =>
    stringAt(object, ['spec', 'storageClassName']) ?? '';
  const capacity = stringAt(volume, ['spec', 'capacity', 'storage']) ?? '0';
  return (
    volume.metadata.deletionTimestamp === undefined &&
    valueAt(volume, ['spec', 'claimRef']) === undefined &&
    stringAt(volume, ['status', 'phase']) === 'Available' &&
    className(volume) === className(claim) &&
    stringAt(volume, ['spec', 'volumeMode']) === stringAt(claim, ['spec', 'volumeMode']) &&
    arrayAt(claim, ['spec', 'accessModes']).every((mode) => modes.includes(mode)) &&
    (compareQuantities(capacity, requestOf(claim)) ?? -1) >= 0
  );
}

/** A volume bound to a claim. */
export function boundVolume(volume: KubernetesObject, claim: KubernetesObject): KubernetesObject {
  const { namespace = '', name, uid = '', resourceVersion = '' } = claim.metadata;
  const wasReserved = valueAt(volume, ['spec', 'claimRef']) !== undefined;
  const claimRef: JsonObject = {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    name,
    namespace,
    resourceVersion,
    ...objectAt(volume, ['spec', 'claimRef']),
    uid,
  };
  const bound = withValueAt(withValueAt(volume, ['spec', 'claimRef'], claimRef), ['status'], {
    phase: 'Bound',
  });
  return wasReserved ? bound : withAnnotation(bound, 'pv.kubernetes.io/bound-by-controller', 'yes');
}

/** A claim bound to a volume. */
export function boundClaim(claim: KubernetesObject, volume: KubernetesObject): KubernetesObject {
  const wasChosen = (stringAt(claim, ['spec', 'volumeName']) ?? '') !== '';
  const named = withValueAt(claim, ['spec', 'volumeName'], volume.metadata.name);
  const annotated = withAnnotation(named, 'pv.kubernetes.io/bind-completed', 'yes');
  return withValueAt(
    wasChosen
      ? annotated
      : withAnnotation(annotated, 'pv.kubernetes.io/bound-by-controller', 'yes'),
    ['status'],
    {
      accessModes: arrayAt(volume, ['spec', 'accessModes']),
      capacity: objectAt(volume, ['spec', 'capacity']) ?? {},
      phase: 'Bound',
    },
  );
}
