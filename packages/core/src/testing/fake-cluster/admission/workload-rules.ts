import type { InvalidField } from '../../../errors.ts';
import { isJsonObject, type JsonObject, jsonEquals } from '../../../model/json.ts';
import { booleanAt, objectAt, objectsAt, stringAt, valueAt } from '../../../model/object-path.ts';
import { forbidden, invalid, required } from './invalid-fields.ts';

/** Rules of the containers in a Pod's spec. */
export function containerViolations(
  object: JsonObject,
  path: readonly [string, ...string[]],
): readonly InvalidField[] {
  const field = [...path, 'containers'].join('.');
  const containers = objectsAt(object, [...path, 'containers']);
  if (containers.length === 0) {
    return [required(field)];
  }
  return containers.flatMap((container, index) =>
    ['name', 'image']
      .filter((key) => (stringAt(container, [key]) ?? '') === '')
      .map((key) => required(`${field}[${index}].${key}`)),
  );
}

const changeableInPods: ReadonlySet<string> = new Set([
  'activeDeadlineSeconds',
  'containers',
  'initContainers',
  'nodeName',
  'terminationGracePeriodSeconds',
  'tolerations',
]);

/** A Pod cannot be changed but for its images and a few fields more. */
export function podChangeViolations(
  object: JsonObject,
  before: JsonObject,
): readonly InvalidField[] {
  const specs = [object['spec'], before['spec']].map((spec) => (isJsonObject(spec) ? spec : {}));
  const [spec = {}, old = {}] = specs;
  const names = new Set([...Object.keys(spec), ...Object.keys(old)]);
  const isChanged = [...names].some(
    (name) => !changeableInPods.has(name) && !jsonEquals(spec[name], old[name]),
  );
  return isChanged
    ? [forbidden('spec', 'pod updates may not change fields other than images and tolerations')]
    : [];
}

/** A Job's selector and the labels that go with it are the server's to make, unless `manualSelector` is set. */
export function jobViolations(object: JsonObject): readonly InvalidField[] {
  const containers = containerViolations(object, ['spec', 'template', 'spec']);
  if (booleanAt(object, ['spec', 'manualSelector']) === true) {
    return containers;
  }
  const uid = stringAt(object, ['metadata', 'uid']);
  const labels = objectAt(object, ['spec', 'template', 'metadata', 'labels']) ?? {};
  const foreign = ['controller-uid', 'batch.kubernetes.io/controller-uid'].filter(
    (name) => labels[name] !== undefined && labels[name] !== uid,
  );
  const selector = valueAt(object, ['spec', 'selector']);
  const own = { matchLabels: { 'batch.kubernetes.io/controller-uid': uid ?? '' } };
  return [
    ...containers,
    ...foreign.map((name) =>
      invalid(`spec.template.metadata.labels[${name}]`, labels[name], `must be '${uid ?? ''}'`),
    ),
    ...(selector === undefined || jsonEquals(selector, own)
      ? []
      : [invalid('spec.selector', selector, '`selector` not auto-generated')]),
  ];
}
