import { resolveResource } from '../discovery/resolve-resource.ts';
import {
  type ApiResource,
  type Discovery,
  type DiscoveryFailure,
  type GroupVersionResource,
  groupResourceOf,
  type KubernetesManifest,
  type KubernetesObject,
  parseApiVersion,
  type ResourceIdentifier,
} from '../model/kubernetes.ts';
import type { Cluster } from '../ports/cluster.ts';
import type { CallOptions } from '../ports/object-store.ts';
import type { ServedVersions } from './choose-version.ts';

/** The resource that an object of a backup is created through, or why there is none. */
export type TargetResource =
  | { readonly resource: ApiResource; readonly problem?: undefined }
  | { readonly resource?: undefined; readonly problem: ResourceProblem };

/** Why an object of a backup cannot be created. */
export interface ResourceProblem {
  /** The target lacks what the object needs, or the object is not what its place in the archive says. */
  readonly reason: 'ResourceNotServed' | 'CorruptObject';
  readonly message: string;
}

/** What the target cluster serves. */
export class TargetResources {
  readonly #cluster: Cluster;
  #served: ReadonlyMap<string, readonly ApiResource[]> = new Map();
  #discovery: Discovery = { groups: [], resources: [], failures: [] };

  private constructor(cluster: Cluster) {
    this.#cluster = cluster;
  }

  /** Asks the target what it serves. */
  static async load(cluster: Cluster, options?: CallOptions): Promise<TargetResources> {
    const resources = new TargetResources(cluster);
    await resources.refresh(options);
    return resources;
  }

  /** Group versions that could not be read. */
  get failures(): readonly DiscoveryFailure[] {
    return this.#discovery.failures;
  }

  /** Asks again, after definitions of resources were restored. */
  async refresh(options?: CallOptions): Promise<void> {
    this.#discovery = await this.#cluster.discover(options);
    this.#served = Map.groupBy(this.#discovery.resources, groupResourceOf);
  }

  /** Counts resources as served, for a plan in which their definitions would be created. */
  expect(planned: readonly ApiResource[]): void {
    const resources = [...this.#discovery.resources, ...planned];
    this.#discovery = { ...this.#discovery, resources };
    this.#served = Map.groupBy(resources, groupResourceOf);
  }

  /** The group resource that a user means by a name (`pvc`, `deploy`); a name that the target does not know stays as it is. */
  canonicalName(name: string): string {
    const resource = resolveResource(this.#discovery, name);
    return resource === undefined ? name : groupResourceOf(resource);
  }

  /** The resource that a user means by a name, in the version that the target prefers; `undefined` when it serves none. */
  resolve(name: string): ApiResource | undefined {
    return resolveResource(this.#discovery, name);
  }

  /** A resource in the version that the target prefers; `undefined` when it does not serve it. */
  preferred(groupResource: string): ApiResource | undefined {
    const preferred = this.versionsOf(groupResource)?.preferred;
    return this.#served.get(groupResource)?.find(({ version }) => version === preferred);
  }

  /** Whether a resource is served in any version. */
  serves(groupResource: string): boolean {
    return this.#served.has(groupResource);
  }

  /** Whether a resource has a status that is written apart. */
  hasStatus({ group, version, resource }: GroupVersionResource): boolean {
    const candidates = this.#served.get(groupResourceOf({ group, resource })) ?? [];
    return candidates.some(
      (candidate) => candidate.version === version && candidate.subresources.includes('status'),
    );
  }

  /** Whether an object may have to be restored in a version: it is served, or nothing is known of its resource yet. */
  mayServe(groupResource: string, version: string): boolean {
    const candidates = this.#served.get(groupResource);
    return candidates === undefined || candidates.some((one) => one.version === version);
  }

  /** The versions of a resource; `undefined` when it is not served. */
  versionsOf(groupResource: string): ServedVersions | undefined {
    const versions = (this.#served.get(groupResource) ?? []).map(({ version }) => version);
    const [first] = versions;
    if (first === undefined) {
      return undefined;
    }
    const dot = groupResource.indexOf('.');
    const groupName = dot < 0 ? '' : groupResource.slice(dot + 1);
    const group = this.#discovery.groups.find(({ name }) => name === groupName);
    const preferred = [group?.preferredVersion ?? '', ...(group?.versions ?? [])].find((version) =>
      versions.includes(version),
    );
    return { preferred: preferred ?? first, versions };
  }

  /** Finds the resource of an object; its version, kind and scope have to be those that the target serves. */
  resourceOf(entry: ResourceIdentifier, object: KubernetesObject): TargetResource {
    const candidates = this.#served.get(entry.groupResource) ?? [];
    if (candidates.length === 0) {
      return notServed(
        'the target cluster does not serve this resource; is its operator or definition missing?',
      );
    }
    const { version } = parseApiVersion(object.apiVersion);
    const resource = candidates.find((candidate) => candidate.version === version);
    if (resource === undefined) {
      const versions = candidates.map((candidate) => candidate.version).join(', ');
      return notServed(
        `the backup holds it as ${object.apiVersion}, the target cluster serves only ${versions}`,
      );
    }
    if (resource.kind !== object.kind) {
      return corrupt(
        `its kind is ${object.kind}, its path says ${entry.groupResource}, which are of kind ${resource.kind}`,
      );
    }
    if (resource.namespaced !== (entry.namespace !== undefined)) {
      const scope = resource.namespaced ? 'belongs into a namespace' : 'is cluster-scoped';
      return corrupt(`its kind ${scope} in the target cluster, in the backup it is not so`);
    }
    return { resource };
  }

  /** Finds the resource of an object that an item action has made of another one. */
  resourceOfKind(
    { apiVersion, kind }: Pick<KubernetesManifest, 'apiVersion' | 'kind'>,
    { namespaced }: Pick<ApiResource, 'namespaced'>,
  ): TargetResource {
    const { group, version } = parseApiVersion(apiVersion);
    const resource = this.#discovery.resources.find(
      (one) =>
        one.kind === kind &&
        one.group === group &&
        one.version === version &&
        one.namespaced === namespaced,
    );
    const scope = namespaced ? 'in namespaces' : 'outside of namespaces';
    return resource === undefined
      ? notServed(
          `an item action has made it a ${kind} of ${apiVersion}, which the target cluster does not serve ${scope}`,
        )
      : { resource };
  }
}

function notServed(message: string): TargetResource {
  return { problem: { reason: 'ResourceNotServed', message } };
}

function corrupt(message: string): TargetResource {
  return { problem: { reason: 'CorruptObject', message: `it is not restored: ${message}` } };
}
