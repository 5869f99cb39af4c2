import { expect, it } from 'vitest';
import {
  type DriverErrorKind,
  driverErrorKindOf,
  isPassing,
  isSnapshotNotFound,
} from './driver-error.ts';

it.each<[DriverErrorKind, string]>([
  ['RateLimited', 'rpc error: code = ResourceExhausted desc = busy'],
  ['RateLimited', 'rpc error: code = Internal desc = RequestLimitExceeded: Request limit exceeded'],
  ['RateLimited', 'rpc error: code = Internal desc = SnapshotCreationPerVolumeRateExceeded: wait'],
  ['RateLimited', 'rpc error: code = Unknown desc = ConcurrentSnapshotLimitExceeded: 5 pending'],
  ['RateLimited', 'rpc error: code = Internal desc = StatusCode=429, TooManyRequests'],
  ['RateLimited', 'googleapi: Error 403: Rate Limit Exceeded, rateLimitExceeded'],
  ['RateLimited', 'rpc error: code = Internal desc = Throttling: slow down'],
  ['QuotaExceeded', "rpc error: code = ResourceExhausted desc = Quota 'SNAPSHOTS' exceeded"],
  ['QuotaExceeded', 'rpc error: code = Internal desc = SnapshotLimitExceeded: 10000 snapshots'],
  ['QuotaExceeded', 'rpc error: code = ResourceExhausted desc = not enough space in pool'],
  ['QuotaExceeded', 'rpc error: code = Internal desc = maximum number of snapshots reached'],
  ['Unavailable', 'rpc error: code = Unavailable desc = connection error: desc = refused'],
  ['Unsupported', 'rpc error: code = Unimplemented desc = '],
  ['Unsupported', 'rpc error: code = InvalidArgument desc = snapshots of block are not supported'],
  ['Other', 'rpc error: code = Internal desc = disk on fire'],
  ['Other', 'rpc error: code = constructor desc = odd'],
  ['Other', 'volume 14290 is broken'],
])('takes for %s: %s', (kind, message) => {
  expect(driverErrorKindOf(message)).toBe(kind);
});

it('expects of a busy or absent driver, and of no other error, that it passes', () => {
  const kinds: readonly DriverErrorKind[] = [
    'RateLimited',
    'Unavailable',
    'QuotaExceeded',
    'Unsupported',
    'Other',
  ];
  expect(kinds.filter(isPassing)).toEqual(['RateLimited', 'Unavailable']);
});

it.each([
  [true, 'rpc error: code = NotFound desc = snapshot h-1 does not exist'],
  [true, 'failed to list snapshot: can not find snapshot for snapshotID h-1'],
  [false, 'rpc error: code = Internal desc = disk on fire'],
  [
    false,
    'Snapshot status update failed, updateSnapshotStatus: cannot find the group snapshot for VolumeSnapshot [shop/n], will not update snapshot status',
  ],
])('tells whether the storage lacks the snapshot, %s: %s', (expected, message) => {
  expect(isSnapshotNotFound(message)).toBe(expected);
});
