import { createHash } from 'node:crypto';
import { type Cluster, isLifeboatError, type KubernetesManifest, Resources } from '@lifeboat/core';
import { runAll } from '../packages/core/src/internal/run-all.ts';
import type { BareSelection } from './object-floor.ts';

const namespaceCount = 20;
const contentBytes = 2 * 1024;
const createdAtATime = 16;
const completeLabel = 'bench.lifeboat.dev/complete';
const kinds = {
  configmaps: { group: '', version: 'v1', resource: 'configmaps' },
  secrets: { group: '', version: 'v1', resource: 'secrets' },
} as const;

/** The kinds of {@link prepareObjects}, of the core group. */
export const objectResources: readonly string[] = Object.keys(kinds);

/**
 * Makes namespaces with ConfigMaps and Secrets of 2 KiB, half of each, unless an earlier run has. They stay, since making them takes
 * minutes. Resolves with what to back up.
 */
export async function prepareObjects(
  cluster: Cluster,
  count: number,
  report: (line: string) => void,
): Promise<BareSelection> {
  const namespaces = Array.from(
    { length: namespaceCount },
    (_, index) => `bench-${count}-${String(index).padStart(2, '0')}`,
  );
  for (const [index, namespace] of namespaces.entries()) {
    if (!(await isComplete(cluster, namespace))) {
      report(`objects: filling namespace ${index + 1} of ${namespaceCount} for ${count} objects`);
      await fillNamespace(cluster, namespace, count / namespaceCount / 2);
    }
  }
  return { namespaces, resources: objectResources };
}

async function isComplete(cluster: Cluster, name: string): Promise<boolean> {
  const namespace = await cluster.get({ ...Resources.namespaces, name });
  return namespace?.metadata.labels?.[completeLabel] === 'true';
}

async function fillNamespace(cluster: Cluster, namespace: string, each: number): Promise<void> {
  await create(cluster, Resources.namespaces, {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name: namespace },
  });
  await runAll(
    Array.from({ length: each }, (_, index) => index),
    async (index) => {
      await create(cluster, kinds.configmaps, configMap(namespace, index));
      await create(cluster, kinds.secrets, secret(namespace, index));
    },
    { concurrency: createdAtATime },
  );
  const patch = { metadata: { labels: { [completeLabel]: 'true' } } };
  await cluster.patch({ ...Resources.namespaces, name: namespace }, { type: 'merge', patch });
}

/** Creates an object, unless it is there from an earlier run. */
async function create(
  cluster: Cluster,
  resource: Parameters<Cluster['create']>[0],
  manifest: KubernetesManifest,
): Promise<void> {
  try {
    await cluster.create(resource, manifest);
  } catch (error) {
    if (!isLifeboatError(error, 'AlreadyExists')) throw error;
  }
}

function configMap(namespace: string, index: number): KubernetesManifest {
  let settings = '';
  for (let line = 0; settings.length < contentBytes; line += 1) {
    settings += `service.${line}.endpoint = https://${digestOf(index, line).slice(0, 12)}.example.com:8443\n`;
  }
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: metadataOf(namespace, index),
    data: { 'settings.properties': settings.slice(0, contentBytes) },
  };
}

function secret(namespace: string, index: number): KubernetesManifest {
  const noise = Array.from({ length: contentBytes / 32 }, (_, part) => digestOf(index, part));
  const bytes = Buffer.from(noise.join(''), 'hex');
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    type: 'Opaque',
    metadata: metadataOf(namespace, index),
    data: { key: bytes.subarray(0, (contentBytes / 4) * 3).toString('base64') },
  };
}

function metadataOf(namespace: string, index: number): KubernetesManifest['metadata'] {
  const labels = { 'app.kubernetes.io/name': 'bench', 'app.kubernetes.io/part-of': namespace };
  return { name: `object-${String(index).padStart(5, '0')}`, namespace, labels };
}

function digestOf(index: number, part: number): string {
  return createHash('sha256').update(`${index}/${part}`).digest('hex');
}
