import type { ClusterError } from '../errors.ts';
import { isJsonObject } from '../model/json.ts';
import type { GroupVersionResource } from '../model/kubernetes.ts';
import { stringAt } from '../model/object-path.ts';
import type { ApiClient } from './api-client.ts';
import { refusalError } from './errors.ts';
import { type ObjectList, objectList } from './object-list.ts';
import { collectionPath, describeCollection, withQuery } from './resource-path.ts';

/** What is listed. */
export interface ListQuery {
  readonly operation: string;
  readonly resource: GroupVersionResource;
  readonly namespace?: string | undefined;
  readonly labelSelector?: string | undefined;
  readonly fieldSelector?: string | undefined;
  readonly metadataOnly?: boolean | undefined;
  readonly pageSize: number;
  readonly signal?: AbortSignal | undefined;
}

/** A page, or the news that the list's snapshot has expired, with a token for the rest of the present objects. */
export type PageOutcome =
  | { readonly type: 'page'; readonly page: ObjectList }
  | {
      readonly type: 'expired';
      readonly continueToken: string | undefined;
      readonly error: ClusterError;
    };

const metadataOnlyAccept = 'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1';

/** Reads one page of a list. */
export async function readPage(
  client: ApiClient,
  query: ListQuery,
  continueToken: string | undefined,
): Promise<PageOutcome> {
  const { operation, resource, namespace, signal } = query;
  const target = describeCollection(resource, namespace);
  const request = {
    operation,
    target,
    method: 'GET',
    path: withQuery(collectionPath(operation, resource, namespace), {
      labelSelector: query.labelSelector,
      fieldSelector: query.fieldSelector,
      limit: query.pageSize,
      continue: continueToken,
    }),
    accept: query.metadataOnly === true ? metadataOnlyAccept : undefined,
    signal,
  } as const;
  const answer = await client.callForBytes(request);
  if (answer.isSuccess) {
    return { type: 'page', page: objectList(request, answer.content) };
  }
  if (answer.httpStatus === 410 && continueToken !== undefined) {
    const status = isJsonObject(answer.body) ? answer.body : {};
    return {
      type: 'expired',
      continueToken: stringAt(status, ['metadata', 'continue']) || undefined,
      error: refusalError(request, answer),
    };
  }
  throw refusalError(request, answer);
}
