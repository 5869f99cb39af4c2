import { objectAt } from '../model/object-path.ts';
import { Resources } from '../model/resources.ts';
import type { Cluster } from '../ports/cluster.ts';
import type { CallOptions } from '../ports/object-store.ts';
import { type ParsedYaml, parseYaml } from './parse-yaml.ts';

/** A ConfigMap that a spec names, and the place in the request that names it. */
export interface NamedConfigMap {
  /** `spec.resourcePolicy` */
  readonly path: string;
  readonly namespace: string;
  readonly name: string;
}

/** The YAML document of a ConfigMap, with its place for messages. */
export interface ConfigMapDocument {
  readonly place: string;
  readonly parsed: ParsedYaml;
}

/**
 * Reads the one YAML document that Velero allows a ConfigMap to hold. A ConfigMap that is missing or has not exactly one key
 * breaks a rule, as does text that is no YAML.
 *
 * @throws {ClusterError} when the ConfigMap cannot be read.
 */
export async function readConfigMapDocument(
  cluster: Cluster,
  { path, namespace, name }: NamedConfigMap,
  options: CallOptions,
): Promise<ConfigMapDocument> {
  const refuse = (rule: string): ConfigMapDocument => ({
    place: path,
    parsed: { violations: [{ path: `${path}.name`, rule, received: name }] },
  });
  const configMap = await cluster.get({ ...Resources.configMaps, namespace, name }, options);
  if (configMap === undefined) {
    return refuse(`must name a ConfigMap of namespace ${namespace}`);
  }
  const entries = Object.entries(objectAt(configMap, ['data']) ?? {});
  const [key = '', text] = entries[0] ?? [];
  if (entries.length !== 1 || typeof text !== 'string') {
    return refuse(
      `must name a ConfigMap with exactly one key in its data, but ${namespace}/${name} has ${entries.length}`,
    );
  }
  const place = `${path}.data[${JSON.stringify(key)}]`;
  return { place, parsed: parseYaml(place, text) };
}
