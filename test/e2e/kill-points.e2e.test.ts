import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Engine, Leftover } from '@lifeboat/core';
import { expect, it } from 'vitest';
import { runAll } from '../../packages/core/src/internal/run-all.ts';
import type { ClusterTestContext } from '../cluster/test-cluster.ts';
import { waitFor } from '../cluster/wait-for.ts';
import { boundVolumeHandle, createClaim, VolumeScene } from './volume-scene.ts';

const execute = promisify(execFile);
const child = join(import.meta.dirname, 'kill-points-child.ts');
const atATime = 5;
/** More than any flow makes. */
const never = 1_000;

const isOfCluster = (call: string | undefined): boolean => call?.includes('/') === false;

// Between two files that are stored or deleted nothing differs for the cluster: the same sweep on FakeCluster stops there too.
it.for(['backup', 'restore', 'deletion'] as const)(
  'a %s that is killed after any write to the cluster, or beside one, leaves nothing that cannot be found and removed',
  { timeout: 600_000 },
  async (flow, context) => {
    const calls = await runToTheEnd(flow, context);
    const points = calls.flatMap((_, at) =>
      calls.slice(Math.max(0, at - 1), at + 2).some(isOfCluster) ? [at] : [],
    );
    expect(points.length).toBeGreaterThan(3);
    await killAtEach(points, flow, context);
  },
);

// The sweep over every call is made on FakeCluster.
it('a backup that is killed when it has requested or deleted a volume group leaves nothing that cannot be found and removed', {
  timeout: 600_000,
}, async (context) => {
  const calls = await runToTheEnd('backup', context, 'group');
  const points = ['create volumegroupsnapshots', 'delete volumegroupsnapshots'].map((call) =>
    calls.indexOf(call),
  );
  expect(points).not.toContain(-1);
  await killAtEach(points, 'backup', context, 'group');
});

async function killAtEach(
  points: readonly number[],
  flow: FlowName,
  context: ClusterTestContext,
  what: What = 'claim',
): Promise<void> {
  await runAll(
    points,
    async (at) => {
      const victim = await Victim.open(flow, context, what);
      expect(await victim.run(at)).toBe('killed');
      await victim.removeLeftovers();
    },
    { concurrency: atATime },
  );
}

async function runToTheEnd(
  flow: FlowName,
  context: ClusterTestContext,
  what: What = 'claim',
): Promise<readonly string[]> {
  const victim = await Victim.open(flow, context, what);
  const calls = JSON.parse(await victim.run(never)) as readonly string[];
  expect(await victim.findLeftovers()).toEqual([]);
  return calls;
}

type FlowName = 'backup' | 'restore' | 'deletion';
/** What is backed up: a claim, or a volume group of two. */
type What = 'claim' | 'group';

/** A process that is to be killed, with a namespace, a claim, a store and the name of a backup of its own. */
class Victim {
  readonly #flow: FlowName;
  readonly #scene: VolumeScene;
  readonly #volumeHandles: readonly string[];
  readonly #engine: Engine;
  readonly #backupName: string;

  private constructor(flow: FlowName, scene: VolumeScene, volumeHandles: readonly string[]) {
    this.#flow = flow;
    this.#scene = scene;
    this.#volumeHandles = volumeHandles;
    this.#engine = scene.lab.engine();
    this.#backupName = scene.kit.uniqueName('kill');
  }

  static async open(flow: FlowName, context: ClusterTestContext, what: What): Promise<Victim> {
    const options = what === 'group' ? { labels: { 'velero.io/volume-group': 'db' } } : {};
    const scene = await VolumeScene.open(context, options);
    const { namespace, cluster, volumeHandle } = scene;
    scene.kit.deleteNamespaceAtEnd(`${namespace}-copy`);
    const volumeHandles = [volumeHandle];
    if (what === 'group') {
      await createClaim(cluster, namespace, { ...options, name: 'more' });
      volumeHandles.push(await boundVolumeHandle(cluster, namespace, 'more'));
    }
    const victim = new Victim(flow, scene, volumeHandles);
    if (flow !== 'backup') {
      const request = { name: victim.#backupName, spec: scene.request.spec };
      const { issues } = await victim.#engine.backup(request);
      expect(issues).toEqual([]);
    }
    return victim;
  }

  /** Runs the flow in its process and returns what that prints, or `killed`. */
  async run(at: number): Promise<string> {
    const { kit, lab, namespace } = this.#scene;
    const args = [this.#flow, this.#backupName, namespace, lab.directory, String(at)];
    const env = { ...process.env, KUBECONFIG: kit.describe().kubeconfigPath };
    try {
      const options = ['--conditions=lifeboat-source', '--no-warnings'];
      const { stdout } = await execute(process.execPath, [...options, child, ...args], { env });
      return stdout.trim();
    } catch (error) {
      if (error instanceof Error && 'signal' in error && error.signal === 'SIGKILL') {
        return 'killed';
      }
      throw error;
    }
  }

  /** What is left of this victim: others are at work in the same cluster. */
  async findLeftovers(): Promise<readonly Leftover[]> {
    const found = await this.#engine.findLeftovers({ minimumAgeMs: 0 });
    return found.filter(({ backupName }) => backupName === this.#backupName);
  }

  /** Removes what is left until nothing is: no snapshot without a backup, and no backup without its snapshot. */
  async removeLeftovers(): Promise<void> {
    const { lab, namespace, cluster } = this.#scene;
    let last: unknown = 'nothing';
    const isClean = async (): Promise<boolean> => {
      const left = await this.findLeftovers();
      last = await this.#engine.removeLeftovers(left);
      const objects = [
        ...(await lab.snapshotObjectsOf(namespace, cluster)),
        ...(await lab.snapshotObjectsOf(`${namespace}-copy`, cluster)),
      ];
      return left.length === 0 && objects.length === 0;
    };
    try {
      await waitFor(isClean, { what: 'nothing to be left', timeoutMs: 120_000 });
    } catch (cause) {
      throw new Error(`the last removal came to ${JSON.stringify(last)}`, { cause });
    }
    const backup = await this.#engine.catalog.get(this.#backupName);
    expect(await lab.storageSnapshotsOf(this.#volumeHandles)).toHaveLength(
      backup === undefined ? 0 : this.#volumeHandles.length,
    );
    expect((await lab.keys('backups/')).length > 0).toBe(backup !== undefined);
  }
}
