import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  type Cluster,
  parseJson,
  type RestoreCandidate,
  type RestoreRequest,
  type RestoreResult,
  type RestoreSpec,
  type SelectionOptions,
} from '@lifeboat/core';
import { type ClusterTestContext, type TestCluster, testCluster } from '../cluster/test-cluster.ts';
import { waitFor } from '../cluster/wait-for.ts';
import { applyReference, releaseObject } from './apply-reference.ts';
import { BackupLab } from './backup-lab.ts';
import { type ExplainedDifference, outdated, unexplained } from './explained-differences.ts';
import { ReferenceNames } from './reference-names.ts';
import { compareRestores, readLiveRestore, readReferenceRestore } from './reference-restore.ts';
import { filledClaims, markFile, standIns } from './reference-stand-ins.ts';
import { storeReferenceBackup } from './store-reference-backup.ts';
import { boundVolumeHandle } from './volume-scene.ts';

/** What stood in the cluster of a reference when it was restored from it. */
interface ReferenceStage {
  readonly namespace: string;
  readonly files: readonly string[];
  /** What has no part in what is restored. */
  readonly without: readonly string[];
  /** The claims that have snapshots. */
  readonly claims: readonly string[];
  readonly hasServices: boolean;
}

const workloads: readonly string[] = [
  ...['robot-token', 'pull', 'opaque', 'conf', 'frozen', 'not-for-backup', 'reader', 'unbound'],
  ...['web', 'db', 'agent', 'bare', 'once', 'nightly', 'lb', 'ext', 'manual', 'manual-1'],
  ...['deny', 'q', 'lr', 'pt', 'leader', 'w1', 'g1'],
];

const zoo: ReferenceStage = {
  namespace: 'zoo',
  files: ['crds.yaml', 'zoo.yaml'],
  without: workloads,
  claims: filledClaims,
  hasServices: true,
};

const hooked: ReferenceStage = {
  namespace: 'hooked',
  files: ['hooked.yaml'],
  without: [],
  claims: ['data'],
  hasServices: false,
};

const timeoutMs = 180_000;

/** A backup of test/vectors. */
export interface ReferenceBackup {
  readonly vector: 'zoo-namespace' | 'all-namespaces' | 'hooks-annotations';
  readonly name: string;
}

/** How a restore of ours compares with the one of Velero. */
export interface ComparedRestore {
  readonly result: RestoreResult;
  /** What differs and is not explained. */
  readonly unexplained: readonly unknown[];
  /** What is explained and does not differ. */
  readonly outdated: readonly unknown[];
}

/** A backup that Velero made, in a store, with the objects in the cluster that stood there when Velero restored from it. */
export class ReferenceRestoreScene {
  readonly kit: TestCluster;
  readonly cluster: Cluster;
  readonly lab: BackupLab;
  readonly names: ReferenceNames;
  readonly #context: ClusterTestContext;
  readonly #node: string;
  readonly #replaced: ReadonlyMap<string, string>;

  private constructor(
    context: ClusterTestContext,
    lab: BackupLab,
    {
      names,
      node,
      replaced,
    }: {
      readonly names: ReferenceNames;
      readonly node: string;
      readonly replaced: ReadonlyMap<string, string>;
    },
  ) {
    this.#context = context;
    this.kit = lab.kit;
    this.lab = lab;
    this.cluster = lab.connect().cluster;
    this.names = names;
    this.#node = node;
    this.#replaced = replaced;
  }

  /** Stores the backup of a folder of test/vectors, whose snapshots stand for new ones in the storage of the test clusters. */
  static async open(
    context: ClusterTestContext,
    { vector, name }: ReferenceBackup,
  ): Promise<ReferenceRestoreScene> {
    const { files, without, ...stage } = vector === 'hooks-annotations' ? hooked : zoo;
    const kit = testCluster(context, { node: true });
    const lab = await BackupLab.open(kit, context);
    const names = new ReferenceNames(kit);
    await applyReference(kit, context, { names, files, without });
    const node = await kit.kubectl(['get', 'nodes', '--output=jsonpath={.items[0].metadata.name}']);
    const volumeInfo = join(
      import.meta.dirname,
      '../vectors',
      vector,
      `${name}-volumeinfo.json.gz`,
    );
    const namespace = names.ours(stage.namespace);
    const replaced = await standIns(lab, { ...stage, namespace, volumeInfo, node });
    const scene = new ReferenceRestoreScene(context, lab, { names, node, replaced });
    const stored = await storeReferenceBackup({
      ...{ vector, name, store: lab.store },
      rename: (text) => scene.ours(text),
    });
    // Its snapshots are those of the backup that they were taken for.
    const { catalog } = lab.engine();
    context.onTestFinished(() => catalog.delete(stored));
    return scene;
  }

