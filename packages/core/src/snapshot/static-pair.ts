import { compareCodePoints } from '../model/json.ts';
import type { KubernetesManifest, KubernetesObject, StringMap } from '../model/kubernetes.ts';
import { KubernetesAnnotation, VeleroAnnotation } from '../model/labels.ts';
import { stringAt } from '../model/object-path.ts';
import {
  annotatedSecret,
  type SecretKeys,
  secretAnnotations,
  secretOfClass,
} from './class-secret.ts';
import { snapshotApiVersion } from './manifests.ts';

/** What {@link staticContentManifest} is made from. */
export interface StaticContentRequest {
  readonly name: string;
  readonly driver: string;
  readonly snapshotHandle: string;
  readonly deletionPolicy: 'Delete' | 'Retain';
  readonly volumeSnapshotRef: { readonly namespace: string; readonly name: string };
  readonly labels: StringMap;
  /** The content as the backup holds it, if it does. */
  readonly origin?: KubernetesObject | undefined;
  /** The VolumeSnapshotClasses of the cluster it is for. */
  readonly classes: readonly KubernetesObject[];
  readonly finalizers?: readonly string[] | undefined;
  /** @default as the backup's content says */
  readonly allowVolumeModeChange?: boolean | undefined;
}

// On a cluster with a snapshotter per node this label says which of them a content is for.
const managedBy = 'snapshot.storage.kubernetes.io/managed-by';
const volumeModeChangeAnnotation = 'snapshot.storage.kubernetes.io/allow-volume-mode-change';
const secretParameters = {
  name: 'csi.storage.k8s.io/snapshotter-secret-name',
  namespace: 'csi.storage.k8s.io/snapshotter-secret-namespace',
};

/** The annotations of a VolumeSnapshotContent that name the Secret to delete its snapshot with. */
export const deletionSecretKeys: SecretKeys = {
  name: KubernetesAnnotation.deletionSecretName,
  namespace: KubernetesAnnotation.deletionSecretNamespace,
};

/**
 * A VolumeSnapshotContent for a snapshot that the storage already holds.
 *
 * - It names the class that it was taken with, if the cluster has it for its driver, else the first (by name) of its driver,
 *   if there is one: some drivers need that class's credentials even to look at a snapshot.
 * - It names the Secret to delete the snapshot with, from that class, else as the backup tells.
 */
export function staticContentManifest(request: StaticContentRequest): KubernetesManifest {
  const { name, driver, snapshotHandle, deletionPolicy, volumeSnapshotRef, origin } = request;
  const snapshotClass = classFor(request);
  const sourceVolumeMode = origin && stringAt(origin, ['spec', 'sourceVolumeMode']);
  const manager = origin?.metadata.labels?.[managedBy];
  return {
    apiVersion: snapshotApiVersion,
    kind: 'VolumeSnapshotContent',
    metadata: {
      name,
      labels: { ...(manager === undefined ? {} : { [managedBy]: manager }), ...request.labels },
      annotations: annotationsFor(snapshotClass, request),
      ...(request.finalizers === undefined ? {} : { finalizers: request.finalizers }),
    },
    spec: {
      deletionPolicy,
      driver,
      source: { snapshotHandle },
      ...(sourceVolumeMode === undefined ? {} : { sourceVolumeMode }),
      ...(snapshotClass === undefined
        ? {}
        : { volumeSnapshotClassName: snapshotClass.metadata.name }),
      volumeSnapshotRef: {
        apiVersion: snapshotApiVersion,
        kind: 'VolumeSnapshot',
        ...volumeSnapshotRef,
      },
    },
  };
}

/** The VolumeSnapshot that makes a static content usable as a claim's data source; both have the same name. */
export function staticSnapshotManifest(request: {
  readonly name: string;
  readonly namespace: string;
  readonly labels: StringMap;
  /** The VolumeSnapshot as the backup holds it. */
  readonly origin: KubernetesObject;
}): KubernetesManifest {
  const { name, namespace, labels, origin } = request;
  const kept = Object.entries(origin.metadata.annotations ?? {}).filter(([key]) =>
    keptSnapshotAnnotations.includes(key),
  );
  return {
    apiVersion: snapshotApiVersion,
    kind: 'VolumeSnapshot',
    metadata: {
      name,
      namespace,
      labels,
      annotations: { ...Object.fromEntries(kept), [VeleroAnnotation.deletionPolicy]: 'Retain' },
    },
    spec: { source: { volumeSnapshotContentName: name } },
  };
}

const keptSnapshotAnnotations: readonly string[] = [
  VeleroAnnotation.driverName,
  VeleroAnnotation.snapshotHandle,
  VeleroAnnotation.restoreSize,
];

/** Whether an existing content is the one that a manifest asks for, and usable. */
export function isSameStaticContent(
  existing: KubernetesObject,
  manifest: KubernetesManifest,
): boolean {
  return (
    existing.metadata.deletionTimestamp === undefined &&
    identifyingPaths.every((path) => stringAt(existing, path) === stringAt(manifest, path))
  );
}

const identifyingPaths = [
  ['spec', 'driver'],
  ['spec', 'source', 'snapshotHandle'],
  ['spec', 'volumeSnapshotRef', 'namespace'],
  ['spec', 'volumeSnapshotRef', 'name'],
] as const;

function classFor({ classes, driver, origin }: StaticContentRequest): KubernetesObject | undefined {
  const formerName = origin && stringAt(origin, ['spec', 'volumeSnapshotClassName']);
  const ofDriver = classes
    .filter((candidate) => stringAt(candidate, ['driver']) === driver)
    .toSorted((left, right) => compareCodePoints(left.metadata.name, right.metadata.name));
  return ofDriver.find(({ metadata }) => metadata.name === formerName) ?? ofDriver[0];
}

function annotationsFor(
  snapshotClass: KubernetesObject | undefined,
  { origin, allowVolumeModeChange }: StaticContentRequest,
): StringMap {
  const secret =
    secretOfClass(snapshotClass, secretParameters) ?? annotatedSecret(origin, deletionSecretKeys);
  const modeChange =
    allowVolumeModeChange === undefined
      ? origin?.metadata.annotations?.[volumeModeChangeAnnotation]
      : String(allowVolumeModeChange);
  return {
    ...(modeChange === undefined ? {} : { [volumeModeChangeAnnotation]: modeChange }),
    ...secretAnnotations(secret, deletionSecretKeys),
  };
}
