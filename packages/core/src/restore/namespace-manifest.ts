import type { KubernetesManifest, KubernetesObject } from '../model/kubernetes.ts';
import type { Restore } from '../model/restore.ts';
import { withRestoreLabels } from './restore-labels.ts';

const nameLabel = 'kubernetes.io/metadata.name';

/** The namespace to create under a name: with the labels and annotations of the backed-up one, if the backup holds it. */
export function namespaceManifest(
  archived: KubernetesObject | undefined,
  name: string,
  restore: Restore,
): KubernetesManifest {
  const { labels = {}, annotations } = archived?.metadata ?? {};
  const manifest = {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: {
      name,
      labels: { ...labels, [nameLabel]: name },
      ...(annotations === undefined ? {} : { annotations }),
    },
  };
  return withRestoreLabels(manifest, restore);
}
