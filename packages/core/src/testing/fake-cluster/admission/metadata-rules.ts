import type { InvalidField } from '../../../errors.ts';
import type { JsonObject } from '../../../model/json.ts';
import { isDnsLabel, isDnsSubdomain } from '../../../model/kubernetes-name.ts';
import { arrayAt, objectAt, objectsAt, stringAt } from '../../../model/object-path.ts';
import type { ResourceDefinition } from '../resource-definition.ts';
import { forbidden, invalid, required } from './invalid-fields.ts';

const labelValue: RegExp = /^(?:[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?$/;
const qualifiedPart: RegExp = /^[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/;
const serviceName: RegExp = /^[a-z](?:[-a-z0-9]{0,61}[a-z0-9])?$/;
const maximumAnnotationsBytes = 256 * 1024;
/** Tables whose names are path segments: RBAC has names such as `system:node`. */
const pathSegmentNames: ReadonlySet<string> = new Set([
  'roles.rbac.authorization.k8s.io',
  'rolebindings.rbac.authorization.k8s.io',
  'clusterroles.rbac.authorization.k8s.io',
  'clusterrolebindings.rbac.authorization.k8s.io',
]);

/** What is wrong with the metadata of an object. */
export function metadataViolations(
  object: JsonObject,
  definition: ResourceDefinition,
): readonly InvalidField[] {
  return [
    ...nameViolations(stringAt(object, ['metadata', 'name']), definition),
    ...labelViolations(objectAt(object, ['metadata', 'labels']) ?? {}),
    ...annotationViolations(objectAt(object, ['metadata', 'annotations']) ?? {}),
    ...finalizerViolations(object),
    ...ownerViolations(object),
  ];
}

/** What is wrong with a change of metadata. */
export function metadataChangeViolations(
  object: JsonObject,
  before: JsonObject,
): readonly InvalidField[] {
  const known = arrayAt(before, ['metadata', 'finalizers']);
  const added = arrayAt(object, ['metadata', 'finalizers']).filter((name) => !known.includes(name));
  return stringAt(before, ['metadata', 'deletionTimestamp']) === undefined || added.length === 0
    ? []
    : [
        forbidden(
          'metadata.finalizers',
          `no new finalizers can be added if the object is being deleted, found new finalizers ${JSON.stringify(added)}`,
        ),
      ];
}

function nameViolations(
  name: string | undefined,
  { table }: ResourceDefinition,
): readonly InvalidField[] {
  const field = 'metadata.name';
  if (name === undefined || name === '') {
    return [required(field, 'name or generateName is required')];
  }
  if (pathSegmentNames.has(table)) {
    return /[/%]/.test(name) || name === '.' || name === '..'
      ? [invalid(field, name, "may not be '.' or '..' or contain '/' or '%'")]
      : [];
  }
  if (table === 'namespaces') {
    return isDnsLabel(name) ? [] : [invalid(field, name, 'must be a lowercase RFC 1123 label')];
  }
  if (table === 'services') {
    return serviceName.test(name) ? [] : [invalid(field, name, 'must be a DNS-1035 label')];
  }
  return isDnsSubdomain(name)
    ? []
    : [invalid(field, name, 'must be a lowercase RFC 1123 subdomain')];
}

function labelViolations(labels: JsonObject): readonly InvalidField[] {
  return Object.entries(labels).flatMap(([key, value]) => [
    ...(isQualifiedName(key) ? [] : [invalid('metadata.labels', key, 'is not a qualified name')]),
    ...(typeof value === 'string' && labelValue.test(value)
      ? []
      : [invalid('metadata.labels', value, 'must be a valid label value')]),
  ]);
}

function annotationViolations(annotations: JsonObject): readonly InvalidField[] {
  const field = 'metadata.annotations';
  const entries = Object.entries(annotations);
  const bytes = entries.reduce(
    (sum, [key, value]) =>
      sum + Buffer.byteLength(key) + Buffer.byteLength(typeof value === 'string' ? value : ''),
    0,
  );
  return [
    ...entries.flatMap(([key, value]) => [
      ...(isQualifiedName(key.toLowerCase())
        ? []
        : [invalid(field, key, 'is not a qualified name')]),
      ...(typeof value === 'string' ? [] : [invalid(field, value, 'must be a string')]),
    ]),
    ...(bytes > maximumAnnotationsBytes
      ? [
          {
            field,
            reason: 'FieldValueTooLong',
            message: `Too long: may not be more than ${maximumAnnotationsBytes} bytes`,
          },
        ]
      : []),
  ];
}

function finalizerViolations(object: JsonObject): readonly InvalidField[] {
  return arrayAt(object, ['metadata', 'finalizers']).flatMap((name) =>
    typeof name === 'string' && isQualifiedName(name)
      ? []
      : [invalid('metadata.finalizers', name, 'is not a qualified name')],
  );
}

function ownerViolations(object: JsonObject): readonly InvalidField[] {
  return objectsAt(object, ['metadata', 'ownerReferences']).flatMap((owner, index) =>
    ['apiVersion', 'kind', 'name', 'uid']
      .filter((key) => (stringAt(owner, [key]) ?? '') === '')
      .map((key) => required(`metadata.ownerReferences[${index}].${key}`, 'must not be empty')),
  );
}

function isQualifiedName(text: string): boolean {
  const slash = text.indexOf('/');
  return slash < 0
    ? qualifiedPart.test(text)
    : isDnsSubdomain(text.slice(0, slash)) && qualifiedPart.test(text.slice(slash + 1));
}
