import { isLifeboatError, LifeboatError } from '../errors.ts';
import {
  apiVersionOf,
  type ClusterVersion,
  type Discovery,
  type GroupVersionResource,
  type KubernetesManifest,
  type KubernetesObject,
  type ObjectReference,
} from '../model/kubernetes.ts';
import { Resources } from '../model/resources.ts';
import type {
  Cluster,
  ClusterPatch,
  DeleteOptions,
  ListOptions,
  PatchOptions,
  WatchEvent,
  WatchOptions,
  WriteOptions,
} from '../ports/cluster.ts';
import type { CallOptions } from '../ports/object-store.ts';

const { group, version: writtenVersion } = Resources.volumeSnapshots;
const writtenApiVersion = apiVersionOf({ group, version: writtenVersion });
// The two have the same fields (external-snapshotter: client/apis/volumesnapshot).
const olderVersion = 'v1beta1';
const olderApiVersion = apiVersionOf({ group, version: olderVersion });

/**
 * Presents a cluster that serves only `snapshot.storage.k8s.io/v1beta1`, as Kubernetes before 1.20 did, as one that serves v1:
 * requests for v1 are sent for v1beta1, and what comes back says v1, discovery included. Everything else, requests for v1beta1
 * included, passes unchanged, and so does everything where v1 or no version is served.
 *
 * The version is found by the first discovery that passes, or by one of its own, and remembered; every further discovery
 * brings it up to date. A cluster that is presented so already is returned as it is.
 */
export function servedSnapshotApi(cluster: Cluster): Cluster {
  return cluster instanceof ServedSnapshotApi ? cluster : new ServedSnapshotApi(cluster);
}

/** Says in plain words that a cluster lacks the snapshot API. */
export function snapshotApiMissing(
  operation: string,
  { location }: Cluster,
  cause: unknown,
): LifeboatError {
  return new LifeboatError(
    `${operation}: ${location} does not serve ${group} in ${writtenVersion} or ${olderVersion}: install the CRDs and the snapshot-controller of external-snapshotter`,
    { code: 'Unsupported', operation, target: location, cause },
  );
}

/**
 * Makes sure that a cluster has the snapshot API, by asking for its classes, and returns them.
 *
 * @throws {LifeboatError} code Unsupported when it has not.
 */
export async function requireSnapshotApi(
  operation: string,
  cluster: Cluster,
  { signal }: CallOptions,
): Promise<readonly KubernetesObject[]> {
  try {
    return await Array.fromAsync(cluster.list(Resources.volumeSnapshotClasses, { signal }));
  } catch (error) {
    throw isLifeboatError(error, 'NotFound')
      ? snapshotApiMissing(operation, cluster, error)
      : error;
  }
}

class ServedSnapshotApi implements Cluster {
  readonly location: string;
  readonly #cluster: Cluster;
  #servesOnlyOlder: boolean | undefined;

  constructor(cluster: Cluster) {
    this.#cluster = cluster;
    this.location = cluster.location;
  }

  version(options?: CallOptions): Promise<ClusterVersion> {
    return this.#cluster.version(options);
  }

  async discover(options?: CallOptions): Promise<Discovery> {
    const discovery = await this.#cluster.discover(options);
    const versions = discovery.groups.find(({ name }) => name === group)?.versions ?? [];
    // Definitions that are missing may be installed at any time.
    this.#servesOnlyOlder =
      versions.length === 0
        ? undefined
        : versions.includes(olderVersion) && !versions.includes(writtenVersion);
    return this.#servesOnlyOlder === true ? presented(discovery) : discovery;
  }

  async get(
    reference: ObjectReference,
    options?: CallOptions,
  ): Promise<KubernetesObject | undefined> {
    const asked = await this.#asServed(reference, options);
    const found = await this.#cluster.get(asked, options);
    return found && asAsked(found, reference, asked);
  }

  list(resource: GroupVersionResource, options?: ListOptions): AsyncIterable<KubernetesObject> {
    return isPresented(resource)
      ? this.#listServed(resource, options)
      : this.#cluster.list(resource, options);
  }

  async *#listServed(
    resource: GroupVersionResource,
    options?: ListOptions,
  ): AsyncGenerator<KubernetesObject> {
    const asked = await this.#asServed(resource, options);
    for await (const object of this.#cluster.list(asked, options)) {
      yield asAsked(object, resource, asked);
    }
  }

  async *watch(resource: GroupVersionResource, options?: WatchOptions): AsyncGenerator<WatchEvent> {
    const asked = await this.#asServed(resource, options);
    for await (const event of this.#cluster.watch(asked, options)) {
      yield 'object' in event
        ? { ...event, object: asAsked(event.object, resource, asked) }
        : event;
    }
  }

  async create(
    resource: GroupVersionResource,
    manifest: KubernetesManifest,
    options?: WriteOptions,
  ): Promise<KubernetesObject> {
    const asked = await this.#asServed(resource, options);
    const sent = asked === resource ? manifest : inOlderVersion(manifest);
    return asAsked(await this.#cluster.create(asked, sent, options), resource, asked);
  }

  async patch(
    reference: ObjectReference,
    patch: ClusterPatch,
    options?: PatchOptions,
  ): Promise<KubernetesObject> {
    const asked = await this.#asServed(reference, options);
    const sent =
      asked === reference || patch.type !== 'apply'
        ? patch
        : { ...patch, manifest: inOlderVersion(patch.manifest) };
    return asAsked(await this.#cluster.patch(asked, sent, options), reference, asked);
  }

  async delete(reference: ObjectReference, options?: DeleteOptions): Promise<void> {
    await this.#cluster.delete(await this.#asServed(reference, options), options);
  }

  close(): Promise<void> {
    return this.#cluster.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** The same resource, or the one that is asked for instead. */
  async #asServed<R extends GroupVersionResource>(
    resource: R,
    { signal }: CallOptions = {},
  ): Promise<R> {
    if (!isPresented(resource)) {
      return resource;
    }
    if (this.#servesOnlyOlder === undefined) {
      await this.discover({ signal });
    }
    return this.#servesOnlyOlder === true ? { ...resource, version: olderVersion } : resource;
  }
}

/** Whether what is asked for may be served in another version. */
function isPresented({ group: asked, version }: GroupVersionResource): boolean {
  return asked === group && version === writtenVersion;
}

function presented(discovery: Discovery): Discovery {
  const isOlder = (resource: GroupVersionResource): boolean =>
    resource.group === group && resource.version === olderVersion;
  return {
    ...discovery,
    groups: discovery.groups.map((served) =>
      served.name === group
        ? { ...served, versions: [writtenVersion], preferredVersion: writtenVersion }
        : served,
    ),
    resources: discovery.resources.map((resource) =>
      isOlder(resource) ? { ...resource, version: writtenVersion } : resource,
    ),
  };
}

/** An object of the snapshot API in the version that is written, whose fields are the same; any other object as it is. */
export function asWrittenVersion(object: KubernetesObject): KubernetesObject {
  return object.apiVersion === olderApiVersion
    ? { ...object, apiVersion: writtenApiVersion }
    : object;
}

function asAsked(
  object: KubernetesObject,
  resource: GroupVersionResource,
  asked: GroupVersionResource,
): KubernetesObject {
  return asked === resource ? object : asWrittenVersion(object);
}

function inOlderVersion(manifest: KubernetesManifest): KubernetesManifest {
  return manifest.apiVersion === writtenApiVersion
    ? { ...manifest, apiVersion: olderApiVersion }
    : manifest;
}
