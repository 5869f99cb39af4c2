import type { StringMap } from '../model/kubernetes.ts';
import type { ResourceModifiers } from '../model/resource-modifiers.ts';
import type { RestoreTransform } from './restore-transform.ts';

/**
 * How a restore changes objects beside what `spec.namespaceMapping` says. In this order: the mappings, with the item actions; resource
 * modifiers; transforms.
 */
export interface ObjectChangeOptions {
  /**
   * StorageClass in the backup → StorageClass in the target, for claims, volumes and the claim templates of StatefulSets. Each target must
   * exist, or be restored too; else the request is refused.
   */
  readonly storageClassMapping?: StringMap | undefined;
  /**
   * Claim in the backup, as `<namespace>/<name>` → its name in the target, so that it can be restored beside the original. What mounts it is
   * changed too: pods, and the templates of what runs pods. The claims that a StatefulSet makes for its pods keep the names it demands.
   */
  readonly claimNameMapping?: StringMap | undefined;
  /**
   * Part of the name of an image → what replaces it, in pods and what runs them: `{'docker.io/': 'registry.example.com/'}`. Of several
   * that occur in a name the longest counts.
   */
  readonly imageMapping?: StringMap | undefined;
  /** Node in the backup → node in the target, in `nodeName`, `nodeSelector` and the node affinity of pods, what runs them, and volumes. */
  readonly nodeMapping?: StringMap | undefined;
  /**
   * Read the mappings of StorageClasses and images that Velero keeps in ConfigMaps of its namespace, labelled
   * `velero.io/plugin-config` and `velero.io/change-storage-class` or `velero.io/change-image-name`. Those of the other options win. Takes
   * the right to list ConfigMaps there. @default false
   */
  readonly veleroPluginConfig?: boolean | undefined;
  /** Patches as Velero has them, or the YAML text of some; not together with `spec.resourceModifier`. */
  readonly resourceModifiers?: ResourceModifiers | string | undefined;
  /** Functions that change objects or leave them out, one after another. */
  readonly transforms?: readonly RestoreTransform[] | undefined;
}
