import { expect, it } from 'vitest';
import { ManualClock } from '../testing/manual-clock.ts';
import { SnapshotWait } from './snapshot-wait.ts';
import { TrackedSnapshot } from './tracked-snapshot.ts';

const apiVersion = 'snapshot.storage.k8s.io/v1';
const limits = { handleTimeoutMs: 60_000, readyTimeoutMs: 60_000, errorGraceMs: 1_000 };

it('tells of a handle only once the snapshot is protected, also when both are seen at once', async () => {
  const tracked = new TrackedSnapshot();
  tracked.update('volumeSnapshot', {
    apiVersion,
    kind: 'VolumeSnapshot',
    metadata: { name: 's', namespace: 'shop', uid: 'u' },
  });
  tracked.update('volumeSnapshotContent', {
    apiVersion,
    kind: 'VolumeSnapshotContent',
    metadata: { name: 'c', uid: 'v' },
    spec: { volumeSnapshotRef: { uid: 'u' } },
    status: { snapshotHandle: 'h' },
  });
  const order: string[] = [];
  const wait = new SnapshotWait({
    ...{ tracked, limits, clock: new ManualClock(), diagnoseAfterMs: 30_000 },
    retain: async () => {
      await Promise.resolve();
      order.push('protected');
    },
    onState: (state) => order.push(state),
    refusingSinceMs: () => undefined,
    onRefusal: () => undefined,
    diagnose: async () => undefined,
  });
  expect(await wait.cut({})).toBeUndefined();
  expect(order).toEqual(['Bound', 'protected', 'HandleAssigned']);
});
