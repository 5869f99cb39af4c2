import { isJsonObject, type JsonObject, type JsonValue } from '../model/json.ts';
import type { ApiGroup, ApiResource, Discovery, DiscoveryFailure } from '../model/kubernetes.ts';
import { arrayAt, booleanAt, objectsAt, stringAt } from '../model/object-path.ts';

/** Whether a body is an aggregated discovery document: every group with all its resources in one. */
export function isAggregated(body: JsonValue): body is JsonObject {
  return isJsonObject(body) && stringAt(body, ['kind']) === 'APIGroupDiscoveryList';
}

/** Reads an aggregated discovery document. Versions that the server marks as stale are failures. */
export function aggregatedDiscovery(document: JsonObject): Discovery {
  const groups: ApiGroup[] = [];
  const resources: ApiResource[] = [];
  const failures: DiscoveryFailure[] = [];
  for (const item of objectsAt(document, ['items'])) {
    const group = stringAt(item, ['metadata', 'name']) ?? '';
    const versions = objectsAt(item, ['versions']);
    groups.push(
      ...groupOf(
        group,
        versions.map((version) => stringAt(version, ['version']) ?? ''),
      ),
    );
    for (const entry of versions) {
      const version = stringAt(entry, ['version']) ?? '';
      if (stringAt(entry, ['freshness']) === 'Stale') {
        failures.push({
          group,
          version,
          message: 'the API server behind this group does not answer',
        });
        continue;
      }
      resources.push(
        ...objectsAt(entry, ['resources']).flatMap((resource) =>
          aggregatedResource(group, version, resource),
        ),
      );
    }
  }
  return { groups, resources, failures };
}

/** Reads `/api` of a server without aggregated discovery: the core group. */
export function coreGroup(document: JsonValue): readonly ApiGroup[] {
  return isJsonObject(document) ? groupOf('', stringsAt(document, 'versions')) : [];
}

/** Reads `/apis` of a server without aggregated discovery. */
export function namedGroups(document: JsonValue): readonly ApiGroup[] {
  if (!isJsonObject(document)) {
    return [];
  }
  return objectsAt(document, ['groups']).flatMap((group) => {
    const versions = objectsAt(group, ['versions']).map(
      (version) => stringAt(version, ['version']) ?? '',
    );
    return groupOf(
      stringAt(group, ['name']) ?? '',
      versions,
      stringAt(group, ['preferredVersion', 'version']),
    );
  });
}

/** Reads the resource list of one group version; subresources become part of their resource. */
export function versionResources(
  group: string,
  version: string,
  document: JsonValue,
): readonly ApiResource[] {
  if (!isJsonObject(document)) {
    return [];
  }
  const entries = objectsAt(document, ['resources']);
  const names = entries.map((entry) => stringAt(entry, ['name']) ?? '');
  return entries.flatMap((entry) => {
    const resource = stringAt(entry, ['name']) ?? '';
    const kind = stringAt(entry, ['kind']);
    if (resource === '' || resource.includes('/') || kind === undefined) {
      return [];
    }
    const prefix = `${resource}/`;
    return [
      {
        group,
        version,
        resource,
        kind,
        singularName: stringAt(entry, ['singularName']) || kind.toLowerCase(),
        shortNames: stringsAt(entry, 'shortNames'),
        categories: stringsAt(entry, 'categories'),
        namespaced: booleanAt(entry, ['namespaced']) === true,
        verbs: stringsAt(entry, 'verbs'),
        subresources: names
          .filter((name) => name.startsWith(prefix))
          .map((name) => name.slice(prefix.length)),
      },
    ];
  });
}

function aggregatedResource(
  group: string,
  version: string,
  entry: JsonObject,
): readonly ApiResource[] {
  const resource = stringAt(entry, ['resource']);
  const kind = stringAt(entry, ['responseKind', 'kind']);
  // What has subresources only is not a resource that could be read.
  if (resource === undefined || kind === undefined) {
    return [];
  }
  return [
    {
      group,
      version,
      resource,
      kind,
      singularName: stringAt(entry, ['singularResource']) || kind.toLowerCase(),
      shortNames: stringsAt(entry, 'shortNames'),
      categories: stringsAt(entry, 'categories'),
      namespaced: stringAt(entry, ['scope']) === 'Namespaced',
      verbs: stringsAt(entry, 'verbs'),
      subresources: objectsAt(entry, ['subresources']).flatMap((subresource) => {
        const name = stringAt(subresource, ['subresource']);
        return name === undefined ? [] : [name];
      }),
    },
  ];
}

function groupOf(
  name: string,
  versions: readonly string[],
  preferred?: string,
): readonly ApiGroup[] {
  const preferredVersion = preferred ?? versions[0];
  return preferredVersion === undefined ? [] : [{ name, versions, preferredVersion }];
}

function stringsAt(object: JsonObject, key: string): readonly string[] {
  return arrayAt(object, [key]).filter((value) => typeof value === 'string');
}
