import { createHash } from 'node:crypto';
import type { KubernetesManifest, KubernetesObject } from '../../../model/kubernetes.ts';
import { numberAt, withValueAt } from '../../../model/object-path.ts';
import type { ApiCall } from '../api-errors.ts';
import type { FakeApiServer, WriteRequest } from '../fake-api-server.ts';
import { parseTableKey } from '../object-table.ts';
import type { ResourceRegistry } from '../resource-registry.ts';

const eventHashLength = 16;

/** What a controller says about an object. */
export interface EventNote {
  readonly type: 'Normal' | 'Warning';
  readonly reason: string;
  readonly message: string;
}

/** How a controller reads and writes: directly, under its own name as field manager, unaffected by injected faults. */
export class ControllerClient {
  readonly signal: AbortSignal;
  readonly #server: FakeApiServer;
  readonly #name: string;
  readonly #events: Map<string, string> = new Map();

  constructor(server: FakeApiServer, name: string, signal: AbortSignal) {
    this.#server = server;
    this.#name = name;
    this.signal = signal;
  }

  /** What the server serves. */
  get registry(): ResourceRegistry {
    return this.#server.registry;
  }

  /** The present moment as Kubernetes writes it. */
  now(): string {
    return this.#server.now();
  }

  /** Reads an object by its key. */
  get(table: string, key: string): KubernetesObject | undefined {
    return this.#server.table.get(table, key);
  }

  /** The objects of a table, of one namespace if one is given. */
  list(table: string, namespace?: string): readonly KubernetesObject[] {
    const { objects } = this.#server.table.state(table);
    return namespace === undefined
      ? objects
      : objects.filter(({ metadata }) => metadata.namespace === namespace);
  }

  /** Creates an object as any client does. */
  create(table: string, manifest: KubernetesManifest): KubernetesObject {
    return this.#server.create(manifest, this.#request(table));
  }

  /** Stores an object, spec and status at once. `next` has to be made from what is stored now. */
  write(table: string, before: KubernetesObject, next: KubernetesObject): KubernetesObject {
    return this.#server.write(before, next, this.#request(table));
  }

  /** Deletes an object as any client does. */
  delete(table: string, object: KubernetesObject): void {
    this.#server.delete(object, {}, this.#request(table));
  }

  /** Deletes a Pod that has stopped. */
  deleteStopped(pod: KubernetesObject): void {
    this.#server.delete(pod, { gracePeriodSeconds: 0 }, this.#request('pods'));
  }

  /** Tells users something about an object; the same again is counted. */
  note(object: KubernetesObject, { type, reason, message }: EventNote): void {
    const { name, namespace = 'default', uid, resourceVersion } = object.metadata;
    const holder = this.get('namespaces', namespace);
    if (holder === undefined || holder.metadata.deletionTimestamp !== undefined) {
      return;
    }
    const identity = [uid, type, reason, message].join('\n');
    const known = this.get('events', this.#events.get(identity) ?? '');
    if (known !== undefined) {
      const count = (numberAt(known, ['count']) ?? 1) + 1;
      const counted = withValueAt(known, ['count'], count);
      this.write('events', known, withValueAt(counted, ['lastTimestamp'], this.now()));
      return;
    }
    const event = this.create('events', {
      apiVersion: 'v1',
      kind: 'Event',
      metadata: { name: `${name}.${hashOf(identity)}`, namespace },
      involvedObject: {
        apiVersion: object.apiVersion,
        kind: object.kind,
        name,
        ...(object.metadata.namespace !== undefined && { namespace }),
        resourceVersion: resourceVersion ?? '',
        uid: uid ?? '',
      },
      type,
      reason,
      message,
      count: 1,
      firstTimestamp: this.now(),
      lastTimestamp: this.now(),
      source: { component: this.#name },
      reportingComponent: this.#name,
    });
    this.#events.set(identity, `${namespace}/${event.metadata.name}`);
  }

  #request(table: string): WriteRequest {
    const served = this.#server.registry.findTable(table);
    if (served === undefined) {
      throw new TypeError(`The fake API server has no table ${table}`);
    }
    const call: ApiCall = { operation: `${this.#name} write`, target: table };
    return { served, call, manager: this.#name, dryRun: false };
  }
}

/** The namespace and name of a key, for a message or a manifest. */
export function namespaceOf(key: string): string {
  return parseTableKey(key).namespace ?? '';
}

function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, eventHashLength);
}
