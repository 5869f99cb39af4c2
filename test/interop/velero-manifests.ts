import type { BackupStorageLocationSpec, KubernetesManifest } from '@lifeboat/core';

/** The label of the namespaces that tests run a Velero in; its value is the id of their process. */
export const veleroLabel = 'lifeboat.test/velero';

/** The name of the only storage location. */
export const locationName = 'default';

/** What Velero needs in its namespace, the namespace first. */
export function veleroManifests(
  namespace: string,
  location: BackupStorageLocationSpec,
): readonly KubernetesManifest[] {
  return [
    {
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name: namespace, labels: { [veleroLabel]: String(process.pid) } },
    },
    deployment(namespace),
    {
      apiVersion: 'velero.io/v1',
      kind: 'BackupStorageLocation',
      metadata: { name: locationName, namespace },
      spec: {
        ...location,
        default: true,
        backupSyncPeriod: '5s',
        validationFrequency: '10s',
      },
      // Otherwise the first look at the store, which is taken at once, may come before the location is found to be available; the next one
      // is taken a minute later.
      status: { phase: 'Available' },
    },
  ];
}

/** What a restore reads of the Deployment that Velero runs in elsewhere; here no pod is ever made from it. */
function deployment(namespace: string): KubernetesManifest {
  const labels = { component: 'velero' };
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'velero', namespace, labels },
    spec: {
      replicas: 0,
      selector: { matchLabels: labels },
      template: {
        metadata: { labels },
        spec: { containers: [{ name: 'velero', image: 'velero:none' }] },
      },
    },
  };
}
