import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { BackupResult, Cluster, JsonValue } from '@lifeboat/core';
import { expect } from 'vitest';
import {
  type ClusterNumber,
  type ClusterTestContext,
  type TestCluster,
  testCluster,
} from '../cluster/test-cluster.ts';
import { waitFor } from '../cluster/wait-for.ts';
import { readApplicationObjects } from './application-objects.ts';
import { applyReference, deleteApplied, releaseObject } from './apply-reference.ts';
import { BackupLab } from './backup-lab.ts';
import {
  type ExplainedDifference,
  type FoundDifference,
  outdated,
  unexplained,
} from './explained-differences.ts';
import { jsonDifferences } from './json-differences.ts';
import { readNeutralDirectory } from './neutral-directory.ts';
import { ReferenceNames } from './reference-names.ts';
import { filledClaims, markFile } from './reference-stand-ins.ts';
import { leftToOthers } from './round-trip-differences.ts';
import { untilAsReference } from './until-as-reference.ts';
import { boundVolumeHandle } from './volume-scene.ts';
import { zooDifferences } from './zoo-differences.ts';

const files = ['crds.yaml', 'zoo2.yaml', 'zoo.yaml'];
const namespaces = ['zoo', 'zoo2'];
const backupName = 'zoo';

/** Where the application is. */
export interface ZooPlace {
  /** @default 1 */
  readonly cluster?: ClusterNumber | undefined;
  /** What stands behind the names of its namespaces. @default nothing */
  readonly suffix?: string | undefined;
}

/** How a restored application compares with what it was, and with what the restore says of it. */
export interface RestoredZoo {
  /** `<severity> <reason> <name>` of the issues of the restore. */
  readonly issues: readonly string[];
  /** What differs and is not explained. */
  readonly unexplained: readonly unknown[];
  /** What is explained and does not differ. */
  readonly outdated: readonly unknown[];
}

/** Two namespaces with objects of every common kind and their volumes, and what belongs to them in none. */
export class ZooScene {
  readonly #context: ClusterTestContext;
  readonly #kit: TestCluster;
  readonly #lab: BackupLab;
  readonly #names: ReferenceNames;
  readonly #clusters: Readonly<Record<ClusterNumber, Cluster>>;
  #before: ReadonlyMap<string, JsonValue> = new Map();

  private constructor(context: ClusterTestContext, lab: BackupLab) {
    this.#context = context;
    this.#kit = lab.kit;
    this.#lab = lab;
    this.#names = new ReferenceNames(lab.kit);
    this.#clusters = { 1: lab.connect().cluster, 2: lab.connect({ cluster: 2 }).cluster };
  }

  /** Applies the manifests and waits until everything in them runs. On each of its CSI volumes lies a file with the name of the claim. */
  static async open(context: ClusterTestContext): Promise<ZooScene> {
    const kit = testCluster(context, { node: true });
    const scene = new ZooScene(context, await BackupLab.open(kit, context));
    await scene.#deploy();
    return scene;
  }

