import { systemClock } from '../../internal/system-clock.ts';
import {
  type ClusterVersion,
  type DiscoveryFailure,
  type KubernetesManifest,
  type KubernetesObject,
} from '../../model/kubernetes.ts';
import { stringAt, withValueAt } from '../../model/object-path.ts';
import type { Clock } from '../../ports/clock.ts';
import { controlPlane } from './controllers/control-plane.ts';
import { ControllerClock } from './controllers/controller-clock.ts';
import { ControllerRuntime } from './controllers/controller-runtime.ts';
import { definitionsTable, resourceOf } from './controllers/custom-resource-controller.ts';
import { CsiFaults } from './csi/csi-faults.ts';
import { csiObjects } from './csi/csi-objects.ts';
import { CsiService } from './csi/csi-service.ts';
import { type ClaimReference, FakeCsiDriver } from './csi/fake-csi-driver.ts';
import { FakeCsiStorage } from './csi/fake-csi-storage.ts';
import { namespaceObject, nodeObjects, systemObjects } from './default-objects.ts';
import { FakeApiServer } from './fake-api-server.ts';
import { type ConnectionHost, FakeConnection } from './fake-connection.ts';
import type { ExecHandler } from './fake-pod-exec.ts';
import type { ServedResource } from './resource-definition.ts';

const defaultVersion: ClusterVersion = { major: '1', minor: '36', gitVersion: 'v1.36.3' };

/** Options of {@link FakeCluster}. */
export interface FakeClusterOptions {
  /** For messages and `location`. @default 'fake' */
  readonly name?: string | undefined;
  /** Turns delays and timestamps. @default the clock of the machine */
  readonly clock?: Clock | undefined;
  /** What `version` answers. @default 1.36.3 */
  readonly version?: ClusterVersion | undefined;
  /** The storage of the CSI driver; give two clusters the same one to restore across them. @default one of its own */
  readonly csiStorage?: FakeCsiStorage | undefined;
  /**
   * Whether the cluster has the snapshot API, the classes `fake-csi` (default StorageClass, and a VolumeSnapshotClass with
   * Velero's label and policy Delete), `fake-csi-wffc` (WaitForFirstConsumer) and `fake-csi-retain` (policy Retain), and a
   * node. Without it there is what every new cluster holds, and what is seeded. @default true
   */
  readonly withCsi?: boolean | undefined;
}

/**
 * A Kubernetes cluster inside the process, to test backup code with: an API server with the rules of the real one, and
 * the controllers that a backup or a restore meets. It passes `clusterContract`, as the real API server does.
 *
 * - Objects are deeply frozen: a caller cannot change what the cluster holds.
 * - Controllers work asynchronously, as in a real cluster; {@link FakeCluster.settle} waits for them.
 * - Nothing goes on after {@link FakeCluster.close}.
 *
 * @example
 * ```ts
 * await using cluster = new FakeCluster();
 * cluster.seed([{ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop' } }]);
 * cluster.faults.inject({ operation: 'create', resource: 'pods', error: 'Forbidden', times: 1 });
 * const engine = createEngine({ cluster, podExec: cluster.podExec, store: new MemoryObjectStore() });
 * await engine.backup({ name: 'first', spec: { includedNamespaces: ['shop'] } });
 * ```
 */
export class FakeCluster extends FakeConnection {
  /** The CSI driver: contents of volumes, what is on the storage, and faults. */
  readonly csi: FakeCsiDriver;
  readonly #host: ConnectionHost;
  readonly #connections: Set<FakeConnection> = new Set();
  readonly #controllers: ControllerRuntime;
  #connection = 0;
  #execHandler: ExecHandler = () => ({});

