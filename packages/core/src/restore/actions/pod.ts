import type { JsonObject } from '../../model/json.ts';
import type { KubernetesManifest } from '../../model/kubernetes.ts';
import { KubernetesAnnotation } from '../../model/labels.ts';
import { objectsAt, stringAt, withoutValueAt, withValueAt } from '../../model/object-path.ts';
import type { RestoreItemAction } from '../../ports/item-action.ts';

/**
 * Frees a pod from the node and the token volumes it had (velero: `velero.io/pod`). Pods that have run to their end, and
 * those that a kubelet makes from its own files, are not restored.
 */
export const podAction: RestoreItemAction = {
  name: 'velero.io/pod',
  appliesTo: { resources: ['pods'] },
  async execute({ item, itemFromBackup }) {
    const phase = stringAt(itemFromBackup, ['status', 'phase']);
    if (phase === 'Succeeded' || phase === 'Failed') {
      return { skip: `the pod had run to its end (${phase})` };
    }
    const mirrored = itemFromBackup.metadata.annotations?.[KubernetesAnnotation.mirrorPod];
    if (mirrored !== undefined && mirrored !== '') {
      return { skip: 'it mirrors a static pod, which its node makes itself' };
    }
    return { item: withoutTokenVolumes(unscheduled(item)) };
  },
};

function unscheduled(pod: KubernetesManifest): KubernetesManifest {
  // The API server derives the priority from the class, and takes no ephemeral containers with a new pod.
  const withoutNode = withoutValueAt(pod, ['spec', 'nodeName']);
  const withoutPriority = withoutValueAt(withoutNode, ['spec', 'priority']);
  return withoutValueAt(withoutPriority, ['spec', 'ephemeralContainers']);
}

/** Removes volumes of generated tokens, which older API servers added: the Secrets behind them are not restored. */
function withoutTokenVolumes(pod: KubernetesManifest): KubernetesManifest {
  const prefix = `${stringAt(pod, ['spec', 'serviceAccountName']) ?? 'default'}-token-`;
  const isToken = (named: JsonObject): boolean =>
    stringAt(named, ['name'])?.startsWith(prefix) ?? false;
  const volumes = objectsAt(pod, ['spec', 'volumes']);
  if (!volumes.some(isToken)) {
    return pod;
  }
  const withoutVolumes = withValueAt(
    pod,
    ['spec', 'volumes'],
    volumes.filter((volume) => !isToken(volume)),
  );
  return ['containers', 'initContainers'].reduce((result, field) => {
    const containers = objectsAt(result, ['spec', field]);
    return containers.length === 0
      ? result
      : withValueAt(
          result,
          ['spec', field],
          containers.map((container) => withoutMounts(container, isToken)),
        );
  }, withoutVolumes);
}

function withoutMounts(
  container: JsonObject,
  isDropped: (mount: JsonObject) => boolean,
): JsonObject {
  const mounts = objectsAt(container, ['volumeMounts']);
  return mounts.some(isDropped)
    ? withValueAt(
        container,
        ['volumeMounts'],
        mounts.filter((mount) => !isDropped(mount)),
      )
    : container;
}
