import picomatch from 'picomatch';
import type { JsonArray, JsonObject, JsonValue } from '../../model/json.ts';
import { isJsonObject } from '../../model/json.ts';
import { applyJsonPatch } from '../../model/json-patch.ts';
import type { KubernetesManifest } from '../../model/kubernetes.ts';
import { matchesLabelSelector } from '../../model/label-selector.ts';
import { applyMergePatch } from '../../model/merge-patch.ts';
import { PatchFailure } from '../../model/patch-failure.ts';
import type {
  ModifierMatch,
  ModifierPatchData,
  ResourceModifierConditions,
  ResourceModifierRule,
} from '../../model/resource-modifiers.ts';
import { createGlob } from '../../selection/glob.ts';
import { readLabelSelector } from '../../selection/label-selectors-of.ts';
import { parseYaml } from '../../selection/parse-yaml.ts';
import { mergeSchemaOf } from './merge-keys.ts';
import { readModifierValue } from './modifier-value.ts';
import { compileNamePattern } from './name-pattern.ts';
import { applyStrategicMergePatch } from './strategic-merge-patch.ts';

/** What the conditions of a rule look at. */
export interface ModifierSubject {
  readonly groupResource: string;
  /** In the backup. */
  readonly namespace: string | undefined;
  readonly name: string;
  /** As it is before any rule. */
  readonly item: KubernetesManifest;
}

/** A rule of resource modifiers ready for use. */
export interface CompiledRule {
  isFor(subject: ModifierSubject): boolean;
  /**
   * The object with the patches of the rule applied.
   *
   * @throws PatchFailure when one cannot be applied.
   */
  apply(item: JsonValue): JsonValue;
}

/** Compiles a valid rule. */
export function compileModifierRule(rule: ResourceModifierRule): CompiledRule {
  return { isFor: compileConditions(rule.conditions), apply: compilePatches(rule) };
}

function compileConditions({
  groupResource,
  namespaces,
  resourceNameRegex,
  labelSelector,
  matches,
}: ResourceModifierConditions): CompiledRule['isFor'] {
  const hasResource = groupResourceGlob(groupResource);
  const globs = (namespaces ?? []).map((name) => createGlob(name, { braces: false }));
  const pattern = compileNamePattern(resourceNameRegex ?? '');
  const selector = readLabelSelector(labelSelector ?? {}) ?? {};
  const tests = (matches ?? []).map(testOf);
  return (subject) =>
    hasResource(subject.groupResource) &&
    (globs.length === 0 || globs.some((isOne) => isOne(subject.namespace ?? ''))) &&
    pattern.problem === undefined &&
    pattern.matches(subject.name) &&
    matchesLabelSelector(subject.item.metadata.labels, selector) &&
    tests.every((test) => holds(subject.item, test));
}

// The matcher knows slashes as what a star does not cross; names of resources have none, but dots.
function groupResourceGlob(pattern: string): (groupResource: string) => boolean {
  const matches = picomatch(pattern.replaceAll('[!', '[^').replaceAll('.', '/'), {
    dot: true,
    noextglob: true,
    nonegate: true,
  });
  return (groupResource) => matches(groupResource.replaceAll('.', '/'));
}

function testOf({ path, value }: ModifierMatch): JsonObject {
  return { op: 'test', path, value: valueOf(value) };
}

function holds(item: KubernetesManifest, test: JsonObject): boolean {
  try {
    applyJsonPatch(item, [test]);
    return true;
  } catch (error) {
    if (error instanceof PatchFailure) {
      return false;
    }
    throw error;
  }
}

function compilePatches(rule: ResourceModifierRule): CompiledRule['apply'] {
  const operations: JsonArray = (rule.patches ?? []).map(({ operation, path, from, value }) => ({
    op: operation,
    path,
    ...(operation === 'move' || operation === 'copy' ? { from } : { value: valueOf(value) }),
  }));
  const merges = (rule.mergePatches ?? []).map(dataOf);
  const strategics = (rule.strategicPatches ?? []).map(dataOf);
  return (item) => {
    const patched = merges.reduce<JsonValue>(applyMergePatch, applyJsonPatch(item, operations));
    return strategics.reduce<JsonValue>(applyStrategically, patched);
  };
}

function applyStrategically(item: JsonValue, patch: JsonObject): JsonValue {
  if (!isManifest(item)) {
    throw new PatchFailure('a patch before left no object with apiVersion and kind', 'PathMissing');
  }
  const schema = mergeSchemaOf(item);
  if (schema === undefined) {
    throw new PatchFailure(
      `a strategic merge patch cannot be applied to ${item.apiVersion} ${item.kind}, a custom resource, of which it is not known how its lists are merged; use patches or mergePatches`,
      'Malformed',
    );
  }
  return applyStrategicMergePatch(item, patch, schema);
}

function isManifest(item: JsonValue): item is KubernetesManifest {
  return (
    isJsonObject(item) && typeof item['apiVersion'] === 'string' && typeof item['kind'] === 'string'
  );
}

function valueOf(value: ModifierMatch['value'] | null): JsonValue {
  const read = readModifierValue(String(value ?? ''));
  return read.problem === undefined ? read.value : '';
}

function dataOf({ patchData }: ModifierPatchData): JsonObject {
  const { value } = { value: undefined, ...parseYaml('patchData', patchData) };
  return isJsonObject(value) ? value : {};
}
