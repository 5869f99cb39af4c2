import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Cluster, JsonValue, ResourceIdentifier } from '@lifeboat/core';
import { expect, type TestContext } from 'vitest';
import { type ClusterNumber, type TestCluster, testCluster } from '../cluster/test-cluster.ts';
import { waitFor } from '../cluster/wait-for.ts';
import { readApplicationObjects } from '../e2e/application-objects.ts';
import { applyReference, deleteApplied, releaseObject } from '../e2e/apply-reference.ts';
import { connectTestCluster } from '../e2e/connect-test-cluster.ts';
import {
  type ExplainedDifference,
  type FoundDifference,
  unexplained,
} from '../e2e/explained-differences.ts';
import { jsonDifferences } from '../e2e/json-differences.ts';
import { neutralJson } from '../e2e/neutral-json.ts';
import { ReferenceNames } from '../e2e/reference-names.ts';
import { filledClaims, markFile } from '../e2e/reference-stand-ins.ts';
import { boundVolumeHandle } from '../e2e/volume-scene.ts';
import type { InteropScene } from './interop-scene.ts';

const files = ['crds.yaml', 'zoo.yaml'];
/** What Velero fails to back up, or to restore beside the original. */
const without = ['static-pv', 'static-claim', 'unbound', 'np'];
/** What says what has happened, not what there is; and snapshots, whose names are digests: what they hold is in the claims. */
const leftOut = new Set([
  ...['events', 'events.events.k8s.io'],
  ...['volumesnapshots', 'volumesnapshotcontents'].map((name) => `${name}.snapshot.storage.k8s.io`),
]);

/** A copy of the application: who restored whose backup into which namespace. */
export interface ZooCopy {
  readonly namespace: string;
  readonly backup: string;
  readonly restore: string;
}

/** A namespace with objects of every common kind, their volumes, and custom resources with their definitions. */
export class ZooScene {
  readonly #context: TestContext;
  readonly #kit: TestCluster;
  readonly #names: ReferenceNames;
  readonly #clusters: Readonly<Record<ClusterNumber, Cluster>>;

  private constructor(context: TestContext, kit: TestCluster) {
    this.#context = context;
    this.#kit = kit;
    this.#names = new ReferenceNames(kit);
    const connections = [1, 2].map((cluster) =>
      connectTestCluster(kit, { cluster: cluster === 1 ? 1 : 2 }),
    );
    const [first, second] = connections;
    if (first === undefined || second === undefined) throw new Error('there are two clusters');
    this.#clusters = { 1: first.cluster, 2: second.cluster };
    for (const connection of connections) context.onTestFinished(() => connection.close());
  }

  /** Applies the manifests and waits until everything in them runs. On each volume lies a file with the name of its claim. */
  static async open(context: TestContext): Promise<ZooScene> {
    const zoo = new ZooScene(context, testCluster(context, { node: true }));
    await zoo.#deploy();
    return zoo;
  }

  get namespace(): string {
    return this.#names.ours('zoo');
  }

  /** Sees that what is restored into a namespace ends with the test. */
  deleteAtEnd(namespace: string, cluster: ClusterNumber = 1): void {
    this.#kit.deleteNamespaceAtEnd(namespace, { cluster });
    this.#context.onTestFinished(() =>
      releaseObject(this.#kit, { kind: 'configmap', name: 'conf', namespace }, { cluster }),
    );
  }

