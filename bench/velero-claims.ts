import { randomUUID } from 'node:crypto';
import { type Cluster, Resources } from '@lifeboat/core';
import { runAll } from '../packages/core/src/internal/run-all.ts';
import { stringAt } from '../packages/core/src/model/object-path.ts';
import { waitFor } from '../test/cluster/wait-for.ts';

/** A namespace with bound claims; it goes with what is in it. */
export class ClaimsNamespace implements AsyncDisposable {
  readonly name: string;
  readonly #cluster: Cluster;

  private constructor(cluster: Cluster, name: string) {
    this.#cluster = cluster;
    this.name = name;
  }

  static async create(cluster: Cluster, count: number): Promise<ClaimsNamespace> {
    const name = `bench-claims-${randomUUID().slice(0, 8)}`;
    const metadata = { name };
    await cluster.create(Resources.namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata });
    const created = new ClaimsNamespace(cluster, name);
    await runAll(
      Array.from({ length: count }, (_, index) => index),
      (index) => created.#claim(`data-${index}`),
      { concurrency: 8 },
    );
    await waitFor(async () => (await created.#bound()) === count, {
      what: `${count} claims to be bound`,
      timeoutMs: 300_000,
      intervalMs: 500,
    });
    return created;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#cluster.delete({ ...Resources.namespaces, name: this.name });
  }

  async #claim(name: string): Promise<void> {
    await this.#cluster.create(Resources.persistentVolumeClaims, {
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      metadata: { name, namespace: this.name },
      spec: {
        storageClassName: 'dirvol',
        accessModes: ['ReadWriteOnce'],
        resources: { requests: { storage: '1Mi' } },
      },
    });
  }

  async #bound(): Promise<number> {
    let bound = 0;
    const claims = this.#cluster.list(Resources.persistentVolumeClaims, { namespace: this.name });
    for await (const claim of claims) {
      if (stringAt(claim, ['status', 'phase']) === 'Bound') bound += 1;
    }
    return bound;
  }
}
