import { compareCodePoints } from '../model/json.ts';
import type { KubernetesManifest, KubernetesObject, StringMap } from '../model/kubernetes.ts';
import { KubernetesAnnotation } from '../model/labels.ts';
import { stringAt } from '../model/object-path.ts';
import {
  annotatedSecret,
  type SecretReference,
  secretAnnotations,
  secretOfClass,
} from './class-secret.ts';
import { deletionSecretKeys } from './static-pair.ts';

/** What {@link groupContentManifest} is made from. */
export interface GroupContentRequest {
  /** `groupsnapshot.storage.k8s.io/<version>` */
  readonly apiVersion: string;
  readonly name: string;
  readonly labels: StringMap;
  readonly driver: string;
  readonly deletionPolicy: 'Delete' | 'Retain';
  readonly groupSnapshotHandle: string;
  readonly snapshotHandles: readonly string[];
  readonly groupSnapshotRef: { readonly namespace: string; readonly name: string };
  /** The VolumeSnapshotContent of one of its snapshots as the backup holds it, if it does. */
  readonly origin?: KubernetesObject | undefined;
  /** The VolumeGroupSnapshotClasses of the cluster it is for. */
  readonly classes: readonly KubernetesObject[];
  readonly finalizers?: readonly string[] | undefined;
}

const secretParameters = {
  name: 'csi.storage.k8s.io/group-snapshotter-secret-name',
  namespace: 'csi.storage.k8s.io/group-snapshotter-secret-namespace',
};
const groupDeletionSecretKeys = {
  name: KubernetesAnnotation.groupDeletionSecretName,
  namespace: KubernetesAnnotation.groupDeletionSecretNamespace,
};

/**
 * A VolumeGroupSnapshotContent for a group of snapshots that the storage already holds.
 *
 * - It names a class of its driver, if there is one: some drivers need that class's credentials even to look at a group. Which
 *   class the group was taken with no backup tells; one with the Secret that its snapshots name is preferred, else the first
 *   by name.
 * - It names the Secret to delete the group with, from that class, else as the backup tells of its snapshots, to whose contents
 *   the snapshot-controller writes the Secret of the group.
 */
export function groupContentManifest(request: GroupContentRequest): KubernetesManifest {
  const { apiVersion, name, labels, finalizers, origin } = request;
  const stored = annotatedSecret(origin, deletionSecretKeys);
  const groupSnapshotClass = classFor(request, stored);
  const secret = secretOfClass(groupSnapshotClass, secretParameters) ?? stored;
  return {
    apiVersion,
    kind: 'VolumeGroupSnapshotContent',
    metadata: {
      name,
      labels,
      annotations: secretAnnotations(secret, groupDeletionSecretKeys),
      ...(finalizers === undefined ? {} : { finalizers }),
    },
    spec: {
      deletionPolicy: request.deletionPolicy,
      driver: request.driver,
      source: {
        groupSnapshotHandles: {
          volumeGroupSnapshotHandle: request.groupSnapshotHandle,
          volumeSnapshotHandles: request.snapshotHandles,
        },
      },
      ...(groupSnapshotClass === undefined
        ? {}
        : { volumeGroupSnapshotClassName: groupSnapshotClass.metadata.name }),
      volumeGroupSnapshotRef: {
        apiVersion,
        kind: 'VolumeGroupSnapshot',
        ...request.groupSnapshotRef,
      },
    },
  };
}

function classFor(
  { classes, driver }: GroupContentRequest,
  stored: SecretReference | undefined,
): KubernetesObject | undefined {
  const ofDriver = classes
    .filter((candidate) => stringAt(candidate, ['driver']) === driver)
    .toSorted((left, right) => compareCodePoints(left.metadata.name, right.metadata.name));
  const withStored = ofDriver.find((candidate) => {
    const secret = secretOfClass(candidate, secretParameters);
    return secret?.name === stored?.name && secret?.namespace === stored?.namespace;
  });
  return withStored ?? ofDriver[0];
}
