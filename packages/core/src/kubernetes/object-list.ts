import { isJsonObject, type JsonValue } from '../model/json.ts';
import type { KubernetesObject } from '../model/kubernetes.ts';
import { stringAt } from '../model/object-path.ts';
import { type ErrorSubject, unexpectedAnswer } from './errors.ts';
import { readListText } from './list-text.ts';
import { parseBody } from './parse-body.ts';

/** One page of a list. */
export interface ObjectList {
  /** Each is parsed when it is taken. */
  readonly items: Iterable<KubernetesObject>;
  /** Where the next page begins; absent on the last one. */
  readonly continueToken: string | undefined;
  readonly resourceVersion: string | undefined;
}

/** Reads the text of a list; items get the apiVersion and kind that the server writes only once, on the list. */
export function objectList(subject: ErrorSubject, text: string): ObjectList {
  const { envelope, items } = listTextOf(subject, text);
  const apiVersion = stringAt(envelope, ['apiVersion']) ?? '';
  const kind = (stringAt(envelope, ['kind']) ?? '').replace(/List$/, '');
  return {
    items: items.values().map((item) => {
      const body = parseBody(item);
      return kubernetesObject(
        subject,
        isJsonObject(body) ? { apiVersion, kind, ...body } : undefined,
      );
    }),
    continueToken: stringAt(envelope, ['metadata', 'continue']) || undefined,
    resourceVersion: stringAt(envelope, ['metadata', 'resourceVersion']),
  };
}

function listTextOf(subject: ErrorSubject, text: string): ReturnType<typeof readListText> {
  try {
    return readListText(text);
  } catch {
    throw unexpectedAnswer(subject, 'the answer is not a list');
  }
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
