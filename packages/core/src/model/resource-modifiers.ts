import type { LabelSelector } from './backup.ts';
import type { JsonObject } from './json.ts';

/**
 * Resource modifiers as Velero has them: patches for objects on their way out of a backup. In a cluster they are YAML text in a
 * ConfigMap that `spec.resourceModifier` of the restore names.
 */
export interface ResourceModifiers extends JsonObject {
  readonly version: 'v1';
  /** Applied in this order, each to what the ones before it made of the object. */
  readonly resourceModifierRules?: readonly ResourceModifierRule[] | undefined;
}

/** Patches for the objects that meet some conditions: of one of the three kinds, or none. */
export interface ResourceModifierRule extends JsonObject {
  readonly conditions: ResourceModifierConditions;
  /** A JSON patch (RFC 6902). A `test` in it that fails leaves the object as it is. */
  readonly patches?: readonly ModifierPatch[] | undefined;
  /** JSON merge patches (RFC 7386). */
  readonly mergePatches?: readonly ModifierPatchData[] | undefined;
  /** Strategic merge patches, for the kinds of Kubernetes itself. */
  readonly strategicPatches?: readonly ModifierPatchData[] | undefined;
}

/** Conditions of a {@link ResourceModifierRule}, all of which hold for an object as it is before the first rule. */
export interface ResourceModifierConditions extends JsonObject {
  /** `<resource>` or `<resource>.<group>`, a pattern of which `*` and `?` do not stand for a dot: `deployments.*`. */
  readonly groupResource: string;
  /** Namespaces in the backup, or patterns of them. @default any, and none */
  readonly namespaces?: readonly string[] | undefined;
  /** A regular expression of Go's syntax that matches somewhere in the name. */
  readonly resourceNameRegex?: string | undefined;
  readonly labelSelector?: LabelSelector | undefined;
  /** Values that the object has. One that is missing is not equal to anything. */
  readonly matches?: readonly ModifierMatch[] | undefined;
}

/** A value that an object must have. */
export interface ModifierMatch extends JsonObject {
  /** A JSON pointer: `/spec/storageClassName`. */
  readonly path: string;
  /** As in a {@link ModifierPatch}. @default '' */
  readonly value?: ModifierText | undefined;
}

/** One operation of a JSON patch. */
export interface ModifierPatch extends JsonObject {
  readonly operation: 'add' | 'remove' | 'replace' | 'test' | 'move' | 'copy';
  /** A JSON pointer; slashes in a key are `~1`. */
  readonly path: string;
  /** Where `move` and `copy` take the value from. */
  readonly from?: string | undefined;
  /**
   * Text that stands for a value, as in Velero: `null`, `true`, `false`, numbers, and what begins with `{` or `[` are JSON, all
   * else is a string. With quotation marks of its own it is a string whatever it holds: `"5"`. @default ''
   */
  readonly value?: ModifierText | undefined;
}

/** Text; YAML leaves it to the reader whether `5` is one. */
export type ModifierText = string | number | boolean;

/** One merge patch. */
export interface ModifierPatchData extends JsonObject {
  /** YAML or JSON. */
  readonly patchData: string;
}
