import type {
  ClusterVersion,
  Discovery,
  GroupVersionResource,
  KubernetesManifest,
  KubernetesObject,
  ObjectReference,
} from '../../model/kubernetes.ts';
import { describeObject, groupResourceOf } from '../../model/kubernetes.ts';
import type { Clock } from '../../ports/clock.ts';
import type {
  Cluster,
  ClusterPatch,
  DeleteOptions,
  ListOptions,
  PatchOptions,
  WatchEvent,
  WatchOptions,
  WriteOptions,
} from '../../ports/cluster.ts';
import type { CallOptions } from '../../ports/object-store.ts';
import type { PodExec } from '../../ports/pod-exec.ts';
import { type ApiCall, badRequestError, closedError, notFoundError } from './api-errors.ts';
import { ClusterFaultInjector, type ClusterFaults } from './cluster-faults.ts';
import type { FakeApiServer, WriteRequest } from './fake-api-server.ts';
import { type ExecHandler, FakePodExec } from './fake-pod-exec.ts';
import { listObjects, objectFilter } from './object-list.ts';
import { patchObject } from './object-patch.ts';
import { watchObjects } from './object-watch.ts';
import { type ClusterRequest, RequestLog } from './request-log.ts';
import type { ServedResource } from './resource-definition.ts';

const defaultFieldManager = 'lifeboat-fake-client';
const patchableSubresources: ReadonlySet<string> = new Set(['status', 'finalize']);

/** What the connections to one fake API server share. */
export interface ConnectionHost {
  readonly location: string;
  readonly version: ClusterVersion;
  readonly clock: Clock;
  readonly server: FakeApiServer;
  /** Changes whenever the connections are cut. */
  readonly connection: () => number;
  /** What runs in the pods. */
  readonly execHandler: () => ExecHandler;
}

/** A client of a FakeCluster: its own faults, its own log and its own end, the same objects. */
export class FakeConnection implements Cluster {
  readonly location: string;
  /** What goes wrong with the requests of this connection. */
  readonly faults: ClusterFaults;
  /** Runs commands in the pods of the cluster, under the same faults. */
  readonly podExec: PodExec;
  readonly #faults: ClusterFaultInjector;
  readonly #log: RequestLog = new RequestLog();
  readonly #host: ConnectionHost;
  #closed = false;

  constructor(host: ConnectionHost) {
    this.#host = host;
    this.location = host.location;
    this.#faults = new ClusterFaultInjector(host.clock);
    this.faults = this.#faults;
    this.podExec = new FakePodExec({
      handler: host.execHandler,
      findPod: ({ namespace, podName }) => host.server.table.get('pods', `${namespace}/${podName}`),
      send: ({ namespace, podName }, signal) => {
        const target = describeObject({ groupResource: 'pods', namespace, name: podName });
        const request = { operation: 'exec', resource: 'pods', namespace, name: podName } as const;
        return this.#send(request, target, signal, (call) => call);
      },
    });
  }

  /** What has been asked through this connection, oldest first; the oldest are forgotten after 10,000. */
  get requests(): readonly ClusterRequest[] {
    return this.#log.requests;
  }

  /** Forgets the requests so far. */
  forgetRequests(): void {
    this.#log.clear();
  }

  async version({ signal }: CallOptions = {}): Promise<ClusterVersion> {
    return this.#send({ operation: 'version' }, 'version', signal, () => this.#host.version);
  }

