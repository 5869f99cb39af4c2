import type { Issue } from '../../model/issue.ts';
import type { JsonObject } from '../../model/json.ts';
import { identifierOf, type KubernetesObject, referenceTo } from '../../model/kubernetes.ts';
import { objectsAt, stringAt } from '../../model/object-path.ts';
import type { VolumePolicy } from '../../model/resource-policy.ts';
import { Resources } from '../../model/resources.ts';
import type { BackupItemAction } from '../../ports/item-action.ts';
import { matchVolumePolicy, podVolumeFacts } from '../../selection/volume-policy.ts';

/** Volumes of which Velero takes no file system backup either, and those of claims, which are decided with the claim. */
const notEligible: readonly string[] = [
  'persistentVolumeClaim',
  'hostPath',
  'secret',
  'configMap',
  'projected',
  'downwardAPI',
];
const optInAnnotation = 'backup.velero.io/backup-volumes';

/**
 * Warns of the volumes that a pod defines itself and of which a file system backup, or a custom action, is asked for: by a
 * volume policy or, where none matches, by the pod's annotation. This engine does neither.
 */
export function podVolumesAction(policies: readonly VolumePolicy[]): BackupItemAction {
  return {
    name: 'lifeboat.dev/pod-volumes',
    appliesTo: { resources: ['pods'] },
    execute: async ({ item }) => ({
      issues: objectsAt(item, ['spec', 'volumes']).flatMap((volume): readonly Issue[] => {
        const demand = demandFor(item, volume, policies);
        return demand === undefined
          ? []
          : [
              {
                severity: 'warning',
                reason: 'VolumeActionNotDone',
                message: `volume ${stringAt(volume, ['name']) ?? ''}: ${demand}, which is not done by this engine; its data is not in the backup`,
                object: identifierOf(referenceTo(Resources.pods, item)),
              },
            ];
      }),
    }),
  };
}

function demandFor(
  pod: KubernetesObject,
  volume: JsonObject,
  policies: readonly VolumePolicy[],
): string | undefined {
  const name = stringAt(volume, ['name']) ?? '';
  if (notEligible.some((source) => source in volume) || name.startsWith('default-token')) {
    return undefined;
  }
  const policy = matchVolumePolicy(policies, podVolumeFacts(volume));
  if (policy !== undefined) {
    return policy.action === 'fs-backup' || policy.action === 'custom'
      ? `volumePolicies[${policy.index}] of the resource policy asks for ${policy.action}`
      : undefined;
  }
  const chosen = pod.metadata.annotations?.[optInAnnotation]?.split(',') ?? [];
  return chosen.some((one) => one.trim() === name)
    ? `annotation ${optInAnnotation} of the pod asks for a file system backup`
    : undefined;
}
