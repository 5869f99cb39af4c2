import type { TestContext } from 'vitest';
import type { ClusterNumber } from '../cluster/test-cluster.ts';
import { SeedApplication } from '../e2e/seed-application.ts';
import { InteropScene } from './interop-scene.ts';
import type { VeleroPair } from './velero-pair.ts';

/** The seed application, which runs and has written, beside Velero. */
export class SeedScene {
  readonly scene: InteropScene;
  readonly namespace: string;
  /** The namespace for a copy. */
  readonly copy: string;
  /** Of what the application has written. */
  readonly checksum: string;
  readonly #volumeHandle: string;

  private constructor(
    scene: InteropScene,
    {
      namespace,
      copy,
      checksum,
      volumeHandle,
    }: Pick<SeedScene, 'namespace' | 'copy' | 'checksum'> & { readonly volumeHandle: string },
  ) {
    this.scene = scene;
    this.namespace = namespace;
    this.copy = copy;
    this.checksum = checksum;
    this.#volumeHandle = volumeHandle;
  }

  static async open(context: TestContext, pair: VeleroPair): Promise<SeedScene> {
    const scene = await InteropScene.open(context, pair);
    const { kit } = scene;
    const namespace = await kit.createNamespace('seed');
    const copy = `${namespace}-copy`;
    kit.deleteNamespaceAtEnd(copy);
    kit.deleteNamespaceAtEnd(namespace, { cluster: 2 });
    scene.deleteBackupAtEnd(namespace);
    const application = new SeedApplication({ connection: scene.connection(), namespace });
    await application.deploy();
    const checksum = await application.write();
    const volumeHandle = await application.volumeHandle();
    return new SeedScene(scene, { namespace, copy, checksum, volumeHandle });
  }

  /** The name of the backup. */
  get backup(): string {
    return this.namespace;
  }

  /** Waits until the application runs, and returns the checksum of what it finds. */
  async checksumIn(namespace: string, cluster: ClusterNumber = 1): Promise<string> {
    const connection = this.scene.connection(cluster);
    const application = new SeedApplication({ connection, namespace });
    await application.untilRunning();
    return application.checksum();
  }

  /** The handles of the snapshots that the storage has of the application's volume. */
  snapshots(): Promise<readonly string[]> {
    return this.scene.lab.storageSnapshotsOf([this.#volumeHandle]);
  }
}
