import { expect, it } from 'vitest';
import { holdersWithGroups, releaseUnits } from './stored-group.ts';
import type { StoredSnapshot } from './stored-snapshot.ts';

const single: StoredSnapshot = { driver: 'disk', snapshotHandle: 's' };
const first: StoredSnapshot = {
  driver: 'disk',
  snapshotHandle: 'g-1',
  group: { snapshotHandle: 'g', memberHandles: ['g-2', 'g-1', 'g-3'] },
};
const second: StoredSnapshot = {
  driver: 'disk',
  snapshotHandle: 'g-2',
  group: { snapshotHandle: 'g', memberHandles: [] },
};
const elsewhere: StoredSnapshot = { ...first, driver: 'file' };

it('frees the snapshots of a group in one call, with all of its members, and others alone', () => {
  const group = { groupSnapshotHandle: 'g', snapshotHandles: ['g-1', 'g-2', 'g-3'] };
  expect(releaseUnits([first, single, second, elsewhere])).toEqual([
    { snapshots: [first, second], group },
    { snapshots: [single] },
    { snapshots: [elsewhere], group },
  ]);
});

it('keeps a whole group as long as another backup holds one of it', () => {
  const holders = new Map([['disk\ng-2', ['b', 'a']]]);
  expect([...holdersWithGroups([first, single, second, elsewhere], holders)]).toEqual([
    ['disk\ng-1', ['a', 'b']],
    ['disk\ng-2', ['a', 'b']],
  ]);
});
