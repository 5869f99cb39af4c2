import { isJsonObject, type JsonValue } from '../model/json.ts';
import {
  type ClusterVersion,
  type Discovery,
  describeObject,
  type GroupVersionResource,
  groupResourceOf,
  type KubernetesManifest,
  type KubernetesObject,
  type ObjectReference,
} from '../model/kubernetes.ts';
import { stringAt } from '../model/object-path.ts';
import type {
  Cluster,
  ClusterPatch,
  DeleteOptions,
  ListOptions,
  ObjectCallOptions,
  PatchOptions,
  WatchEvent,
  WatchOptions,
  WriteOptions,
} from '../ports/cluster.ts';
import type { CallOptions } from '../ports/object-store.ts';
import { type ApiClient, bodyOf } from './api-client.ts';
import { refusalError } from './errors.ts';
import { kubernetesObject } from './object-list.ts';
import { pagedList } from './paged-list.ts';
import { patchRequest } from './patch-request.ts';
import { readDiscovery } from './read-discovery.ts';
import { collectionPath, objectPath, type Query, withQuery } from './resource-path.ts';
import { resumableWatch } from './resumable-watch.ts';

const defaultPageSize = 500;

/** A {@link Cluster} over the HTTP API of a real server. Get one from `connectKubeConfig`. */
export class KubernetesCluster implements Cluster {
  readonly #client: ApiClient;

  constructor(client: ApiClient) {
    this.#client = client;
  }

  get location(): string {
    return this.#client.location;
  }

  async version({ signal }: CallOptions = {}): Promise<ClusterVersion> {
    const subject = { operation: 'Cluster.version', target: '/version' };
    const body = await this.#client.request({
      ...subject,
      method: 'GET',
      path: '/version',
      signal,
    });
    const text = (key: string): string => (isJsonObject(body) ? (stringAt(body, [key]) ?? '') : '');
    return { major: text('major'), minor: text('minor'), gitVersion: text('gitVersion') };
  }

  discover({ signal }: CallOptions = {}): Promise<Discovery> {
    return readDiscovery(this.#client, signal);
  }

  async get(
    reference: ObjectReference,
    { signal, onRateLimited }: ObjectCallOptions = {},
  ): Promise<KubernetesObject | undefined> {
    const operation = 'Cluster.get';
    const subject = { operation, target: describeObject(reference) };
    const path = objectPath(operation, reference);
    const request = { ...subject, method: 'GET', path, signal, onRateLimited } as const;
    const answer = await this.#client.call(request);
    return answer.httpStatus === 404
      ? undefined
      : kubernetesObject(subject, bodyOf(subject, answer));
  }

  list(resource: GroupVersionResource, options: ListOptions = {}): AsyncIterable<KubernetesObject> {
    const { onInconsistent, pageSize = defaultPageSize, ...selection } = options;
    const query = { operation: 'Cluster.list', resource, pageSize, ...selection };
    return pagedList(this.#client, query, onInconsistent);
  }

  watch(resource: GroupVersionResource, options: WatchOptions = {}): AsyncIterable<WatchEvent> {
    return resumableWatch(this.#client, resource, options);
  }

  async create(
    resource: GroupVersionResource,
    manifest: KubernetesManifest,
    options: WriteOptions = {},
  ): Promise<KubernetesObject> {
    const operation = 'Cluster.create';
    const { name, generateName, namespace } = manifest.metadata;
    const subject = {
      operation,
      target: describeManifest(resource, namespace, name ?? `${generateName ?? ''}…`),
    };
    const path = withQuery(collectionPath(operation, resource, namespace), writeQuery(options));
    const { signal, onRateLimited } = options;
    const body = await this.#client.request({
      ...subject,
      method: 'POST',
      path,
      body: manifest,
      signal,
      onRateLimited,
    });
    return kubernetesObject(subject, body);
  }

  async patch(
    reference: ObjectReference,
    patch: ClusterPatch,
    options: PatchOptions = {},
  ): Promise<KubernetesObject> {
    const operation = 'Cluster.patch';
    const subject = { operation, target: describeObject(reference) };
    const { contentType, body, force } = patchRequest(patch);
    const path = withQuery(objectPath(operation, reference, options.subresource), {
      ...writeQuery(options),
      force,
    });
    const { signal, onRateLimited } = options;
    const request = { ...subject, method: 'PATCH', path, body, contentType, signal } as const;
    const retries = { isRepeatable: isRepeatablePatch(patch), onRateLimited };
    return kubernetesObject(subject, await this.#client.request({ ...request, ...retries }));
  }

  async delete(reference: ObjectReference, options: DeleteOptions = {}): Promise<void> {
    const operation = 'Cluster.delete';
    const subject = { operation, target: describeObject(reference) };
    const path = objectPath(operation, reference);
    const body = deleteBody(options);
    const { uid, signal, onRateLimited } = options;
    const request = { ...subject, method: 'DELETE', path, body, signal, onRateLimited } as const;
    // Without the uid a repetition could hit another object that has taken the name.
    const answer = await this.#client.call({ ...request, isRepeatable: uid !== undefined });
    if (!answer.isSuccess && answer.httpStatus !== 404) {
      throw refusalError(subject, answer);
    }
  }

  close(): Promise<void> {
    return this.#client.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

/** Whether a patch says what is to be so in the end, whatever there was: unless it is bound to a version, or made of steps. */
function isRepeatablePatch(patch: ClusterPatch): boolean {
  switch (patch.type) {
    case 'json':
      return false;
    case 'merge':
      return stringAt(patch.patch, ['metadata', 'resourceVersion']) === undefined;
    case 'apply':
      return patch.manifest.metadata.resourceVersion === undefined;
    default:
      return patch satisfies never;
  }
}

function writeQuery({ dryRun, fieldManager }: WriteOptions): Query {
  return { dryRun: dryRun === true ? 'All' : undefined, fieldManager };
}

function deleteBody(options: DeleteOptions): JsonValue {
  const {
    propagationPolicy = 'Background',
    uid,
    resourceVersion,
    gracePeriodSeconds,
    dryRun,
  } = options;
  const hasPreconditions = uid !== undefined || resourceVersion !== undefined;
  return {
    apiVersion: 'v1',
    kind: 'DeleteOptions',
    propagationPolicy,
    gracePeriodSeconds,
    preconditions: hasPreconditions ? { uid, resourceVersion } : undefined,
    dryRun: dryRun === true ? ['All'] : undefined,
  };
}

function describeManifest(
  resource: GroupVersionResource,
  namespace: string | undefined,
  name: string,
): string {
  return describeObject({ groupResource: groupResourceOf(resource), namespace, name });
}
