import type { Violation } from '../../errors.ts';
import { describeObject, type KubernetesObject, type StringMap } from '../../model/kubernetes.ts';
import { objectAt } from '../../model/object-path.ts';
import { Resources } from '../../model/resources.ts';
import type { Cluster } from '../../ports/cluster.ts';

/** What {@link readPluginConfig} reads from. */
export interface PluginConfigSource {
  readonly cluster: Cluster;
  /** Namespace of Velero. */
  readonly namespace: string;
  readonly signal: AbortSignal | undefined;
}

/** The mappings that Velero's ConfigMaps hold, and the rules that they break. */
export interface PluginConfig {
  readonly storageClasses: StringMap;
  readonly images: StringMap;
  readonly violations: readonly Violation[];
}

const path = 'options.veleroPluginConfig';

/**
 * Reads the ConfigMaps by which Velero's item actions are configured: one for StorageClasses, with the old name as key and the new
 * one as value, and one for images, with `old,new` as values. One that is missing maps nothing; two for one action break a rule.
 *
 * @throws {ClusterError} when the ConfigMaps cannot be listed.
 */
export async function readPluginConfig(source: PluginConfigSource): Promise<PluginConfig> {
  const classes = await configOf('velero.io/change-storage-class', source);
  const images = await configOf('velero.io/change-image-name', source);
  const rows = Object.entries(images.data).map(([key, row]) => ({ key, parts: partsOf(row), row }));
  return {
    storageClasses: classes.data,
    images: Object.fromEntries(rows.flatMap(({ parts }) => (parts === undefined ? [] : [parts]))),
    violations: [
      ...classes.violations,
      ...images.violations,
      ...rows
        .filter(({ parts }) => parts === undefined)
        .map(({ key, row }) => ({
          path: `${path}: ${images.place}.data[${JSON.stringify(key)}]`,
          rule: 'must be a part of the name of an image and what replaces it, with a comma between',
          received: row,
        })),
    ],
  };
}

interface ActionConfig {
  readonly place: string;
  readonly data: StringMap;
  readonly violations: readonly Violation[];
}

async function configOf(
  action: string,
  { cluster, namespace, signal }: PluginConfigSource,
): Promise<ActionConfig> {
  const labelSelector = `velero.io/plugin-config,${action}=RestoreItemAction`;
  const found: KubernetesObject[] = [];
  for await (const configMap of cluster.list(Resources.configMaps, {
    namespace,
    labelSelector,
    signal,
  })) {
    found.push(configMap);
  }
  const [first, second] = found;
  if (first === undefined) {
    return { place: '', data: {}, violations: [] };
  }
  const place = describeObject({
    groupResource: 'configmaps',
    namespace,
    name: first.metadata.name,
  });
  const data = Object.entries(objectAt(first, ['data']) ?? {}).filter(
    (entry): entry is [string, string] => typeof entry[1] === 'string',
  );
  const violations: Violation[] =
    second === undefined
      ? []
      : [
          {
            path,
            rule: `must find one ConfigMap labelled ${labelSelector}, but finds ${first.metadata.name} and ${second.metadata.name}`,
          },
        ];
  return { place, data: Object.fromEntries(data), violations };
}

function partsOf(row: string): [part: string, replacement: string] | undefined {
  const comma = row.indexOf(',');
  const part = row.slice(0, Math.max(comma, 0)).trim();
  const replacement = row.slice(comma + 1).trim();
  return part === '' || replacement === '' ? undefined : [part, replacement];
}