  /** Sees that what is in no namespace, and was restored in the other cluster, ends with the test. */
  deleteSharedAtEnd(cluster: ClusterNumber): void {
    this.#context.onTestFinished(async () => {
      for (const file of files.toReversed()) {
        await deleteApplied(this.#kit, await this.#names.manifest(file), { cluster });
      }
    });
  }

  /** Asserts that two copies come to be the same, apart from what is explained. */
  async expectSame(
    [one, other]: readonly [ZooCopy, ZooCopy],
    explained: readonly ExplainedDifference[],
  ): Promise<void> {
    const differences = async (): Promise<readonly FoundDifference[]> => {
      const found = differencesOf(await this.#read(one), await this.#read(other));
      return unexplained(explained, found);
    };
    // Controllers have not come to rest yet.
    await waitFor(async () => (await differences()).length === 0, {
      what: `${one.namespace} and ${other.namespace} to be the same`,
      timeoutMs: 240_000,
      intervalMs: 1_000,
    }).catch(() => undefined);
    expect(await differences()).toEqual([]);
  }

  /** Waits until the volumes are there, and asserts that they hold what they held. */
  async expectData(namespace: string, cluster: ClusterNumber = 1): Promise<void> {
    for (const claim of filledClaims) {
      const path = await this.#markOf(claim, namespace, cluster);
      expect(await readFile(path, 'utf8')).toBe(claim);
    }
  }

  /** Deletes the namespace, and waits until it is gone. */
  async lose(scene: InteropScene): Promise<void> {
    const { namespace } = this;
    await releaseObject(this.#kit, { kind: 'configmap', name: 'conf', namespace });
    await scene.loseNamespace(namespace);
  }

  /** Names the custom resource as a backup does. */
  get widgetIdentifier(): ResourceIdentifier {
    const groupResource = `widgets.${this.#names.ours('lab.example.com')}`;
    return { groupResource, namespace: this.namespace, name: 'w1' };
  }

  /** Reads the custom resource of a namespace. */
  async widget(namespace: string, cluster: ClusterNumber = 1): Promise<JsonValue | undefined> {
    const group = this.#names.ours('lab.example.com');
    const found = await this.#clusters[cluster].get({
      ...{ group, version: 'v1', resource: 'widgets' },
      ...{ namespace, name: 'w1' },
    });
    return found?.['spec'];
  }

  /** What the storage calls the volumes of the application. */
  volumeHandles(): Promise<readonly string[]> {
    const { namespace } = this;
    return Promise.all(
      filledClaims.map((claim) => boundVolumeHandle(this.#clusters[1], namespace, claim)),
    );
  }

  async #deploy(): Promise<void> {
    const names = this.#names;
    await applyReference(this.#kit, this.#context, { names, files, without });
    const target = [`--namespace=${this.namespace}`, '--timeout=240s'];
    for (const workload of ['deployment/web', 'statefulset/db', 'daemonset/agent']) {
      await this.#kit.kubectl(['rollout', 'status', workload, ...target]);
    }
    await this.#kit.kubectl(['wait', 'pod/bare', '--for=condition=Ready', ...target]);
    await this.#kit.kubectl(['wait', 'job/once', '--for=condition=Complete', ...target]);
    for (const claim of filledClaims) {
      await writeFile(await this.#markOf(claim, this.namespace), claim);
    }
  }

  async #markOf(claim: string, namespace: string, cluster: ClusterNumber = 1): Promise<string> {
    const handle = await boundVolumeHandle(this.#clusters[cluster], namespace, claim);
    return join(this.#kit.volumeDataPath(handle), markFile);
  }

  async #read({ namespace, backup, restore }: ZooCopy): Promise<ReadonlyMap<string, JsonValue>> {
    const named = (text: string): string =>
      text.replaceAll(namespace, '<namespace>').replaceAll(restore, '<restore>');
    const read = await readApplicationObjects({
      cluster: this.#clusters[1],
      namespaces: [namespace],
      isOurs: (text) => text.includes(namespace),
      rename: (text) => named(text).replaceAll(backup, '<backup>'),
      leftOut,
    });
    return new Map([...read].map(([path, object]) => [path, neutralJson(object)]));
  }
}

function differencesOf(
  ours: ReadonlyMap<string, JsonValue>,
  theirs: ReadonlyMap<string, JsonValue>,
): readonly FoundDifference[] {
  const paths = [...new Set([...ours.keys(), ...theirs.keys()])];
  return paths.flatMap((file) => {
    const [one, other] = [ours.get(file), theirs.get(file)];
    return one === undefined || other === undefined
      ? [{ file, at: '', ours: one && true, reference: other && true }]
      : jsonDifferences(one, other).map((difference) => ({ file, ...difference }));
  });
}