  async discover({ signal }: CallOptions = {}): Promise<Discovery> {
    return this.#send({ operation: 'discover' }, 'discovery', signal, () =>
      this.#host.server.registry.discover(),
    );
  }

  async get(
    reference: ObjectReference,
    { signal }: CallOptions = {},
  ): Promise<KubernetesObject | undefined> {
    return this.#send(requestOf('get', reference), describeObject(reference), signal, () => {
      const served = this.#host.server.registry.find(reference);
      return served && this.#host.server.get(served, reference.namespace, reference.name);
    });
  }

  async *list(
    resource: GroupVersionResource,
    options: ListOptions = {},
  ): AsyncIterable<KubernetesObject> {
    const { namespace, signal } = options;
    const call: ApiCall = { operation: 'Cluster.list', target: groupResourceOf(resource) };
    const request = async (): Promise<void> =>
      this.#send(
        requestOf('list', { ...resource, namespace }),
        call.target,
        signal,
        () => undefined,
      );
    // The first page's request comes before the resource is looked up, so that a closed cluster says so.
    await request();
    const served = this.#served(resource, call);
    const filter = objectFilter(options, served, call);
    yield* listObjects({ table: this.#host.server.table, served, filter, request }, options);
  }

  async *watch(
    resource: GroupVersionResource,
    options: WatchOptions = {},
  ): AsyncIterable<WatchEvent> {
    const { namespace, signal } = options;
    const call: ApiCall = { operation: 'Cluster.watch', target: groupResourceOf(resource) };
    const request = async (): Promise<void> =>
      this.#send(
        requestOf('watch', { ...resource, namespace }),
        call.target,
        signal,
        () => undefined,
      );
    await request();
    const served = this.#served(resource, call);
    const source = {
      table: this.#host.server.table,
      served,
      filter: objectFilter(options, served, call),
      call,
      request,
      connection: this.#host.connection,
      assertOpen: () => {
        this.#assertOpen(call);
      },
    };
    yield* watchObjects(source, options);
  }

  async create(
    resource: GroupVersionResource,
    manifest: KubernetesManifest,
    options: WriteOptions = {},
  ): Promise<KubernetesObject> {
    const { namespace, name, generateName } = manifest.metadata;
    const request = {
      ...requestOf('create', { ...resource, namespace, name }),
      ...logged(options),
    };
    const target = describeObject({
      groupResource: groupResourceOf(resource),
      namespace,
      name: name ?? `${generateName ?? ''}*`,
    });
    return this.#send(request, target, options.signal, (call) =>
      this.#host.server.create(manifest, this.#write(resource, call, options)),
    );
  }

  async patch(
    reference: ObjectReference,
    patch: ClusterPatch,
    options: PatchOptions = {},
  ): Promise<KubernetesObject> {
    const { subresource, signal } = options;
    const request = { ...requestOf('patch', reference), subresource, ...logged(options) };
    return this.#send(request, describeObject(reference), signal, (call) => {
      const write = this.#write(reference, call, options);
      assertSubresource(write, subresource);
      if (patch.type === 'apply' && options.fieldManager === undefined) {
        throw badRequestError(call, 'an apply needs a fieldManager');
      }
      const before = this.#host.server.get(write.served, reference.namespace, reference.name);
      return patchObject(this.#host.server, before, patch, { ...write, subresource });
    });
  }

  async delete(reference: ObjectReference, options: DeleteOptions = {}): Promise<void> {
    const request = { ...requestOf('delete', reference), dryRun: options.dryRun };
    return this.#send(request, describeObject(reference), options.signal, (call) => {
      const write = this.#write(reference, call, options);
      const before = this.#host.server.get(write.served, reference.namespace, reference.name);
      if (before !== undefined) {
        this.#host.server.delete(before, options, write);
      }
    });
  }

  async close(): Promise<void> {
    this.#closed = true;
    // A watch that waits has to notice.
    this.#host.server.table.wakeAll();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** Carries out a request: later than at once, as over a network, logged, and under the faults that fit it. */
  async #send<T>(
    request: ClusterRequest,
    target: string,
    signal: AbortSignal | undefined,
    carryOut: (call: ApiCall) => T,
  ): Promise<T> {
    const call: ApiCall = { operation: operationOf(request), target };
    signal?.throwIfAborted();
    this.#assertOpen(call);
    this.#log.add(request);
    await nextTurn();
    signal?.throwIfAborted();
    this.#assertOpen(call);
    return this.#faults.around(request, call, signal, () => carryOut(call));
  }

  #write(
    resource: GroupVersionResource,
    call: ApiCall,
    { dryRun = false, fieldManager = defaultFieldManager }: WriteOptions,
  ): WriteRequest {
    return { served: this.#served(resource, call), call, manager: fieldManager, dryRun };
  }

  #served(resource: GroupVersionResource, call: ApiCall): ServedResource {
    const served = this.#host.server.registry.find(resource);
    if (served === undefined) {
      throw notFoundError(
        call,
        `the server does not serve ${groupResourceOf(resource)} in version ${resource.version}`,
      );
    }
    return served;
  }

  #assertOpen(call: ApiCall): void {
    if (this.#closed) {
      throw closedError(call);
    }
  }
}

function requestOf(
  operation: ClusterRequest['operation'],
  reference: GroupVersionResource & {
    readonly namespace?: string | undefined;
    readonly name?: string | undefined;
  },
): ClusterRequest {
  const { namespace, name } = reference;
  return { operation, resource: groupResourceOf(reference), namespace, name };
}

function operationOf({ operation }: ClusterRequest): string {
  return operation === 'exec' ? 'PodExec.exec' : `Cluster.${operation}`;
}

function logged({
  dryRun,
  fieldManager,
}: WriteOptions): Pick<ClusterRequest, 'dryRun' | 'fieldManager'> {
  return { dryRun, fieldManager };
}

function assertSubresource({ served, call }: WriteRequest, subresource: string | undefined): void {
  const isKnown =
    subresource === undefined ||
    (served.definition.subresources.includes(subresource) &&
      patchableSubresources.has(subresource));
  if (!isKnown) {
    throw notFoundError(call, `the resource has no subresource ${subresource} that can be patched`);
  }
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
