import type { ObjectPath } from '../../model/object-path.ts';

/** The resources of Kubernetes that run pods, and pods. */
export const podRunners: readonly string[] = [
  'pods',
  'replicationcontrollers',
  'daemonsets.apps',
  'deployments.apps',
  'replicasets.apps',
  'statefulsets.apps',
  'jobs.batch',
  'cronjobs.batch',
];

/** Where an object of one of {@link podRunners} keeps the spec of its pods. */
export function podSpecPathOf({ kind }: { readonly kind: string }): ObjectPath {
  switch (kind) {
    case 'Pod':
      return ['spec'];
    case 'CronJob':
      return ['spec', 'jobTemplate', 'spec', 'template', 'spec'];
    default:
      return ['spec', 'template', 'spec'];
  }
}
