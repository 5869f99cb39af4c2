import type { JsonObject } from '../model/json.ts';
import type { KubernetesObject, StringMap } from '../model/kubernetes.ts';
import { objectAt, stringAt } from '../model/object-path.ts';
import type {
  CsiCondition,
  NfsCondition,
  VolumeAction,
  VolumeConditions,
  VolumePolicy,
} from '../model/resource-policy.ts';
import { isInCapacityRange, parseCapacityRange } from './capacity-range.ts';

/** What the conditions of volume policies look at. */
export interface VolumeFacts {
  /** The volume's definition: `spec` of a PersistentVolume, or an entry of a pod's `spec.volumes`; it names the volume's source. */
  readonly definition: JsonObject;
  readonly capacity: string | undefined;
  readonly storageClass: string | undefined;
  /** Labels of the claim; absent for a volume that a pod defines itself. */
  readonly claimLabels: StringMap | undefined;
  readonly claimPhase: string | undefined;
}

/** What a volume policy decided. */
export interface VolumePolicyMatch {
  readonly action: VolumeAction['type'];
  /** The place of the policy in its list, for messages. */
  readonly index: number;
}

// The one source whose name in a policy is not that of its field.
const sourceFields: ReadonlyMap<string, string> = new Map([['storageOS', 'storageos']]);

const sources: ReadonlySet<string> = new Set(
  `awsElasticBlockStore azureDisk azureFile cephfs cinder configMap csi downwardAPI emptyDir ephemeral fc flexVolume flocker
  gcePersistentDisk gitRepo glusterfs hostPath iscsi local nfs photonPersistentDisk portworxVolume projected quobyte rbd
  scaleIO secret storageOS vsphereVolume`.split(/\s+/),
);

/** The facts of a claim, with its PersistentVolume if it is bound. */
export function claimVolumeFacts(
  claim: KubernetesObject,
  volume: KubernetesObject | undefined,
): VolumeFacts {
  const definition = (volume && objectAt(volume, ['spec'])) ?? {};
  return {
    definition,
    capacity: stringAt(definition, ['capacity', 'storage']),
    storageClass: stringAt(definition, ['storageClassName']),
    claimLabels: claim.metadata.labels ?? {},
    claimPhase: stringAt(claim, ['status', 'phase']),
  };
}

/** The facts of a volume that a pod defines itself: an entry of `spec.volumes` that names no claim. */
export function podVolumeFacts(definition: JsonObject): VolumeFacts {
  return {
    definition,
    capacity: undefined,
    storageClass: undefined,
    claimLabels: undefined,
    claimPhase: undefined,
  };
}

/** Finds the first of valid volume policies whose conditions all hold; `undefined` when none does. */
export function matchVolumePolicy(
  policies: readonly VolumePolicy[],
  facts: VolumeFacts,
): VolumePolicyMatch | undefined {
  const index = policies.findIndex(({ conditions }) => meets(facts, conditions ?? {}));
  const policy = policies[index];
  return policy && { action: policy.action.type, index };
}

// YAML has `null` where a condition was left empty: it is none.
function meets(
  facts: VolumeFacts,
  { capacity, storageClass, nfs, csi, volumeTypes, pvcLabels, pvcPhase }: VolumeConditions,
): boolean {
  const { definition, claimLabels, claimPhase } = facts;
  return (
    hasCapacity(facts, capacity) &&
    isOneOf(facts.storageClass, storageClass) &&
    (!nfs || isNfs(definition, nfs)) &&
    (!csi || isCsi(definition, csi)) &&
    hasType(definition, volumeTypes) &&
    (!pvcLabels || hasAll(claimLabels ?? {}, pvcLabels)) &&
    isOneOf(claimPhase, pvcPhase)
  );
}

function hasCapacity({ capacity }: VolumeFacts, condition: string | undefined): boolean {
  const range = condition ? parseCapacityRange(condition) : undefined;
  return typeof range !== 'object' || isInCapacityRange(capacity, range);
}

function isNfs(definition: JsonObject, { server, path }: NfsCondition): boolean {
  const source = objectAt(definition, ['nfs']);
  return (
    source !== undefined &&
    (!server || stringAt(source, ['server']) === server) &&
    (!path || stringAt(source, ['path']) === path)
  );
}

function isCsi(definition: JsonObject, { driver, volumeAttributes }: CsiCondition): boolean {
  const source = objectAt(definition, ['csi']);
  return (
    source !== undefined &&
    (!driver || stringAt(source, ['driver']) === driver) &&
    hasAll(objectAt(source, ['volumeAttributes']) ?? {}, volumeAttributes ?? {})
  );
}

function hasType(definition: JsonObject, types: readonly string[] | undefined): boolean {
  return (
    !types?.length ||
    types.some(
      (type) =>
        sources.has(type) && objectAt(definition, [sourceFields.get(type) ?? type]) !== undefined,
    )
  );
}

function hasAll(members: JsonObject, wanted: StringMap): boolean {
  return Object.entries(wanted).every(([key, value]) => stringAt(members, [key]) === value);
}

// A list without members is no condition.
function isOneOf(value: string | undefined, wanted: readonly string[] | undefined): boolean {
  return !wanted?.length || wanted.includes(value ?? '');
}
