import type { KubernetesManifest, StringMap } from '../model/kubernetes.ts';

/** What {@link groupContentManifest} is made from. */
export interface GroupContentRequest {
  /** `groupsnapshot.storage.k8s.io/<version>` */
  readonly apiVersion: string;
  readonly name: string;
  readonly labels: StringMap;
  readonly annotations?: StringMap | undefined;
  readonly driver: string;
  readonly deletionPolicy: 'Delete' | 'Retain';
  readonly groupSnapshotHandle: string;
  readonly snapshotHandles: readonly string[];
  readonly groupSnapshotRef: { readonly namespace: string; readonly name: string };
  readonly finalizers?: readonly string[] | undefined;
}

/** A VolumeGroupSnapshotContent for a group of snapshots that the storage already holds. */
export function groupContentManifest(request: GroupContentRequest): KubernetesManifest {
  const { apiVersion, name, labels, annotations, finalizers } = request;
  return {
    apiVersion,
    kind: 'VolumeGroupSnapshotContent',
    metadata: {
      name,
      labels,
      ...(annotations === undefined ? {} : { annotations }),
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
      volumeGroupSnapshotRef: {
        apiVersion,
        kind: 'VolumeGroupSnapshot',
        ...request.groupSnapshotRef,
      },
    },
  };
}
