import type { JsonObject } from '../../model/json.ts';
import {
  groupResourceOf,
  type KubernetesManifest,
  type KubernetesObject,
  type StringMap,
} from '../../model/kubernetes.ts';
import { objectsAt, stringAt, withValueAt } from '../../model/object-path.ts';
import { Resources } from '../../model/resources.ts';
import type { RestoreItemAction } from '../../ports/item-action.ts';
import { podRunners, podSpecPathOf } from './pod-spec-path.ts';

const claims = groupResourceOf(Resources.persistentVolumeClaims);
const volumes = groupResourceOf(Resources.persistentVolumes);

/**
 * Gives claims other names, and names them so in the volume that one keeps, in pods, and in what runs pods.
 *
 * @param mapping `<namespace>/<name>` in the backup → name in the target.
 */
export function createChangeClaimNameAction(mapping: StringMap): RestoreItemAction {
  const newName = (namespace: string | undefined, name: string): string => {
    const key = `${namespace ?? ''}/${name}`;
    return Object.hasOwn(mapping, key) ? (mapping[key] ?? name) : name;
  };
  return {
    name: 'lifeboat.dev/change-claim-name',
    appliesTo: { resources: [claims, volumes, ...podRunners] },
    async execute({ item, itemFromBackup }) {
      switch (itemFromBackup.kind) {
        case 'PersistentVolumeClaim': {
          const { namespace, name } = itemFromBackup.metadata;
          return { item: withValueAt(item, ['metadata', 'name'], newName(namespace, name)) };
        }
        case 'PersistentVolume':
          return { item: withClaimOf(item, itemFromBackup, newName) };
        default:
          return { item: withClaimNames(item, itemFromBackup.metadata.namespace, newName) };
      }
    },
  };
}

type NewName = (namespace: string | undefined, name: string) => string;

// By the volume as the backup has it: the namespace of its claim may be mapped already.
function withClaimOf(
  volume: KubernetesManifest,
  itemFromBackup: KubernetesObject,
  newName: NewName,
): KubernetesManifest {
  const name = stringAt(itemFromBackup, ['spec', 'claimRef', 'name']);
  const namespace = stringAt(itemFromBackup, ['spec', 'claimRef', 'namespace']);
  return name === undefined
    ? volume
    : withValueAt(volume, ['spec', 'claimRef', 'name'], newName(namespace, name));
}

function withClaimNames(
  item: KubernetesManifest,
  namespace: string | undefined,
  newName: NewName,
): KubernetesManifest {
  const path = [...podSpecPathOf(item), 'volumes'] as const;
  const rename = (volume: JsonObject): JsonObject => {
    const name = stringAt(volume, ['persistentVolumeClaim', 'claimName']);
    return name === undefined
      ? volume
      : withValueAt(volume, ['persistentVolumeClaim', 'claimName'], newName(namespace, name));
  };
  const mounted = objectsAt(item, path);
  return mounted.length === 0 ? item : withValueAt(item, path, mounted.map(rename));
}
