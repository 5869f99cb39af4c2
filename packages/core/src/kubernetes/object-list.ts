import { isJsonObject, type JsonValue } from '../model/json.ts';
import type { KubernetesObject } from '../model/kubernetes.ts';
import { objectsAt, stringAt } from '../model/object-path.ts';
import { type ErrorSubject, unexpectedAnswer } from './errors.ts';

/** One page of a list. */
export interface ObjectList {
  readonly items: readonly KubernetesObject[];
  /** Where the next page begins; absent on the last one. */
  readonly continueToken: string | undefined;
  readonly resourceVersion: string | undefined;
}

/** Reads the body of a list; items get the apiVersion and kind that the server writes only once, on the list. */
export function objectList(subject: ErrorSubject, body: JsonValue): ObjectList {
  if (!isJsonObject(body)) {
    throw unexpectedAnswer(subject, 'the answer is not a list');
  }
  const apiVersion = stringAt(body, ['apiVersion']) ?? '';
  const kind = (stringAt(body, ['kind']) ?? '').replace(/List$/, '');
  return {
    items: objectsAt(body, ['items']).map((item) =>
      kubernetesObject(subject, { apiVersion, kind, ...item }),
    ),
    continueToken: stringAt(body, ['metadata', 'continue']) || undefined,
    resourceVersion: stringAt(body, ['metadata', 'resourceVersion']),
  };
}

/** Checks that a body is an object as the Kubernetes API has them. */
export function kubernetesObject(
  subject: ErrorSubject,
  body: JsonValue | undefined,
): KubernetesObject {
  if (!isKubernetesObject(body)) {
    throw unexpectedAnswer(subject, 'the answer is not an object with apiVersion, kind and name');
  }
  return body;
}

function isKubernetesObject(body: JsonValue | undefined): body is KubernetesObject {
  return (
    isJsonObject(body) &&
    typeof body['apiVersion'] === 'string' &&
    typeof body['kind'] === 'string' &&
    stringAt(body, ['metadata', 'name']) !== undefined
  );
}