  /** Backs all of it up, and remembers how it looks. */
  async backUp(): Promise<BackupResult> {
    this.#before = await this.#read({});
    return this.#lab.engine().backup({
      name: backupName,
      spec: { includedNamespaces: this.#namespaces(), includeClusterResources: true },
    });
  }

  /** Deletes all of it, and waits until it is gone. */
  async destroy(suffix = ''): Promise<void> {
    const texts = await Promise.all(files.map((file) => this.#names.manifest(file)));
    for (const text of texts.toReversed()) {
      await deleteApplied(this.#kit, text);
    }
    await this.#releaseAndDelete(this.#namespaces(suffix));
    await waitFor(async () => (await this.#read({ suffix })).size === 0, {
      what: 'the application to be gone',
      timeoutMs: 180_000,
      intervalMs: 1_000,
    });
  }

  /** Restores all of it, waits until it looks as it did before, and says in what it does not. */
  async restore({
    explained,
    ...place
  }: ZooPlace & {
    readonly explained: readonly ExplainedDifference[];
  }): Promise<RestoredZoo> {
    const { cluster = 1, suffix = '' } = place;
    await this.#deleteAtEnd(place);
    const namespaceMapping = Object.fromEntries(
      this.#namespaces().map((name) => [name, `${name}${suffix}`]),
    );
    const { issues } = await this.#lab.engine({ cluster }).restore(
      { spec: { backupName, includeClusterResources: true, namespaceMapping } },
      // The backup has what other tests have in no namespace, too.
      { include: ({ object }) => this.#names.isOurs(JSON.stringify(object)) },
    );
    const compared = async (): Promise<RestoredZoo> => {
      const found = differences(await this.#read(place), this.#before);
      return {
        issues: issues.map(({ severity, reason, object }) =>
          [severity, reason, object?.name].join(' '),
        ),
        unexplained: unexplained(explained, found),
        outdated: outdated(explained, found),
      };
    };
    // Controllers have not come to rest yet.
    return waitFor(
      async () => {
        const result = await compared();
        return result.unexplained.length + result.outdated.length === 0 && result;
      },
      {
        what: 'the restored application to be as it was',
        timeoutMs: 120_000,
        intervalMs: 1_000,
      },
    ).catch(compared);
  }

  /** Asserts that the volumes hold what they held. */
  async expectData(place: ZooPlace = {}): Promise<void> {
    for (const claim of filledClaims) {
      expect(await readFile(await this.#markOf(claim, place), 'utf8')).toBe(claim);
    }
  }

  async #deploy(): Promise<void> {
    const names = this.#names;
    await applyReference(this.#kit, this.#context, { names, files });
    const folder = join(import.meta.dirname, '../vectors/zoo-namespace');
    await untilAsReference({
      cluster: this.#clusters[1],
      reference: await readNeutralDirectory({ folder, backup: 'zoo' }),
      names,
      namespace: 'zoo',
      explained: zooDifferences,
    });
    for (const claim of filledClaims) {
      await writeFile(await this.#markOf(claim), claim);
    }
  }

  async #markOf(claim: string, { cluster = 1, suffix = '' }: ZooPlace = {}): Promise<string> {
    const [namespace = ''] = this.#namespaces(suffix);
    const handle = await boundVolumeHandle(this.#clusters[cluster], namespace, claim);
    return join(this.#kit.volumeDataPath(handle), markFile);
  }

  #namespaces(suffix = ''): readonly string[] {
    return namespaces.map((name) => `${this.#names.ours(name)}${suffix}`);
  }

  async #read({ cluster = 1, suffix = '' }: ZooPlace): Promise<ReadonlyMap<string, JsonValue>> {
    const node = await this.#nodeOf(cluster);
    return readApplicationObjects({
      cluster: this.#clusters[cluster],
      namespaces: this.#namespaces(suffix),
      isOurs: (text) => this.#names.isOurs(text),
      rename: (text) =>
        this.#names.theirs(this.#asOriginal(text, suffix)).replaceAll(node, '<node>'),
      leftOut: new Set(leftToOthers.keys()),
    });
  }

  /** Text with the names of the namespaces that were restored to → the same with those of the originals, which it is not to have. */
  #asOriginal(text: string, suffix: string): string {
    return this.#namespaces().reduce(
      (so, name) =>
        suffix === ''
          ? so
          : so.replaceAll(new RegExp(`${name}(${suffix})?`, 'g'), (found) =>
              found === name ? '<original>' : name,
            ),
      text,
    );
  }

  #nodeOf(cluster: ClusterNumber): Promise<string> {
    return this.#kit.kubectl(['get', 'nodes', '--output=jsonpath={.items[0].metadata.name}'], {
      cluster,
    });
  }

  async #deleteAtEnd({ cluster = 1, suffix = '' }: ZooPlace): Promise<void> {
    const texts = await Promise.all(files.map((file) => this.#names.manifest(file)));
    this.#context.onTestFinished(async () => {
      for (const text of texts.toReversed()) {
        await deleteApplied(this.#kit, text, { cluster });
      }
      await this.#releaseAndDelete(this.#namespaces(suffix), cluster);
    });
  }

  /** Deletes namespaces, in one of which a ConfigMap has a finalizer that nobody removes. */
  async #releaseAndDelete(names: readonly string[], cluster: ClusterNumber = 1): Promise<void> {
    for (const namespace of names) {
      await releaseObject(this.#kit, { kind: 'configmap', name: 'conf', namespace }, { cluster });
    }
    const options = ['--ignore-not-found', '--wait=false'];
    await this.#kit.kubectl(['delete', 'namespace', ...names, ...options], { cluster });
  }
}

function differences(
  after: ReadonlyMap<string, JsonValue>,
  before: ReadonlyMap<string, JsonValue>,
): readonly FoundDifference[] {
  const names = (objects: ReadonlyMap<string, JsonValue>): JsonValue =>
    Object.fromEntries([...objects.keys()].map((path) => [path, true]));
  return [
    ...jsonDifferences(names(after), names(before)).map((one) => ({ file: 'objects', ...one })),
    ...[...before]
      .filter(([path]) => after.has(path))
      .flatMap(([path, object]) =>
        jsonDifferences(after.get(path), object).map((one) => ({ file: path, ...one })),
      ),
  ];
}
