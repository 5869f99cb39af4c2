import type { BlockBytes } from '../internal/block-memory.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../model/json.ts';
import type { KubernetesObject } from '../model/kubernetes.ts';
import { stringAt } from '../model/object-path.ts';
import { type ErrorSubject, unexpectedAnswer } from './errors.ts';
import { type ListBytes, readListBytes } from './list-bytes.ts';
import { parseBody } from './parse-body.ts';

/** One page of a list. */
export interface ObjectList {
  /** Each is parsed when it is taken. Can be gone through once: memory is given back behind the reader, and all of it when the loop is left. */
  readonly items: Iterable<KubernetesObject>;
  /** Where the next page begins; absent on the last one. */
  readonly continueToken: string | undefined;
  readonly resourceVersion: string | undefined;
}

/** Reads a list; items get the apiVersion and kind that the server writes only once, on the list. */
export function objectList(subject: ErrorSubject, bytes: BlockBytes): ObjectList {
  const { envelope, items } = listOf(subject, bytes);
  return {
    items: objectsOf(subject, envelope, items),
    continueToken: stringAt(envelope, ['metadata', 'continue']) || undefined,
    resourceVersion: stringAt(envelope, ['metadata', 'resourceVersion']),
  };
}

function listOf(subject: ErrorSubject, bytes: BlockBytes): ListBytes {
  try {
    return readListBytes(bytes);
  } catch {
    throw unexpectedAnswer(subject, 'the answer is not a list');
  }
}

function* objectsOf(
  subject: ErrorSubject,
  envelope: JsonObject,
  items: Iterable<string>,
): Generator<KubernetesObject, void, undefined> {
  const apiVersion = stringAt(envelope, ['apiVersion']) ?? '';
  const kind = (stringAt(envelope, ['kind']) ?? '').replace(/List$/, '');
  for (const item of items) {
    const body = parseBody(item);
    yield kubernetesObject(subject, isJsonObject(body) ? { apiVersion, kind, ...body } : undefined);
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
