import { randomUUID } from 'node:crypto';
import { type JsonObject, type JsonValue } from '../../model/json.ts';
import {
  apiVersionOf,
  type KubernetesManifest,
  type KubernetesObject,
} from '../../model/kubernetes.ts';
import { numberAt, stringAt, withoutValueAt, withValueAt } from '../../model/object-path.ts';
import { formatTimestamp } from '../../model/timestamp.ts';
import type { Clock } from '../../ports/clock.ts';
import type { DeleteOptions } from '../../ports/cluster.ts';
import { admitCreate, admitUpdate, restrictToSubresource } from './admission/admission.ts';
import { withFinalizer } from './admission/set-missing.ts';
import {
  type ApiCall,
  alreadyExistsError,
  badRequestError,
  conflictError,
  methodNotAllowedError,
  notFoundError,
} from './api-errors.ts';
import { frozenObject, isKubernetesObject } from './frozen-json.ts';
import { ObjectTable, tableKey } from './object-table.ts';
import { recordUpdate } from './patch/managed-fields.ts';
import { hasStatusSubresource, type ServedResource } from './resource-definition.ts';
import { ResourceRegistry } from './resource-registry.ts';
import {
  generatedName,
  inVersion,
  isReadyToGo,
  isUnchanged,
  keepIdentity,
  ownMetadata,
  randomSuffix,
  withGeneration,
  withTidyMetadata,
} from './write-pipeline.ts';

/** A writing request. */
export interface WriteRequest {
  readonly served: ServedResource;
  readonly call: ApiCall;
  readonly manager: string;
  readonly dryRun: boolean;
  readonly subresource?: string | undefined;
  /** Whether the change itself records who owns which field, as an apply does. @default false */
  readonly recordsFields?: boolean | undefined;
}

const createAttempts = 8;
const defaultGracePeriodSeconds = 30;

/** The rules of the API server over an {@link ObjectTable}: what a request does to the objects, all at once. */
export class FakeApiServer {
  readonly table: ObjectTable = new ObjectTable();
  readonly registry: ResourceRegistry = new ResourceRegistry();
  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The present moment as Kubernetes writes it. */
  now(): string {
    return formatTimestamp(this.#clock.now());
  }

  /** Reads an object in the version of the request. */
  get(
    served: ServedResource,
    namespace: string | undefined,
    name: string,
  ): KubernetesObject | undefined {
    const object = this.table.get(served.definition.table, tableKey(namespace, name));
    return object === undefined ? undefined : inVersion(object, served);
  }

  /** Creates an object. */
  create(manifest: KubernetesManifest, request: WriteRequest): KubernetesObject {
    const { served, call } = request;
    const { definition, version } = served;
    if (!definition.verbs.includes('create')) {
      throw methodNotAllowedError(call);
    }
    const apiVersion = apiVersionOf({ group: definition.group, version });
    if (manifest.apiVersion !== apiVersion || manifest.kind !== definition.kind) {
      throw badRequestError(
        call,
        `expected ${apiVersion} ${definition.kind}, got ${manifest.apiVersion} ${manifest.kind}`,
      );
    }
    if (manifest.metadata['resourceVersion'] !== undefined) {
      throw badRequestError(call, 'resourceVersion should not be set on objects to be created');
    }
    this.#assertNamespaceExists(manifest, request);
    for (let attempt = 1; ; attempt += 1) {
      const object = this.#newObject(manifest, served);
      const key = tableKey(object.metadata.namespace, object.metadata.name);
      if (this.table.get(definition.table, key) === undefined) {
        const admitted = admitCreate(object, {
          served,
          call,
          table: this.table,
          suffix: randomSuffix,
        });
        return this.#store(admitted, undefined, request);
      }
      if (manifest.metadata.name !== undefined || attempt === createAttempts) {
        throw alreadyExistsError(call);
      }
    }
  }

  /**
   * Changes an object to what a function makes of it.
   *
   * @throws ClusterError NotFound, Conflict, Invalid.
   */
  update(
    before: KubernetesObject,
    change: (object: KubernetesObject) => JsonValue,
    request: WriteRequest,
  ): KubernetesObject {
    const { served, call, subresource } = request;
    const current = inVersion(before, served);
    const changed = change(current);
    if (!isKubernetesObject(changed)) {
      throw badRequestError(call, 'the result of the patch is not an object with a name');
    }
    const next = restrictToSubresource(
      keepIdentity(changed, current, call),
      current,
      subresource,
      served,
    );
    const admission = { served, call, table: this.table, suffix: randomSuffix };
    return this.#store(admitUpdate(frozenObject(next), current, admission), current, request);
  }

  /** Stores an admitted object that does not exist yet. */
  insert(object: KubernetesObject, request: WriteRequest): KubernetesObject {
    return this.#store(frozenObject(object), undefined, { ...request, recordsFields: true });
  }

  /** Stores what a controller makes of an object, spec and status at once and without admission. */
  write(before: KubernetesObject, next: KubernetesObject, request: WriteRequest): KubernetesObject {
    return this.#store(frozenObject(next), before, request);
  }

  /** Stores a fixture as it is; only the metadata that it lacks is filled in. */
  seed(manifest: KubernetesManifest, served: ServedResource): KubernetesObject {
    const { metadata } = this.#newObject(manifest, served);
    const object = frozenObject({ ...manifest, metadata: { ...metadata, ...manifest.metadata } });
    return this.table.put(served.definition.table, object);
  }

  /** Deletes an object, or marks it as being deleted until its finalizers have run. */
  delete(before: KubernetesObject, options: DeleteOptions, request: WriteRequest): void {
    const { call, served, dryRun } = request;
    const { definition } = served;
    if (options.uid !== undefined && options.uid !== before.metadata.uid) {
      throw conflictError(call, `the object has another uid, ${String(before.metadata.uid)}`);
    }
    if (
      options.resourceVersion !== undefined &&
      options.resourceVersion !== before.metadata.resourceVersion
    ) {
      throw conflictError(call, 'the object has been modified');
    }
    const gracePeriodSeconds = graceOf(before, options, definition.table);
    const held = withCleanup(withPropagation(before, options), definition.table);
    const { deletionTimestamp } = before.metadata;
    const marked = withValueAt(held, ['metadata'], {
      ...held.metadata,
      deletionTimestamp: deletionTimestamp ?? this.now(),
      deletionGracePeriodSeconds: gracePeriodSeconds,
    });
    const next =
      definition.table === 'namespaces'
        ? withValueAt(marked, ['status', 'phase'], 'Terminating')
        : marked;
    if (dryRun) {
      return;
    }
    if (isReadyToGo(next, definition)) {
      this.table.remove(definition.table, before);
    } else if (!isUnchanged(next, before)) {
      const generation = numberAt(before, ['metadata', 'generation']);
      this.table.put(
        definition.table,
        generation === undefined || deletionTimestamp !== undefined
          ? next
          : withValueAt(next, ['metadata', 'generation'], generation + 1),
      );
    }
  }

  #store(
    object: KubernetesObject,
    before: KubernetesObject | undefined,
    { served, manager, dryRun, recordsFields = false }: WriteRequest,
  ): KubernetesObject {
    const { definition } = served;
    const next = withTidyMetadata(object);
    if (before !== undefined && isUnchanged(next, before)) {
      return before;
    }
    const counted = before === undefined ? next : withGeneration(next, before, definition);
    const recorded = recordsFields
      ? counted
      : recordUpdate(counted, before, {
          name: manager,
          operation: 'Update',
          time: this.now(),
          statusApart: hasStatusSubresource(definition),
        });
    if (dryRun) {
      return frozenObject(recorded);
    }
    if (isReadyToGo(recorded, definition)) {
      this.table.remove(definition.table, recorded);
      return frozenObject(recorded);
    }
    return inVersion(this.table.put(definition.table, recorded), served);
  }

