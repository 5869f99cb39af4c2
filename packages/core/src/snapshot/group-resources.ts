import { apiVersionOf, type Discovery, type GroupVersionResource } from '../model/kubernetes.ts';

/** The resources of the VolumeGroupSnapshot API in the version that a cluster serves. */
export interface GroupSnapshotResources {
  /** `groupsnapshot.storage.k8s.io/<version>` */
  readonly apiVersion: string;
  readonly groupSnapshots: GroupVersionResource;
  readonly contents: GroupVersionResource;
  readonly classes: GroupVersionResource;
}

/** Group of the VolumeGroupSnapshot API. */
export const groupSnapshotApiGroup = 'groupsnapshot.storage.k8s.io';

// What is written looks the same in all three.
const versions = ['v1', 'v1beta2', 'v1beta1'] as const;

/** Finds the newest version of the VolumeGroupSnapshot API that is served whole; `undefined` where there is none. */
export function groupSnapshotResources(discovery: Discovery): GroupSnapshotResources | undefined {
  return versions
    .map(resourcesOf)
    .find((candidate) =>
      [candidate.groupSnapshots, candidate.contents, candidate.classes].every((wanted) =>
        isServed(discovery, wanted),
      ),
    );
}

function resourcesOf(version: string): GroupSnapshotResources {
  const group = groupSnapshotApiGroup;
  return {
    apiVersion: apiVersionOf({ group, version }),
    groupSnapshots: { group, version, resource: 'volumegroupsnapshots' },
    contents: { group, version, resource: 'volumegroupsnapshotcontents' },
    classes: { group, version, resource: 'volumegroupsnapshotclasses' },
  };
}

function isServed({ resources }: Discovery, wanted: GroupVersionResource): boolean {
  return resources.some(
    ({ group, version, resource }) =>
      group === wanted.group && version === wanted.version && resource === wanted.resource,
  );
}
