import { afterEach, beforeEach, expect, it } from 'vitest';
import type { RestoreEvent } from '../model/event.ts';
import type { KubernetesObject } from '../model/kubernetes.ts';
import { VeleroLabel } from '../model/labels.ts';
import { Resources } from '../model/resources.ts';
import { importedSnapshotName } from '../snapshot/imported-snapshot.ts';
import { ManualClock } from '../testing/manual-clock.ts';
import type { RestoreOptions, RestoreResult } from './request.ts';
import { RestoreScene, untilDone } from './restore-scene-fixture.ts';
import { type Entry, snapshottedClaim } from './snapshotted-claim-fixture.ts';

const places = 2;
const neverReady = ['a', 'b', 'c', 'd', 'e'];
const claims = Resources.persistentVolumeClaims;

let scene: RestoreScene<ManualClock>;

beforeEach(async () => {
  scene = RestoreScene.open(new ManualClock());
  await scene.storeBackup('shop', [...neverReady, 'ready'].flatMap(awaitedClaim));
});

afterEach(async () => {
  await scene[Symbol.asyncDispose]();
});

/** A claim whose snapshot is in the storage, but one called `ready` only will ever be found fit to be read. */
function awaitedClaim(name: string): readonly Entry[] {
  const createdAt = new Date(0);
  const { handle } = scene.cluster.csi.storage.addSnapshot({
    name,
    sourceVolumeHandle: 'gone',
    sizeBytes: 1_048_576n,
    createdAt,
    readyAt: name === 'ready' ? createdAt : undefined,
    files: new Map(),
  });
  return snapshottedClaim(scene.cluster, { name, handle });
}

function restore(options: RestoreOptions = {}): Promise<RestoreResult> {
  return scene.restore(
    { name: 'r-1', spec: { backupName: 'shop' }, metadata: { uid: 'u-1' } },
    { ...options, concurrency: places },
  );
}

/** Resolves when there is a claim: while the clock stands still, no snapshot is given up for it. */
async function claimCreated(): Promise<KubernetesObject> {
  for await (const event of scene.cluster.watch(claims)) {
    if (event.type === 'added') {
      return event.object;
    }
  }
  throw new Error('the watch ended');
}

async function snapshotObjects(): Promise<readonly string[]> {
  const { volumeSnapshots, volumeSnapshotContents } = Resources;
  const lists = [volumeSnapshots, volumeSnapshotContents].map((each) => scene.cluster.list(each));
  const objects = await Promise.all(lists.map((list) => Array.fromAsync(list)));
  return objects.flat().map(({ kind, metadata }) => `${kind} ${metadata.name}`);
}

it('snapshots that never become ready, more of them than places, hold back no other claim', async () => {
  const shared: string[] = [];
  const watch = scene.cluster.watch.bind(scene.cluster);
  scene.cluster.watch = (resource, options = {}) => {
    const { namespace = '', labelSelector } = options;
    if (resource.resource === 'volumesnapshots' && labelSelector !== undefined) {
      shared.push(`${namespace} ${labelSelector}`);
    }
    return watch(resource, options);
  };
  const restored = restore({ snapshotImportTimeoutMs: 2 });
  const { metadata } = await claimCreated();
  expect(metadata.name).toBe('ready');
  const { items, issues } = await untilDone(scene.clock, restored, 1);
  const outcomes = items.filter(({ object }) => object.groupResource === 'persistentvolumeclaims');
  expect(outcomes.map(({ object, action }) => `${object.name} ${action}`).toSorted()).toEqual([
    ...neverReady.map((name) => `${name} failed`),
    'ready created',
  ]);
  expect(issues.map(({ reason }) => reason)).toEqual(neverReady.map(() => 'SnapshotFailed'));
  expect(await snapshotObjects()).toEqual([]);
  expect(shared).toEqual([`shop ${VeleroLabel.restoreName}=r-1`]);
});

it('a cancelled restore removes what it has made for all that were waiting', async () => {
  const controller = new AbortController();
  const restored = restore({ signal: controller.signal });
  await claimCreated();
  controller.abort(new Error('enough'));
  await expect(restored).rejects.toThrow('enough');
  await scene.cluster.settle();
  const kept = importedSnapshotName('u-1', 'velero-ready-abcde');
  expect(await snapshotObjects()).toEqual([
    `VolumeSnapshot ${kept}`,
    `VolumeSnapshotContent ${kept}`,
  ]);
});

it('the next claims are begun only when fewer wait than may', async () => {
  const failedAtMs: number[] = [];
  const onEvent = (event: RestoreEvent): void => {
    if (event.type === 'item' && event.action === 'failed') {
      failedAtMs.push(scene.clock.now().getTime());
    }
  };
  const options = { snapshotImportTimeoutMs: 2, maximumWaitingObjects: 1, onEvent };
  await untilDone(scene.clock, restore(options), 1);
  expect(failedAtMs).toHaveLength(neverReady.length);
  expect(Math.max(...failedAtMs) - Math.min(...failedAtMs)).toBeGreaterThanOrEqual(2);
});

it.each([0, Number.NaN])('%s objects that may wait are refused', async (maximumWaitingObjects) => {
  await expect(restore({ maximumWaitingObjects })).rejects.toMatchObject({
    violations: [{ path: 'options.maximumWaitingObjects' }],
  });
});
