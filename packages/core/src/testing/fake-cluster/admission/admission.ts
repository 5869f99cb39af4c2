import { isJsonObject, type JsonObject } from '../../../model/json.ts';
import type { KubernetesObject } from '../../../model/kubernetes.ts';
import { objectAt, stringAt, withoutValueAt, withValueAt } from '../../../model/object-path.ts';
import { type ApiCall, forbiddenError, invalidError, tooLargeError } from '../api-errors.ts';
import { frozenObject } from '../frozen-json.ts';
import type { ObjectTable } from '../object-table.ts';
import { hasStatusSubresource, type ServedResource } from '../resource-definition.ts';
import { customResourceViolations, pruneCustomResource } from './custom-resource-rules.ts';
import { applyKindDefaults } from './kind-defaults.ts';
import { kindChangeViolations, kindViolations } from './kind-rules.ts';
import { metadataChangeViolations, metadataViolations } from './metadata-rules.ts';
import { allocateServiceAddresses } from './service-addresses.ts';

const maximumObjectBytes = 1_572_864;
const defaultClassAnnotation = 'storageclass.kubernetes.io/is-default-class';

/** What admission sees of a request. */
export interface AdmissionRequest {
  readonly served: ServedResource;
  readonly call: ApiCall;
  readonly table: ObjectTable;
  readonly suffix: () => string;
}

/**
 * Defaults and checks a new object, whose metadata the server has already filled in.
 *
 * @throws ClusterError Invalid or Forbidden, as the API server and its admission plugins answer.
 */
export function admitCreate(object: KubernetesObject, request: AdmissionRequest): KubernetesObject {
  const { served, call, table, suffix } = request;
  const { definition } = served;
  assertNamespaceOpen(object, request);
  const pruned = pruneUnknown(withoutStatus(object, served), served);
  // Before defaulting, which would hide what the caller left out.
  assertValid(pruned, request);
  const defaulted = applyKindDefaults(definition.table, pruned, {
    defaultStorageClass: defaultStorageClass(table),
    suffix,
  });
  assertServiceAccount(defaulted, request);
  if (definition.table !== 'services') {
    return defaulted;
  }
  const { service, violations } = allocateServiceAddresses(
    defaulted,
    table.state('services').objects,
  );
  if (violations.length > 0) {
    throw invalidError(call, violations);
  }
  return frozenObject(service);
}

/**
 * Checks a changed object.
 *
 * @throws ClusterError Invalid, as the API server answers.
 */
export function admitUpdate(
  object: KubernetesObject,
  before: KubernetesObject,
  request: AdmissionRequest,
): KubernetesObject {
  const { served, call } = request;
  const pruned = pruneUnknown(object, served);
  const violations = [
    ...metadataChangeViolations(pruned, before),
    ...kindChangeViolations(served.definition.table, pruned, before),
  ];
  if (violations.length > 0) {
    throw invalidError(call, violations);
  }
  assertValid(pruned, request);
  return pruned;
}

function assertValid(object: KubernetesObject, { served, call }: AdmissionRequest): void {
  const schema = served.definition.schemas?.get(served.version);
  const violations = [
    ...metadataViolations(object, served.definition),
    ...kindViolations(served.definition.table, object),
    ...(schema === undefined ? [] : customResourceViolations(object, schema)),
  ];
  if (violations.length > 0) {
    throw invalidError(call, violations);
  }
  if (Buffer.byteLength(JSON.stringify(object)) > maximumObjectBytes) {
    throw tooLargeError(call, maximumObjectBytes);
  }
}

function assertNamespaceOpen(
  object: KubernetesObject,
  { served, call, table }: AdmissionRequest,
): void {
  const { namespace, name } = object.metadata;
  const holder = namespace === undefined ? undefined : table.get('namespaces', namespace);
  if (holder?.metadata.deletionTimestamp !== undefined) {
    throw forbiddenError(
      call,
      `${served.definition.resource} "${name}" is forbidden: unable to create new content in namespace ${String(namespace)} because it is being terminated`,
      [
        {
          field: 'metadata.namespace',
          reason: 'NamespaceTerminating',
          message: `namespace ${String(namespace)} is being terminated`,
        },
      ],
    );
  }
}

function assertServiceAccount(
  object: KubernetesObject,
  { served, call, table }: AdmissionRequest,
): void {
  const account = stringAt(object, ['spec', 'serviceAccountName']);
  const { namespace } = object.metadata;
  if (served.definition.table !== 'pods' || account === undefined || namespace === undefined) {
    return;
  }
  if (table.get('serviceaccounts', `${namespace}/${account}`) === undefined) {
    throw forbiddenError(
      call,
      `error looking up service account ${namespace}/${account}: serviceaccount "${account}" not found`,
    );
  }
}

/** A status in a new object counts for nothing where the status has a subresource of its own. */
function withoutStatus(object: KubernetesObject, { definition }: ServedResource): KubernetesObject {
  return hasStatusSubresource(definition) ? withoutValueAt(object, ['status']) : object;
}

function pruneUnknown(
  object: KubernetesObject,
  { definition, version }: ServedResource,
): KubernetesObject {
  const schema = definition.schemas?.get(version);
  return schema === undefined ? object : frozenObject(pruneCustomResource(object, schema));
}

function defaultStorageClass(table: ObjectTable): string | undefined {
  return table
    .state('storageclasses.storage.k8s.io')
    .objects.filter(
      (object) =>
        objectAt(object, ['metadata', 'annotations'])?.[defaultClassAnnotation] === 'true',
    )
    .at(-1)?.metadata.name;
}

/** The object with the part that a subresource does not write taken from the stored one. */
export function restrictToSubresource(
  object: KubernetesObject,
  before: KubernetesObject,
  subresource: string | undefined,
  { definition }: ServedResource,
): KubernetesObject {
  if (subresource === undefined) {
    return hasStatusSubresource(definition) ? copyField(object, before, 'status') : object;
  }
  if (subresource === 'finalize') {
    const finalizers = objectAt(object, ['spec'])?.['finalizers'] ?? [];
    return withValueAt(before, ['spec', 'finalizers'], finalizers);
  }
  const status = copyField(before, object, 'status');
  const managedFields = objectAt(object, ['metadata'])?.['managedFields'];
  return managedFields === undefined
    ? status
    : withValueAt(status, ['metadata', 'managedFields'], managedFields);
}

function copyField(target: KubernetesObject, source: JsonObject, field: string): KubernetesObject {
  const value = source[field];
  return value === undefined
    ? withoutValueAt(target, [field])
    : withValueAt(target, [field], isJsonObject(value) ? { ...value } : value);
}