  constructor(options: FakeClusterOptions = {}) {
    const { name = 'fake', clock = systemClock, version = defaultVersion } = options;
    const { csiStorage = new FakeCsiStorage(), withCsi = true } = options;
    const server = new FakeApiServer(clock);
    const host: ConnectionHost = {
      location: `fake cluster ${name}`,
      version,
      clock,
      server,
      connection: () => this.#connection,
      execHandler: () => this.#execHandler,
    };
    super(host);
    this.#host = host;
    const controllerClock = new ControllerClock(clock);
    const csiFaults = new CsiFaults(controllerClock);
    this.csi = new FakeCsiDriver(csiStorage, csiFaults, (claim) => boundVolume(server, claim));
    const csi = new CsiService(csiStorage, csiFaults, clock);
    this.#controllers = new ControllerRuntime(server, controllerClock, controlPlane(csi, clock));
    this.seed([...systemObjects, ...(withCsi ? [...nodeObjects, ...csiObjects] : [])]);
  }

  /** Says how commands in pods end. Without it every command succeeds silently. */
  onExec(handler: ExecHandler): void {
    this.#execHandler = handler;
  }

  /**
   * Stores fixtures as they are, status included, without admission and without a request; only the metadata that is
   * missing is filled in, the namespace `default` included. An object of the same name is replaced, a namespace that is
   * missing is made, a CustomResourceDefinition is served at once. Controllers then act on them.
   *
   * @throws TypeError when the kind of an object is not served.
   */
  seed(manifests: readonly KubernetesManifest[]): readonly KubernetesObject[] {
    const { server } = this.#host;
    return manifests.map((manifest) => {
      const served = server.registry.findKind(manifest.apiVersion, manifest.kind);
      if (served === undefined) {
        throw new TypeError(
          `The fake cluster does not serve ${manifest.apiVersion} ${manifest.kind}`,
        );
      }
      const placed = placedManifest(manifest, served);
      this.#ensureNamespace(placed, served);
      const seeded = server.seed(placed, served);
      if (served.definition.table === definitionsTable) {
        server.registry.register(resourceOf(seeded));
      }
      return seeded;
    });
  }

  /** Opens one more client of the same cluster, with faults and a log of its own. */
  connect(): FakeConnection {
    const connection = new FakeConnection(this.#host);
    this.#connections.add(connection);
    return connection;
  }

  /** Resolves once every controller has nothing to do but wait for its clock. */
  async settle(): Promise<void> {
    await this.#controllers.settle();
  }

  /** Forgets the history: lists under way go on inconsistently, watches restart, earlier resource versions are Gone. */
  compact(): void {
    this.#host.server.table.compact();
  }

  /** Cuts the connections of every watch; they go on where they stood. */
  breakConnections(): void {
    this.#connection += 1;
    this.#host.server.table.wakeAll();
  }

  /** Makes discovery report a group version as unreachable, as when its aggregated API server is down. */
  failDiscovery(failure: DiscoveryFailure): void {
    this.#host.server.registry.failDiscovery(failure);
  }

  /** Closes every connection and stops the controllers. Rejects if a controller broke, which is a bug of the fake. */
  override async close(): Promise<void> {
    await super.close();
    for (const connection of this.#connections) {
      await connection.close();
    }
    await this.#controllers.stop();
  }

  #ensureNamespace({ metadata }: KubernetesManifest, { definition }: ServedResource): void {
    const { namespace } = metadata;
    const isMissing =
      namespace !== undefined && this.#host.server.table.get('namespaces', namespace) === undefined;
    if (definition.namespaced && isMissing) {
      this.seed([namespaceObject(namespace)]);
    }
  }
}

/** A namespaced fixture without a namespace belongs to `default`, as with kubectl. */
function placedManifest(
  manifest: KubernetesManifest,
  { definition }: ServedResource,
): KubernetesManifest {
  return definition.namespaced && manifest.metadata.namespace === undefined
    ? withValueAt(manifest, ['metadata', 'namespace'], 'default')
    : manifest;
}

function boundVolume(
  { table }: FakeApiServer,
  { namespace, name }: ClaimReference,
): KubernetesObject | undefined {
  const claim = table.get('persistentvolumeclaims', `${namespace}/${name}`);
  const volumeName = claim && stringAt(claim, ['spec', 'volumeName']);
  return volumeName === undefined ? undefined : table.get('persistentvolumes', volumeName);
}
