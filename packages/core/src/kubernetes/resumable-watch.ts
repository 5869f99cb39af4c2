import { ClusterError } from '../errors.ts';
import type { GroupVersionResource } from '../model/kubernetes.ts';
import type { WatchEvent, WatchOptions } from '../ports/cluster.ts';
import type { ApiClient } from './api-client.ts';
import { type ErrorSubject, refusalError } from './errors.ts';
import { jsonLines } from './json-lines.ts';
import { readPage } from './list-pages.ts';
import { collectionPath, describeCollection, withQuery } from './resource-path.ts';
import { watchMessage } from './watch-message.ts';

/** How one connection of a watch ended, and where it stood. */
interface WatchEnd {
  readonly how: 'ended' | 'expired' | 'broken';
  readonly resourceVersion: string;
  /** Whether the server sent anything, or at least kept the connection for a while. */
  readonly wasAlive: boolean;
  readonly error?: ClusterError | undefined;
}

const operation = 'Cluster.watch';
const pageSize = 500;
const maximumLineBytes = 64 * 1024 * 1024;
// Shorter than the server's own limit and spread, so that many watches do not come back at once.
const shortestConnectionSeconds = 240;
const connectionSpreadSeconds = 60;
const firstPauseMs = 100;
const longestPauseMs = 5_000;
/** About two minutes of vain attempts, after which an outage is reported. */
const maximumFailures = 28;
const aliveAfterMs = 1_000;

/**
 * Watches across connections: each goes on after the last version that was seen, a forgotten version is met with
 * `restarted` and a new list, and an outage of the server is waited out for about two minutes.
 */
export async function* resumableWatch(
  client: ApiClient,
  resource: GroupVersionResource,
  options: WatchOptions,
): AsyncGenerator<WatchEvent, void, undefined> {
  const { signal } = options;
  const subject = { operation, target: describeCollection(resource, options.namespace) };
  let resourceVersion = options.resourceVersion;
  let hasPlace = false;
  let failures = 0;
  for (;;) {
    if (resourceVersion === undefined) {
      resourceVersion = yield* initialObjects(client, subject, resource, options);
      hasPlace = true;
      yield { type: 'synced' };
    }
    const end: WatchEnd = yield* changes(client, subject, resource, options, resourceVersion);
    hasPlace ||= end.wasAlive;
    failures = end.wasAlive ? 0 : failures + 1;
    if (end.error !== undefined && (!hasPlace || failures > maximumFailures)) {
      throw end.error;
    }
    if (end.how === 'expired') {
      yield { type: 'restarted' };
      resourceVersion = undefined;
      await client.sleep(pauseMs(failures - 1), subject, signal);
    } else {
      resourceVersion = end.resourceVersion;
      await client.sleep(pauseMs(failures), subject, signal);
    }
  }
}

/** Yields every object that exists as `added`; returns the version from which to watch on. */
async function* initialObjects(
  client: ApiClient,
  { target }: ErrorSubject,
  resource: GroupVersionResource,
  { namespace, labelSelector, fieldSelector, signal }: WatchOptions,
): AsyncGenerator<WatchEvent, string, undefined> {
  const query = {
    operation,
    target,
    resource,
    namespace,
    labelSelector,
    fieldSelector,
    pageSize,
    signal,
  };
  let resourceVersion: string | undefined;
  let continueToken: string | undefined;
  let expiries = 0;
  for (;;) {
    const outcome = await readPage(client, query, continueToken);
    if (outcome.type === 'expired') {
      expiries += 1;
      if (expiries > maximumFailures) {
        throw outcome.error;
      }
      // A list of two points in time has no version to watch from.
      yield { type: 'restarted' };
      resourceVersion = undefined;
      continueToken = undefined;
      await client.sleep(pauseMs(expiries - 1), query, signal);
      continue;
    }
    for (const object of outcome.page.items) {
      signal?.throwIfAborted();
      yield { type: 'added', object };
    }
    resourceVersion ??= outcome.page.resourceVersion;
    continueToken = outcome.page.continueToken;
    if (continueToken === undefined) {
      return resourceVersion ?? '';
    }
  }
}

/** Yields the changes of one connection. */
async function* changes(
  client: ApiClient,
  subject: ErrorSubject,
  resource: GroupVersionResource,
  options: WatchOptions,
  startVersion: string,
): AsyncGenerator<WatchEvent, WatchEnd, undefined> {
  const { signal } = options;
  let resourceVersion = startVersion;
  let wasAlive = false;
  let openedAtMs = Number.POSITIVE_INFINITY;
  try {
    const path = watchPath(resource, options, startVersion);
    const stream = await client.open({ ...subject, method: 'GET', path, signal });
    openedAtMs = performance.now();
    for await (const line of jsonLines(stream, { maximumLineBytes })) {
      const message = watchMessage(subject, line);
      if (message.type === 'error') {
        throw refusalError(subject, message.refusal);
      }
      wasAlive = true;
      resourceVersion = message.resourceVersion ?? resourceVersion;
      if (message.type === 'event') {
        yield message.event;
        signal?.throwIfAborted();
      }
    }
    wasAlive ||= performance.now() - openedAtMs > aliveAfterMs;
    return { how: 'ended', resourceVersion, wasAlive };
  } catch (failure) {
    const error = client.failureOf(subject, failure, signal);
    if (!(error instanceof ClusterError) || (error.code !== 'Gone' && !error.retryable)) {
      throw error;
    }
    wasAlive ||= performance.now() - openedAtMs > aliveAfterMs;
    return { how: error.code === 'Gone' ? 'expired' : 'broken', resourceVersion, wasAlive, error };
  }
}

function watchPath(
  resource: GroupVersionResource,
  { namespace, labelSelector, fieldSelector }: WatchOptions,
  resourceVersion: string,
): string {
  const timeoutSeconds =
    shortestConnectionSeconds + Math.round(Math.random() * connectionSpreadSeconds);
  return withQuery(collectionPath(operation, resource, namespace), {
    watch: true,
    allowWatchBookmarks: true,
    resourceVersion,
    timeoutSeconds,
    labelSelector,
    fieldSelector,
  });
}

function pauseMs(failures: number): number {
  return failures <= 0 ? 0 : Math.min(firstPauseMs * 2 ** (failures - 1), longestPauseMs);
}