  #newObject(manifest: KubernetesManifest, { definition }: ServedResource): KubernetesObject {
    const { name, generateName } = manifest.metadata;
    const metadata: JsonObject = {
      ...ownMetadata(manifest),
      name: name ?? (generateName === undefined ? '' : generatedName(generateName)),
      uid: randomUUID(),
      creationTimestamp: this.now(),
      ...(definition.countsGenerations && { generation: 1 }),
    };
    const object = { ...manifest, metadata };
    return frozenObject(
      definition.namespaced ? object : withoutValueAt(object, ['metadata', 'namespace']),
    );
  }

  #assertNamespaceExists(manifest: KubernetesManifest, { served, call }: WriteRequest): void {
    if (!served.definition.namespaced) {
      return;
    }
    const namespace = stringAt(manifest, ['metadata', 'namespace']);
    if (namespace === undefined) {
      throw badRequestError(call, 'an object of this resource needs a namespace');
    }
    if (this.table.get('namespaces', namespace) === undefined) {
      throw notFoundError(call, `namespaces "${namespace}" not found`);
    }
  }
}

function withPropagation(
  object: KubernetesObject,
  { propagationPolicy }: DeleteOptions,
): KubernetesObject {
  switch (propagationPolicy) {
    case 'Foreground':
      return withFinalizer(object, 'foregroundDeletion');
    case 'Orphan':
      return withFinalizer(object, 'orphan');
    case 'Background':
    case undefined:
      return object;
  }
}

/** A definition of custom resources goes after its objects. */
function withCleanup(object: KubernetesObject, table: string): KubernetesObject {
  return table === 'customresourcedefinitions.apiextensions.k8s.io'
    ? withFinalizer(object, 'customresourcecleanup.apiextensions.k8s.io')
    : object;
}

/** Only a Pod that runs on a node is deleted gracefully. */
function graceOf(object: KubernetesObject, options: DeleteOptions, table: string): number {
  if (table !== 'pods' || stringAt(object, ['spec', 'nodeName']) === undefined) {
    return 0;
  }
  return (
    options.gracePeriodSeconds ??
    numberAt(object, ['spec', 'terminationGracePeriodSeconds']) ??
    defaultGracePeriodSeconds
  );
}
