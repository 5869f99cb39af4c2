import {
  type ApiGroup,
  apiVersionOf,
  type Discovery,
  type DiscoveryFailure,
  type GroupVersionResource,
  groupResourceOf,
} from '../../model/kubernetes.ts';
import { builtInResources } from './built-in-resources.ts';
import {
  apiResourceOf,
  type ResourceDefinition,
  type ServedResource,
} from './resource-definition.ts';

/** What the fake API server serves at the moment: the built-in kinds, and those of CustomResourceDefinitions. */
export class ResourceRegistry {
  readonly #definitions: Map<string, ResourceDefinition> = new Map(
    builtInResources.map((definition) => [groupResourceOf(definition), definition]),
  );
  readonly #kinds: Map<string, ServedResource> = new Map();
  readonly #failures: DiscoveryFailure[] = [];

  constructor() {
    for (const definition of this.#definitions.values()) {
      this.#indexKinds(definition);
    }
  }

  /** The definitions in the order of discovery. */
  definitions(): readonly ResourceDefinition[] {
    return [...this.#definitions.values()];
  }

  /** Serves a resource, or a new shape of one. */
  register(definition: ResourceDefinition): void {
    this.unregister(groupResourceOf(definition));
    this.#definitions.set(groupResourceOf(definition), definition);
    this.#indexKinds(definition);
  }

  /** Stops serving a resource. */
  unregister(groupResource: string): void {
    this.#definitions.delete(groupResource);
    for (const [key, { definition }] of this.#kinds) {
      if (groupResourceOf(definition) === groupResource) {
        this.#kinds.delete(key);
      }
    }
  }

  /** Finds a resource in a version; `undefined` when it is not served. */
  find({ group, version, resource }: GroupVersionResource): ServedResource | undefined {
    const definition = this.#definitions.get(groupResourceOf({ group, resource }));
    return definition?.versions.includes(version) ? { definition, version } : undefined;
  }

  /** Finds the resource that a table belongs to, in its preferred version. */
  findTable(table: string): ServedResource | undefined {
    const definition = this.#definitions.get(table);
    const version = definition?.versions[0];
    return definition === undefined || version === undefined ? undefined : { definition, version };
  }

  /** Finds the resource of a kind; `undefined` when it is not served. */
  findKind(apiVersion: string, kind: string): ServedResource | undefined {
    return this.#kinds.get(`${apiVersion} ${kind}`);
  }

  /** Says that a group version cannot be discovered, as when its aggregated API server is down. */
  failDiscovery(failure: DiscoveryFailure): void {
    this.#failures.push(failure);
  }

  /** What discovery answers. A group version that failed is named as a failure and its resources are left out. */
  discover(): Discovery {
    const failures = [...this.#failures];
    const isDown = (group: string, version: string): boolean =>
      failures.some((failure) => failure.group === group && failure.version === version);
    const versions = new Map<string, Set<string>>();
    for (const definition of this.#definitions.values()) {
      const known = versions.get(definition.group) ?? new Set();
      versions.set(definition.group, known.union(new Set(definition.versions)));
    }
    const groups: ApiGroup[] = [...versions].flatMap(([name, served]) => {
      const [preferredVersion] = served;
      return preferredVersion === undefined
        ? []
        : [{ name, versions: [...served], preferredVersion }];
    });
    const resources = [...this.#definitions.values()].flatMap((definition) =>
      definition.versions
        .filter((version) => !isDown(definition.group, version))
        .map((version) => apiResourceOf({ definition, version })),
    );
    return { groups, resources, failures };
  }

  #indexKinds(definition: ResourceDefinition): void {
    for (const version of definition.versions) {
      const apiVersion = apiVersionOf({ group: definition.group, version });
      this.#kinds.set(`${apiVersion} ${definition.kind}`, { definition, version });
    }
  }
}