  /** Text of the reference → the same with the names that things have here. */
  ours(text: string): string {
    const keys = [...this.#replaced.keys()].map((key) => key.replaceAll('.', '\\.'));
    return this.names
      .ours(text)
      .replaceAll(new RegExp(keys.join('|'), 'g'), (key) => this.#replaced.get(key) ?? key);
  }

  /** Restores as Velero did, waits until the cluster looks as it looked afterwards, and says in what the two differ. */
  async restoreAsReference(
    name: string,
    explained: readonly ExplainedDifference[],
    { metadata, ...options }: Pick<RestoreRequest, 'metadata'> & SelectionOptions = {},
  ): Promise<ComparedRestore> {
    const reference = await readReferenceRestore(name);
    const spec = parseJson(this.ours(JSON.stringify(reference.spec))) as RestoreSpec;
    const namespaces = [...reference.objects.keys()].flatMap((path) => {
      const [, restored] = /^resources\/namespaces\/cluster\/(.*)\.json$/.exec(path) ?? [];
      return restored === undefined ? [] : [this.ours(restored)];
    });
    namespaces.forEach((namespace) => this.#deleteAtEnd(namespace));
    const ours = this.ours(name);
    const result = await this.lab.engine().restore({ metadata, name: ours, spec }, options);
    const resources = new Map(
      [...reference.resources].map(([key, resource]) => [
        key,
        { ...resource, group: this.ours(resource.group) },
      ]),
    );
    const compared = async (): Promise<ComparedRestore> => {
      const live = await readLiveRestore({
        ...{ cluster: this.cluster, store: this.lab.store, name: ours, namespaces },
        reference: { ...reference, resources },
        rename: (text) => this.names.theirs(text).replaceAll(this.#node, 'node3'),
        status: result.restore.status,
      });
      const found = compareRestores(live, reference);
      return {
        result,
        unexplained: unexplained(explained, found),
        outdated: outdated(explained, found),
      };
    };
    // Controllers have not come to rest yet.
    return waitFor(
      async () => {
        const { unexplained: left, outdated: unneeded, ...rest } = await compared();
        return left.length + unneeded.length === 0
          ? { unexplained: left, outdated: unneeded, ...rest }
          : undefined;
      },
      { what: 'the restored objects to be as in the reference', timeoutMs, intervalMs: 500 },
    ).catch(compared);
  }

  /** Whether an object is in one of the namespaces of this test or, in none, names something of it. */
  isOurs({ namespace, object }: RestoreCandidate): boolean {
    return this.names.isOurs(namespace ?? JSON.stringify(object));
  }

  /** Lets go of the ports that the Service `lb` of the backup has. */
  async freePorts(): Promise<void> {
    await this.kit.kubectl(['delete', 'service/reserved', `--namespace=${this.ours('zoo')}`]);
  }

  /** The file that was on the volume of a claim when its snapshot was taken: the name of the claim. */
  markOf(namespace: string, claim: string): Promise<string> {
    return this.fileOf(namespace, claim, markFile);
  }

  /** A file on the volume of a claim. */
  async fileOf(namespace: string, claim: string, name: string): Promise<string> {
    const handle = await boundVolumeHandle(this.cluster, namespace, claim);
    return readFile(join(this.kit.volumeDataPath(handle), name), 'utf8');
  }

  /** Deletes a restored namespace, in which a ConfigMap has a finalizer that nobody removes. */
  #deleteAtEnd(namespace: string): void {
    this.kit.deleteNamespaceAtEnd(namespace);
    const conf = { kind: 'configmap', name: 'conf', namespace };
    this.#context.onTestFinished(() => releaseObject(this.kit, conf));
  }
}
