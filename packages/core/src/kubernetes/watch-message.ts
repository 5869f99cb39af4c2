import { isJsonObject, type JsonValue } from '../model/json.ts';
import { numberAt, objectAt, stringAt } from '../model/object-path.ts';
import type { WatchEvent } from '../ports/cluster.ts';
import { type ErrorSubject, type Refusal, unexpectedAnswer } from './errors.ts';
import { kubernetesObject } from './object-list.ts';

/** One line of a watch. */
export type WatchMessage =
  | {
      readonly type: 'event';
      readonly event: WatchEvent;
      readonly resourceVersion: string | undefined;
    }
  /** Nothing has happened up to this version. */
  | { readonly type: 'bookmark'; readonly resourceVersion: string | undefined }
  | { readonly type: 'error'; readonly refusal: Refusal };

const eventTypes: ReadonlyMap<string, 'added' | 'modified' | 'deleted'> = new Map([
  ['ADDED', 'added'],
  ['MODIFIED', 'modified'],
  ['DELETED', 'deleted'],
]);

/** Reads a line of a watch; throws ClusterError for one that the Kubernetes API does not have. */
export function watchMessage(subject: ErrorSubject, line: JsonValue): WatchMessage {
  if (!isJsonObject(line)) {
    throw unexpectedAnswer(subject, 'a line of the watch is not an object');
  }
  const kind = stringAt(line, ['type']) ?? '';
  if (kind === 'ERROR') {
    const body = objectAt(line, ['object']) ?? {};
    return { type: 'error', refusal: { httpStatus: numberAt(body, ['code']) ?? 500, body } };
  }
  const resourceVersion = stringAt(line, ['object', 'metadata', 'resourceVersion']);
  if (kind === 'BOOKMARK') {
    return { type: 'bookmark', resourceVersion };
  }
  const type = eventTypes.get(kind);
  if (type === undefined) {
    throw unexpectedAnswer(
      subject,
      `the watch sent an event of the unknown type ${JSON.stringify(kind)}`,
    );
  }
  return {
    type: 'event',
    event: { type, object: kubernetesObject(subject, line['object']) },
    resourceVersion,
  };
}
