import { isJsonObject, type JsonObject } from '../../../model/json.ts';
import type { KubernetesObject } from '../../../model/kubernetes.ts';
import {
  arrayAt,
  booleanAt,
  objectAt,
  objectsAt,
  stringAt,
  withValueAt,
} from '../../../model/object-path.ts';
import { withoutFinalizer } from '../admission/set-missing.ts';
import { allVerbs } from '../built-in-resources.ts';
import type { ResourceDefinition } from '../resource-definition.ts';
import { type Controller, ownKeys, type Requeue } from './controller.ts';
import type { ControllerClient } from './controller-client.ts';

/** The table of CustomResourceDefinitions. */
export const definitionsTable = 'customresourcedefinitions.apiextensions.k8s.io';

/** What keeps a definition until its objects are gone. */
export const cleanupFinalizer = 'customresourcecleanup.apiextensions.k8s.io';

/** Serves the resources of CustomResourceDefinitions, and removes their objects with them. */
export const customResourceController: Controller = {
  name: 'kube-apiserver',
  triggers: [
    ownKeys(definitionsTable),
    // The table of a custom resource has the name of its definition.
    { table: '*', keys: ({ table, removed }) => (removed ? [table] : []) },
  ],
  async reconcile(name: string, client: ControllerClient): Promise<Requeue | undefined> {
    const definition = client.get(definitionsTable, name);
    if (definition === undefined) {
      return undefined;
    }
    if (definition.metadata.deletionTimestamp !== undefined) {
      removeResource(definition, client);
      return undefined;
    }
    client.registry.register(resourceOf(definition));
    client.write(definitionsTable, definition, established(definition, client.now()));
    return undefined;
  },
};

/** The resource that a CustomResourceDefinition defines. */
export function resourceOf(definition: KubernetesObject): ResourceDefinition {
  const group = stringAt(definition, ['spec', 'group']) ?? '';
  const resource = stringAt(definition, ['spec', 'names', 'plural']) ?? '';
  const kind = stringAt(definition, ['spec', 'names', 'kind']) ?? '';
  const served = objectsAt(definition, ['spec', 'versions'])
    .filter((version) => booleanAt(version, ['served']) !== false)
    .toSorted((left, right) => compareVersions(nameOf(left), nameOf(right)));
  const hasStatus = served.some(
    (version) => objectAt(version, ['subresources', 'status']) !== undefined,
  );
  return {
    group,
    versions: served.map(nameOf),
    resource,
    kind,
    singularName: stringAt(definition, ['spec', 'names', 'singular']) ?? kind.toLowerCase(),
    shortNames: strings(definition, 'shortNames'),
    categories: strings(definition, 'categories'),
    namespaced: stringAt(definition, ['spec', 'scope']) !== 'Cluster',
    verbs: allVerbs,
    subresources: hasStatus ? ['status'] : [],
    countsGenerations: true,
    table: `${resource}.${group}`,
    schemas: new Map(
      served.flatMap((version) => {
        const schema = objectAt(version, ['schema', 'openAPIV3Schema']);
        return schema === undefined ? [] : [[nameOf(version), schema] as const];
      }),
    ),
  };
}

function removeResource(definition: KubernetesObject, client: ControllerClient): void {
  const { name } = definition.metadata;
  for (const object of client.registry.findTable(name) === undefined ? [] : client.list(name)) {
    if (object.metadata.deletionTimestamp === undefined) {
      client.delete(name, object);
    }
  }
  if (client.list(name).length === 0) {
    client.registry.unregister(name);
    client.write(definitionsTable, definition, withoutFinalizer(definition, cleanupFinalizer));
  }
}

function established(definition: KubernetesObject, now: string): KubernetesObject {
  const known = objectsAt(definition, ['status', 'conditions']);
  if (known.some((condition) => condition['type'] === 'Established')) {
    return definition;
  }
  const condition = (type: string, reason: string, message: string): JsonObject => ({
    lastTransitionTime: now,
    message,
    reason,
    status: 'True',
    type,
  });
  const names = definition['spec'];
  return withValueAt(definition, ['status'], {
    acceptedNames: (isJsonObject(names) ? names['names'] : undefined) ?? {},
    conditions: [
      condition('NamesAccepted', 'NoConflicts', 'no conflicts found'),
      condition('Established', 'InitialNamesAccepted', 'the initial names have been accepted'),
    ],
    storedVersions: objectsAt(definition, ['spec', 'versions'])
      .filter((version) => booleanAt(version, ['storage']) === true)
      .map(nameOf),
  });
}

function nameOf(version: JsonObject): string {
  return stringAt(version, ['name']) ?? '';
}

function strings(definition: KubernetesObject, field: string): readonly string[] {
  return arrayAt(definition, ['spec', 'names', field]).filter((name) => typeof name === 'string');
}

/** The order of Kubernetes: stable versions first, then beta, then alpha, each from the highest down. */
function compareVersions(left: string, right: string): number {
  return rankOf(right) - rankOf(left) || (left < right ? -1 : 1);
}

function rankOf(version: string): number {
  const [, major, stage, minor] = /^v(\d{1,3})(?:(alpha|beta)(\d{1,3}))?$/.exec(version) ?? [];
  if (major === undefined) {
    return -1;
  }
  const stageRank = stage === undefined ? 2 : stage === 'beta' ? 1 : 0;
  return stageRank * 1e6 + Number(major) * 1e3 + Number(minor ?? 0);
}
