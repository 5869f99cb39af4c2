import type { Violation } from '../../errors.ts';
import { isJsonObject, type JsonValue } from '../../model/json.ts';
import type { StringMap } from '../../model/kubernetes.ts';
import { isDnsSubdomain } from '../../model/kubernetes-name.ts';
import type { ObjectChangeOptions } from '../object-change-options.ts';
import { type PluginConfigSource, readPluginConfig } from './plugin-config.ts';

/** The mappings of a restore; empty where there are none. */
export interface Mappings {
  readonly storageClasses: StringMap;
  readonly images: StringMap;
  readonly nodes: StringMap;
}

/** The mappings of a restore, or the rules that they break. */
export type FoundMappings =
  | { readonly mappings: Mappings; readonly violations?: undefined }
  | { readonly violations: readonly Violation[] };

type MappingOptions = Pick<
  ObjectChangeOptions,
  'storageClassMapping' | 'imageMapping' | 'nodeMapping' | 'veleroPluginConfig'
>;

/**
 * Finds the mappings of a restore: those of the options, and, when they are asked for, those that Velero keeps in ConfigMaps.
 * Only then the cluster is read.
 *
 * @throws {ClusterError} when the ConfigMaps cannot be listed.
 */
export async function findMappings(
  options: MappingOptions,
  source: PluginConfigSource,
): Promise<FoundMappings> {
  const given = [
    ...nameRules('options.storageClassMapping', options.storageClassMapping),
    ...nameRules('options.nodeMapping', options.nodeMapping),
    ...imageRules('options.imageMapping', options.imageMapping),
  ];
  const config = options.veleroPluginConfig === true ? await readPluginConfig(source) : undefined;
  const violations = [...given, ...(config?.violations ?? [])];
  return violations.length > 0
    ? { violations }
    : {
        mappings: {
          storageClasses: { ...config?.storageClasses, ...options.storageClassMapping },
          images: { ...config?.images, ...options.imageMapping },
          nodes: { ...options.nodeMapping },
        },
      };
}

/** The rules that a mapping of names of StorageClasses or nodes breaks. */
export function nameRules(path: string, mapping: JsonValue | undefined): readonly Violation[] {
  return entryRules(path, mapping, (_key, value) =>
    typeof value === 'string' && isDnsSubdomain(value)
      ? undefined
      : 'must map to a name, a DNS-1123 subdomain',
  );
}

// A part that is empty occurs in every name.
function imageRules(path: string, mapping: JsonValue | undefined): readonly Violation[] {
  return entryRules(path, mapping, (key, value) =>
    key !== '' && typeof value === 'string' && value !== ''
      ? undefined
      : 'must map a part of the name of an image to another',
  );
}

function entryRules(
  path: string,
  mapping: JsonValue | undefined,
  problemOf: (key: string, value: JsonValue | undefined) => string | undefined,
): readonly Violation[] {
  if (mapping === undefined) {
    return [];
  }
  if (!isJsonObject(mapping)) {
    return [{ path, rule: 'must map names to names', received: mapping }];
  }
  return Object.entries(mapping).flatMap(([key, value]) => {
    const rule = problemOf(key, value);
    return rule === undefined
      ? []
      : [{ path: `${path}[${JSON.stringify(key)}]`, rule, received: value }];
  });
}
