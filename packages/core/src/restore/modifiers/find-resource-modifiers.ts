import type { Violation } from '../../errors.ts';
import type { JsonValue } from '../../model/json.ts';
import { objectAt } from '../../model/object-path.ts';
import type { ResourceModifiers } from '../../model/resource-modifiers.ts';
import type { RestoreSpec } from '../../model/restore.ts';
import type { Cluster } from '../../ports/cluster.ts';
import { readConfigMapDocument } from '../../selection/config-map-document.ts';
import { type ParsedYaml, parseYaml } from '../../selection/parse-yaml.ts';
import { isResourceModifiers, resourceModifierViolations } from './resource-modifier-violations.ts';

/** What {@link findResourceModifiers} looks at. */
export interface ResourceModifierSource {
  readonly cluster: Cluster;
  /** Namespace of Velero, where the ConfigMap of `spec.resourceModifier` lies. */
  readonly namespace: string;
  readonly spec: RestoreSpec;
  /** The caller's own: modifiers, or the YAML text of some. */
  readonly given: ResourceModifiers | string | undefined;
  readonly signal: AbortSignal | undefined;
}

/** The resource modifiers of a restore, `undefined` when it has none, or the rules that they break. */
export type FoundModifiers =
  | { readonly modifiers: ResourceModifiers | undefined; readonly violations?: undefined }
  | { readonly violations: readonly Violation[] };

const optionPath = 'options.resourceModifiers';
const specPath = 'spec.resourceModifier';

/**
 * Finds the resource modifiers of a restore: the caller's own, or those of the ConfigMap which `spec.resourceModifier` names.
 * Only in the latter case the cluster is read.
 *
 * @throws {ClusterError} when the ConfigMap cannot be read; a missing one breaks a rule.
 */
export async function findResourceModifiers(
  source: ResourceModifierSource,
): Promise<FoundModifiers> {
  const { cluster, namespace, spec, given, signal } = source;
  const reference = objectAt(spec, ['resourceModifier']) ?? {};
  const isNamed = Object.keys(reference).length > 0;
  if (given !== undefined && isNamed) {
    return refuse(optionPath, `cannot be combined with ${specPath}`);
  }
  if (given !== undefined) {
    return check(
      optionPath,
      typeof given === 'string' ? parseYaml(optionPath, given) : { value: given },
    );
  }
  if (!isNamed) {
    return { modifiers: undefined };
  }
  const { kind, name } = reference;
  if (typeof kind !== 'string' || kind.toLowerCase() !== 'configmap') {
    return refuse(`${specPath}.kind`, 'must be ConfigMap', kind);
  }
  if (typeof name !== 'string' || name === '') {
    return refuse(`${specPath}.name`, 'must name a ConfigMap', name);
  }
  const named = { path: specPath, namespace, name };
  const { place, parsed } = await readConfigMapDocument(cluster, named, { signal });
  return check(place, parsed);
}

function check(path: string, parsed: ParsedYaml): FoundModifiers {
  if (parsed.violations !== undefined) {
    return parsed;
  }
  const { value } = parsed;
  return isResourceModifiers(value)
    ? { modifiers: value }
    : { violations: resourceModifierViolations(path, value) };
}

function refuse(path: string, rule: string, received?: JsonValue): FoundModifiers {
  return { violations: [{ path, rule, received }] };
}
