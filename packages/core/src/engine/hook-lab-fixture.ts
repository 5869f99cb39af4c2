import type { BackupHooks } from '../model/backup.ts';
import type { BackupEvent } from '../model/event.ts';
import type { KubernetesManifest, StringMap } from '../model/kubernetes.ts';
import { Resources } from '../model/resources.ts';
import type { Clock } from '../ports/clock.ts';
import { MemoryObjectStore } from '../stores/memory-object-store.ts';
import { FakeCluster } from '../testing/fake-cluster/fake-cluster.ts';
import type { ExecInput, ExecOutcome } from '../testing/fake-cluster/fake-pod-exec.ts';
import { FaultyObjectStore } from '../testing/faulty-object-store.ts';
import { createEngine } from './create-engine.ts';
import type { Engine, EngineOptions } from './engine.ts';

/** A pod of a {@link HookLab}. */
export interface LabPod {
  readonly name: string;
  readonly claims?: readonly string[] | undefined;
  /** Generic ephemeral volumes. */
  readonly ephemeral?: readonly string[] | undefined;
  readonly annotations?: StringMap | undefined;
  readonly labels?: StringMap | undefined;
}

/** The annotations of a pod that is frozen and thawed. */
export const freezing: StringMap = {
  'pre.hook.backup.velero.io/command': '["freeze"]',
  'post.hook.backup.velero.io/command': '["thaw"]',
};

/** The hooks of a spec that freeze and thaw every pod. */
export const freezingSpec: BackupHooks = {
  resources: [
    {
      name: 'freezer',
      pre: [{ exec: { command: ['freeze'] } }],
      post: [{ exec: { command: ['thaw'] } }],
    },
  ],
};

/** A namespace `shop` whose pods know the commands `freeze` and `thaw`, and tell when they were run. */
export class HookLab implements AsyncDisposable {
  readonly cluster: FakeCluster;
  readonly store: MemoryObjectStore = new MemoryObjectStore();
  readonly faulty: FaultyObjectStore;
  readonly engine: Engine;
  readonly events: BackupEvent[] = [];
  /** `<command> <pod>`, in order, with the number of storage snapshots at that moment behind it. */
  readonly calls: string[] = [];
  readonly frozen: Set<string> = new Set();
  /** Plays a command instead; what it does not play is run as usual. */
  play: (
    command: string,
    pod: string,
    input: ExecInput,
  ) => Promise<ExecOutcome> | ExecOutcome | undefined = () => undefined;

  private constructor(cluster: FakeCluster, options: Partial<EngineOptions>) {
    this.cluster = cluster;
    this.faulty = new FaultyObjectStore(this.store);
    const { podExec } = cluster;
    this.engine = createEngine({ cluster, podExec, store: this.faulty, ...options });
    cluster.onExec(({ command, podName }, input) => {
      const [program = ''] = command;
      this.calls.push(`${program} ${podName} ${cluster.csi.storage.snapshots.size}`);
      if (program === 'freeze') {
        this.frozen.add(podName);
      } else if (program === 'thaw') {
        this.frozen.delete(podName);
      }
      return this.play(program, podName, input) ?? {};
    });
  }

  static async open(
    pods: readonly LabPod[],
    { clock, ...options }: Partial<EngineOptions> & { readonly clock?: Clock } = {},
  ): Promise<HookLab> {
    const cluster = new FakeCluster(clock === undefined ? {} : { clock });
    await cluster.create(Resources.namespaces, {
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name: 'shop' },
    });
    for (const claim of new Set(pods.flatMap(claimsOf))) {
      await cluster.create(Resources.persistentVolumeClaims, claimManifest(claim));
    }
    for (const pod of pods) {
      await cluster.create(Resources.pods, podManifest(pod));
    }
    await cluster.settle();
    return new HookLab(cluster, clock === undefined ? options : { ...options, clock });
  }

  /** The calls without the number of snapshots. */
  get commands(): readonly string[] {
    return this.calls.map((call) => call.replace(/ \d+$/, ''));
  }

  readonly onEvent = (event: BackupEvent): void => {
    this.events.push(event);
  };

  async [Symbol.asyncDispose](): Promise<void> {
    await this.cluster.close();
  }
}

function claimsOf({ name, claims = [], ephemeral = [] }: LabPod): readonly string[] {
  return [...claims, ...ephemeral.map((volume) => `${name}-${volume}`)];
}

function claimManifest(name: string): KubernetesManifest {
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: { name, namespace: 'shop' },
    spec: {
      storageClassName: 'fake-csi',
      accessModes: ['ReadWriteMany'],
      resources: { requests: { storage: '1Mi' } },
    },
  };
}

function podManifest({
  name,
  claims = [],
  ephemeral = [],
  annotations = {},
  labels = {},
}: LabPod): KubernetesManifest {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: 'shop', annotations, labels },
    spec: {
      containers: [
        { name: 'main', image: 'db' },
        { name: 'side', image: 'proxy' },
      ],
      volumes: [
        ...claims.map((claimName) => ({ name: claimName, persistentVolumeClaim: { claimName } })),
        ...ephemeral.map((volume) => ({
          name: volume,
          ephemeral: { volumeClaimTemplate: { spec: claimManifest(volume)['spec'] } },
        })),
      ],
    },
  };
}
