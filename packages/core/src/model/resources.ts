/** The resources that Lifeboat itself reads and writes, in the versions it uses. */
export const Resources = {
  namespaces: { group: '', version: 'v1', resource: 'namespaces' },
  pods: { group: '', version: 'v1', resource: 'pods' },
  configMaps: { group: '', version: 'v1', resource: 'configmaps' },
  events: { group: '', version: 'v1', resource: 'events' },
  serviceAccounts: { group: '', version: 'v1', resource: 'serviceaccounts' },
  persistentVolumeClaims: { group: '', version: 'v1', resource: 'persistentvolumeclaims' },
  persistentVolumes: { group: '', version: 'v1', resource: 'persistentvolumes' },
  priorityClasses: { group: 'scheduling.k8s.io', version: 'v1', resource: 'priorityclasses' },
  clusterRoles: { group: 'rbac.authorization.k8s.io', version: 'v1', resource: 'clusterroles' },
  clusterRoleBindings: {
    group: 'rbac.authorization.k8s.io',
    version: 'v1',
    resource: 'clusterrolebindings',
  },
  storageClasses: { group: 'storage.k8s.io', version: 'v1', resource: 'storageclasses' },
  csiDrivers: { group: 'storage.k8s.io', version: 'v1', resource: 'csidrivers' },
  customResourceDefinitions: {
    group: 'apiextensions.k8s.io',
    version: 'v1',
    resource: 'customresourcedefinitions',
  },
  volumeSnapshots: {
    group: 'snapshot.storage.k8s.io',
    version: 'v1',
    resource: 'volumesnapshots',
  },
  volumeSnapshotContents: {
    group: 'snapshot.storage.k8s.io',
    version: 'v1',
    resource: 'volumesnapshotcontents',
  },
  volumeSnapshotClasses: {
    group: 'snapshot.storage.k8s.io',
    version: 'v1',
    resource: 'volumesnapshotclasses',
  },
} as const;
