import type { Violation } from '../errors.ts';
import type { BackupSpec } from '../model/backup.ts';
import type { JsonValue } from '../model/json.ts';
import { stringAt } from '../model/object-path.ts';
import type {
  IncludeExcludePolicy,
  ResourcePolicy,
  VolumePolicy,
} from '../model/resource-policy.ts';
import type { Cluster } from '../ports/cluster.ts';
import { readConfigMapDocument } from '../selection/config-map-document.ts';
import { type ParsedYaml, parseYaml } from '../selection/parse-yaml.ts';
import { usesGlobalFilter } from '../selection/resource-filter.ts';
import {
  isResourcePolicy,
  resourcePolicyViolations,
} from '../selection/resource-policy-violations.ts';

/** A resource policy ready for use: what was left out is empty. */
export interface EffectivePolicy {
  readonly volumePolicies: readonly VolumePolicy[];
  readonly includeExcludePolicy: IncludeExcludePolicy | undefined;
}

/** What {@link findResourcePolicy} looks at. */
export interface ResourcePolicySource {
  readonly cluster: Cluster;
  /** Namespace of Velero, where the ConfigMap of `spec.resourcePolicy` lies. */
  readonly namespace: string;
  readonly spec: BackupSpec;
  /** The caller's own: a policy, or the YAML text of one. */
  readonly given: ResourcePolicy | string | undefined;
  readonly signal: AbortSignal | undefined;
}

/** The policy of a backup, or the rules that it breaks. */
export type FoundPolicy =
  | { readonly policy: EffectivePolicy }
  | { readonly violations: readonly Violation[] };

const optionPath = 'options.resourcePolicy';

/**
 * Finds the resource policy of a backup: the caller's own, or that of the ConfigMap which `spec.resourcePolicy` names. Only in
 * the latter case the cluster is read.
 *
 * @throws {ClusterError} when the ConfigMap cannot be read; a missing one breaks a rule.
 */
export async function findResourcePolicy(source: ResourcePolicySource): Promise<FoundPolicy> {
  const { spec, given } = source;
  const name = stringAt(spec, ['resourcePolicy', 'name']);
  if (given !== undefined && name !== undefined) {
    return refuse(optionPath, 'cannot be combined with spec.resourcePolicy');
  }
  if (given !== undefined) {
    const parsed = typeof given === 'string' ? parseYaml(optionPath, given) : { value: given };
    return check(optionPath, parsed, spec);
  }
  if (name === undefined) {
    return { policy: { volumePolicies: [], includeExcludePolicy: undefined } };
  }
  const { cluster, namespace, signal } = source;
  const named = { path: 'spec.resourcePolicy', namespace, name };
  const { place, parsed } = await readConfigMapDocument(cluster, named, { signal });
  return check(place, parsed, spec);
}

function check(path: string, parsed: ParsedYaml, spec: BackupSpec): FoundPolicy {
  if (parsed.violations !== undefined) {
    return parsed;
  }
  const { value } = parsed;
  if (!isResourcePolicy(value)) {
    return { violations: resourcePolicyViolations(path, value) };
  }
  const { volumePolicies, includeExcludePolicy } = value;
  if (includeExcludePolicy && usesGlobalFilter(spec)) {
    return refuse(
      `${path}.includeExcludePolicy`,
      'cannot be combined with includedResources, excludedResources and includeClusterResources: use the fields of one scope',
      includeExcludePolicy,
    );
  }
  return {
    policy: {
      volumePolicies: volumePolicies ?? [],
      includeExcludePolicy: includeExcludePolicy ?? undefined,
    },
  };
}

function refuse(path: string, rule: string, received?: JsonValue): FoundPolicy {
  return { violations: [{ path, rule, received }] };
}
