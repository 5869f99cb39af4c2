import { randomUUID } from 'node:crypto';
import { type Cluster, Resources } from '@lifeboat/core';
import { runAll } from '../packages/core/src/internal/run-all.ts';
import { waitFor } from '../test/cluster/wait-for.ts';

const goneTimeoutMs = 600_000;

/** The cluster to restore to, and the namespaces of the backup. */
export interface TargetOf {
  readonly cluster: Cluster;
  readonly namespaces: readonly string[];
}

/** Names for namespaces that a restore makes; what is in them goes with them. */
export class TargetNamespaces implements AsyncDisposable {
  /** Namespace of the backup → namespace of the target. */
  readonly mapping: Readonly<Record<string, string>>;
  readonly #cluster: Cluster;

  constructor({ cluster, namespaces }: TargetOf) {
    const prefix = `bench-restore-${randomUUID().slice(0, 8)}`;
    this.mapping = Object.fromEntries(
      namespaces.map((name, index) => [name, `${prefix}-${String(index).padStart(2, '0')}`]),
    );
    this.#cluster = cluster;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const references = Object.values(this.mapping).map((name) => ({
      ...Resources.namespaces,
      name,
    }));
    const remove = (reference: (typeof references)[number]): Promise<void> =>
      this.#cluster.delete(reference);
    await runAll(references, remove, { concurrency: references.length });
    for (const reference of references) {
      await waitFor(async () => (await this.#cluster.get(reference)) === undefined, {
        what: `namespace ${reference.name} to go`,
        ...{ timeoutMs: goneTimeoutMs, intervalMs: 500 },
      });
    }
  }
}
