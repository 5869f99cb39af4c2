import type { JsonObject } from '../model/json.ts';
import {
  groupResourceOf,
  type KubernetesManifest,
  type KubernetesObject,
} from '../model/kubernetes.ts';
import { labelValueOf, VeleroLabel } from '../model/labels.ts';
import { objectAt } from '../model/object-path.ts';
import { Resources } from '../model/resources.ts';
import type { Restore } from '../model/restore.ts';
import { compareWithExisting } from './existing-object.ts';
import type { BlockedItem } from './prepare-item.ts';

/** What happens to objects that exist and differ. */
export type ExistingObjectsPolicy = 'none' | 'update' | 'recreate';

/** What is to be done about an object. Every reason is for people. */
export type ItemDecision =
  | { readonly action: 'create' }
  | {
      readonly action: 'update';
      readonly reason: string;
      /** JSON merge patch of the existing object. */
      readonly patch: JsonObject;
      /** What is patched when the API server refuses that. */
      readonly fallback?: JsonObject | undefined;
    }
  | {
      readonly action: 'recreate';
      readonly reason: string;
      /** Of the object that is deleted. */
      readonly uid: string | undefined;
      readonly patch: JsonObject;
    }
  | {
      readonly action: 'skip';
      readonly reason: string;
      /** Labels that are put on the existing object all the same. */
      readonly labels?: JsonObject | undefined;
    }
  /** It exists, differs, and is left as it is. */
  | {
      readonly action: 'conflict';
      /** Of the issue: `ExistsAndDiffers`, `ExistsTerminating`. */
      readonly code: string;
      readonly reason: string;
      readonly patch?: JsonObject | undefined;
    }
  /** It is wanted and cannot be created. */
  | { readonly action: 'blocked'; readonly blocked: BlockedItem };

/** What {@link decideItem} decides from. */
export interface DecisionInput {
  readonly groupResource: string;
  /** What would be created. */
  readonly manifest: KubernetesManifest;
  /** What stands in its place. */
  readonly live: KubernetesObject | undefined;
  readonly itemFromBackup: KubernetesObject;
  readonly restore: Restore;
  readonly policy: ExistingObjectsPolicy;
}

// With them go data, or objects of which the backup may know nothing.
const neverRecreated: ReadonlySet<string> = new Set(
  [
    Resources.namespaces,
    Resources.persistentVolumes,
    Resources.persistentVolumeClaims,
    Resources.customResourceDefinitions,
  ].map(groupResourceOf),
);

/** Decides what is to be done about one object, from what would be created and what is there. */
export function decideItem(input: DecisionInput): ItemDecision {
  const { live, manifest, restore, policy } = input;
  if (live === undefined) {
    return { action: 'create' };
  }
  if (live.metadata.deletionTimestamp !== undefined) {
    return {
      action: 'conflict',
      code: 'ExistsTerminating',
      reason: 'it exists and is being deleted; restore it again when it has gone',
    };
  }
  const isChangeable = policy !== 'none';
  const comparison = compareWithExisting({ ...input, existing: live }, { isChangeable });
  switch (comparison.kind) {
    case 'equal': {
      const labels = policy === 'update' ? missingLabels(live, restore) : undefined;
      return { action: 'skip', reason: 'it exists and is the same', labels };
    }
    case 'mergeable':
      return {
        action: 'update',
        reason: 'it exists; what it lacks is added',
        patch: comparison.patch,
      };
    case 'different':
      return decideDifferent(input, live, comparison.patch, manifest);
  }
}

function decideDifferent(
  { groupResource, restore, policy }: DecisionInput,
  live: KubernetesObject,
  patch: JsonObject,
  manifest: KubernetesManifest,
): ItemDecision {
  const left = 'it exists and differs; it is left as it is';
  const code = 'ExistsAndDiffers';
  switch (policy) {
    case 'none':
      return { action: 'conflict', code, reason: left, patch };
    case 'update':
      if (belongsToAnotherClaim(live, manifest)) {
        return {
          action: 'conflict',
          code,
          reason: `${left}, for it belongs to another claim, which would lose its data`,
          patch,
        };
      }
      return {
        action: 'update',
        reason: 'it exists and differs; it is made as in the backup',
        patch: withLabels(patch, restore),
        fallback: labelPatch(restore),
      };
    case 'recreate':
      return neverRecreated.has(groupResource)
        ? {
            action: 'conflict',
            code,
            reason: `${left}, for a ${manifest.kind} is never deleted by a restore`,
            patch,
          }
        : {
            action: 'recreate',
            reason: 'it exists and differs; it is deleted and created again',
            uid: live.metadata.uid,
            patch,
          };
  }
}

function belongsToAnotherClaim(live: KubernetesObject, manifest: KubernetesManifest): boolean {
  const owner = objectAt(live, ['spec', 'claimRef']);
  const wanted = objectAt(manifest, ['spec', 'claimRef']);
  return (
    live.kind === 'PersistentVolume' &&
    owner !== undefined &&
    (owner['name'] !== wanted?.['name'] || owner['namespace'] !== wanted?.['namespace'])
  );
}

function labelsOf(restore: Restore): JsonObject {
  return {
    [VeleroLabel.backupName]: labelValueOf(restore.spec.backupName),
    [VeleroLabel.restoreName]: labelValueOf(restore.metadata.name),
  };
}

function labelPatch(restore: Restore): JsonObject {
  return { metadata: { labels: labelsOf(restore) } };
}

function missingLabels(live: KubernetesObject, restore: Restore): JsonObject | undefined {
  const present: JsonObject = live.metadata.labels ?? {};
  const isMissing = Object.entries(labelsOf(restore)).some(
    ([key, value]) => present[key] !== value,
  );
  return isMissing ? labelPatch(restore) : undefined;
}

// Put together as patches: a null in it, which removes a field, has to stay.
function withLabels(patch: JsonObject, restore: Restore): JsonObject {
  const metadata = objectAt(patch, ['metadata']) ?? {};
  const labels = objectAt(patch, ['metadata', 'labels']) ?? {};
  return { ...patch, metadata: { ...metadata, labels: { ...labels, ...labelsOf(restore) } } };
}
