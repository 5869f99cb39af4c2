import type { Issue } from '../model/issue.ts';
import type { JsonObject } from '../model/json.ts';
import {
  type GroupVersionResource,
  groupResourceOf,
  identifierOf,
  type KubernetesObject,
  referenceTo,
} from '../model/kubernetes.ts';
import { objectsAt, stringAt } from '../model/object-path.ts';
import type { VolumeAction, VolumePolicy } from '../model/resource-policy.ts';
import { Resources } from '../model/resources.ts';
import type { Cluster } from '../ports/cluster.ts';
import type { VolumeDemand } from '../ports/item-action.ts';
import {
  claimVolumeFacts,
  matchVolumePolicy,
  podVolumeFacts,
  type VolumeFacts,
} from '../selection/volume-policy.ts';

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

/** What {@link VolumeDemands} looks at. */
export interface VolumeDemandsOptions {
  readonly cluster: Cluster;
  readonly policies: readonly VolumePolicy[];
  readonly signal: AbortSignal;
}

/**
 * Finds what is asked for volumes that this engine knows nothing of: by a volume policy or, for the volumes that a pod defines itself
 * and no policy matches, by the pod's annotation.
 */
export class VolumeDemands {
  readonly #options: VolumeDemandsOptions;
  readonly #mayConcernClaims: boolean;

  constructor(options: VolumeDemandsOptions) {
    this.#options = options;
    this.#mayConcernClaims = options.policies.some(({ action }) => isForeign(action.type));
  }

  /** What is asked for the volume of a claim, or for those of a pod; nothing for other objects. */
  async of(
    resource: GroupVersionResource,
    object: KubernetesObject,
  ): Promise<readonly VolumeDemand[]> {
    switch (groupResourceOf(resource)) {
      case 'pods':
        return this.#ofPod(object);
      case 'persistentvolumeclaims':
        return this.#mayConcernClaims ? this.#ofClaim(object) : [];
      default:
        return [];
    }
  }

  async #ofClaim(claim: KubernetesObject): Promise<readonly VolumeDemand[]> {
    const { cluster, signal } = this.#options;
    const name = stringAt(claim, ['spec', 'volumeName']);
    const volume =
      name === undefined
        ? undefined
        : await cluster.get({ ...Resources.persistentVolumes, name }, { signal });
    return this.#ofPolicy(claimVolumeFacts(claim, volume)) ?? [];
  }

  #ofPod(pod: KubernetesObject): readonly VolumeDemand[] {
    const listed = pod.metadata.annotations?.[optInAnnotation]?.split(',') ?? [];
    const annotated = new Set(listed.map((name) => name.trim()));
    return objectsAt(pod, ['spec', 'volumes'])
      .filter(isEligible)
      .flatMap((volume): readonly VolumeDemand[] => {
        const volumeName = stringAt(volume, ['name']) ?? '';
        const byPolicy = this.#ofPolicy(podVolumeFacts(volume));
        if (byPolicy !== undefined) {
          return byPolicy.map((demand) => ({ ...demand, volumeName }));
        }
        return annotated.has(volumeName) ? [{ ...byAnnotation, volumeName }] : [];
      });
  }

  /** `undefined` when no policy decides about the volume. */
  #ofPolicy(facts: VolumeFacts): readonly VolumeDemand[] | undefined {
    const { policies } = this.#options;
    const match = matchVolumePolicy(policies, facts);
    if (match === undefined) {
      return undefined;
    }
    const { action: type, index } = match;
    if (!isForeign(type)) {
      return [];
    }
    const parameters = policies[index]?.action.parameters ?? {};
    const reason = `volumePolicies[${index}] of the resource policy asks for ${type}`;
    return [{ type, parameters, reason }];
  }
}

const byAnnotation: VolumeDemand = {
  type: 'fs-backup',
  parameters: {},
  reason: `annotation ${optInAnnotation} of the pod asks for a file system backup`,
};

/** The warnings about volumes of a pod for which nobody does what is asked. Those of claims are decided with the claim. */
export function unmetDemands(
  resource: GroupVersionResource,
  object: KubernetesObject,
  demands: readonly VolumeDemand[],
): readonly Issue[] {
  return demands
    .filter(({ volumeName }) => volumeName !== undefined)
    .map(({ volumeName, reason }) => ({
      severity: 'warning',
      reason: 'VolumeActionNotDone',
      message: `volume ${volumeName}: ${reason}, which is not done by this engine; its data is not in the backup`,
      object: identifierOf(referenceTo(resource, object)),
    }));
}

function isEligible(volume: JsonObject): boolean {
  const isDefaultToken = stringAt(volume, ['name'])?.startsWith('default-token') === true;
  return !isDefaultToken && !notEligible.some((source) => source in volume);
}

function isForeign(type: VolumeAction['type']): type is VolumeDemand['type'] {
  return type === 'fs-backup' || type === 'custom';
}
