import {
  type ApiResource,
  type Cluster,
  type Discovery,
  isLifeboatError,
  type JsonValue,
  type KubernetesObject,
} from '@lifeboat/core';
import { isJsonArray, isJsonObject } from '../../packages/core/src/model/json.ts';
import { groupResourceOf } from '../../packages/core/src/model/kubernetes.ts';
import { objectAt, stringAt } from '../../packages/core/src/model/object-path.ts';
import type { ArchiveEntry } from './backup-directory.ts';
import { neutralEntries } from './neutral-directory.ts';

/** An application of which all objects are read. */
export interface ApplicationObjectsOptions {
  readonly cluster: Cluster;
  /** The namespaces that are its own. */
  readonly namespaces: readonly string[];
  /** Whether an object that is in no namespace belongs to it, from its JSON. */
  readonly isOurs: (text: string) => boolean;
  /** Gives text the names that it is to be compared under. */
  readonly rename: (text: string) => string;
  /** Resources that are not looked at: `events`. */
  readonly leftOut: ReadonlySet<string>;
}

/**
 * Reads every object of an application that the cluster has, of whatever kind, as it stands: path as in an archive → object. Names that
 * the API server or a controller has generated are numbered, as {@link neutralEntries} does it, and a volume goes by its claim.
 */
export async function readApplicationObjects(
  options: ApplicationObjectsOptions,
): Promise<ReadonlyMap<string, JsonValue>> {
  const { cluster, rename, leftOut } = options;
  const entries: ArchiveEntry[] = [];
  for (const resource of listedResources(await cluster.discover())) {
    const groupResource = groupResourceOf(resource);
    if (leftOut.has(groupResource)) {
      continue;
    }
    for await (const object of objectsOf(resource, options)) {
      const { namespace } = object.metadata;
      const place = namespace === undefined ? 'cluster' : `namespaces/${namespace}`;
      const path = `resources/${groupResource}/${place}/${pathNameOf(object)}.json`;
      entries.push({ path, header: {}, text: JSON.stringify(object) });
    }
  }
  const read = neutralEntries(entries, { rename, neutral: comparable });
  return new Map([...read].map(([path, { content }]) => [path, content]));
}

/**
 * An object in which differences are found where they are: with labels and annotations, if only none, since the first one that is added
 * would stand for all of them; and with its endpoints in the order of their pods, not of addresses.
 */
function comparable(object: JsonValue): JsonValue {
  const sorted = withSortedEndpoints(object);
  const metadata = isJsonObject(sorted) ? sorted['metadata'] : undefined;
  return isJsonObject(sorted) && isJsonObject(metadata)
    ? { ...sorted, metadata: { labels: {}, annotations: {}, ...metadata } }
    : sorted;
}

function withSortedEndpoints(value: JsonValue): JsonValue {
  if (!isJsonObject(value)) {
    return value;
  }
  const sorted = (key: string, member: JsonValue): JsonValue => {
    if (!isJsonArray(member)) {
      return member;
    }
    return key === 'subsets' ? member.map(withSortedEndpoints) : member.toSorted(byPod);
  };
  return Object.fromEntries(
    Object.entries(value).map(([key, member = null]) =>
      ['endpoints', 'subsets', 'addresses'].includes(key)
        ? [key, sorted(key, member)]
        : [key, member],
    ),
  );
}

function byPod(one: JsonValue, other: JsonValue): number {
  const podOf = (endpoint: JsonValue): string =>
    (isJsonObject(endpoint) ? stringAt(endpoint, ['targetRef', 'name']) : undefined) ?? '';
  return podOf(one) < podOf(other) ? -1 : 1;
}

/** The resources that can be listed, each in the version that the server prefers. */
function listedResources({ groups, resources }: Discovery): readonly ApiResource[] {
  const preferred = new Map(groups.map(({ name, preferredVersion }) => [name, preferredVersion]));
  return resources.filter(
    ({ group, version, verbs }) =>
      verbs.includes('list') && (preferred.get(group) ?? version) === version,
  );
}

/** Those of a definition that went after the discovery, with the test whose it was, are none. */
async function* objectsOf(
  resource: ApiResource,
  options: ApplicationObjectsOptions,
): AsyncGenerator<KubernetesObject> {
  try {
    yield* listedObjects(resource, options);
  } catch (error) {
    if (!isLifeboatError(error, 'NotFound')) {
      throw error;
    }
  }
}

async function* listedObjects(
  resource: ApiResource,
  { cluster, namespaces, isOurs }: ApplicationObjectsOptions,
): AsyncGenerator<KubernetesObject> {
  if (resource.namespaced) {
    for (const namespace of namespaces) {
      yield* cluster.list(resource, { namespace });
    }
    return;
  }
  for await (const object of cluster.list(resource)) {
    if (isOurs(JSON.stringify(object))) {
      yield object;
    }
  }
}

/** What the path calls an object: a volume that was made for a claim is `<namespace> <claim>`. */
function pathNameOf(object: KubernetesObject): string {
  const { name } = object.metadata;
  const claim = objectAt(object, ['spec', 'claimRef']);
  return claim === undefined || !name.startsWith('pvc-')
    ? name
    : `${stringAt(claim, ['namespace'])} ${stringAt(claim, ['name'])}`;
}
