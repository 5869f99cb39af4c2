/** What an error of a CSI driver means for whoever waits for the snapshot. */
export type DriverErrorKind =
  /** The storage wants fewer calls at a time. */
  | 'RateLimited'
  /** The driver or its storage does not answer at present. */
  | 'Unavailable'
  /** There is no room for another snapshot until somebody makes some. */
  | 'QuotaExceeded'
  /** The driver cannot snapshot, or not this volume. */
  | 'Unsupported'
  | 'Other';

// Words come before codes: drivers answer ResourceExhausted to a full quota and to a burst alike, and Internal to anything.
const words: readonly (readonly [DriverErrorKind, RegExp])[] = [
  [
    'RateLimited',
    /\b429\b|too ?many ?requests|rate ?(?:limit|exceeded)|throttl|RequestLimitExceeded|(?:Concurrent|Pending)Snapshot\w*Limit|slow ?down/i,
  ],
  [
    'QuotaExceeded',
    /quota|(?:Snapshot|Resource)LimitExceeded|snapshots? limit|(?:maximum|max) (?:number|count) of snapshots|(?:no|not enough|insufficient|out of) (?:free )?(?:disk )?space/i,
  ],
  ['Unsupported', /(?:does|do) not support|not supported|unsupported/i],
];

const codes: Readonly<Record<string, DriverErrorKind>> = {
  ResourceExhausted: 'RateLimited',
  Unavailable: 'Unavailable',
  Unimplemented: 'Unsupported',
};

/** Says from the text of an error, as the sidecar puts it into a status, what kind of error it is. */
export function driverErrorKindOf(message: string): DriverErrorKind {
  const byWords = words.find(([, pattern]) => pattern.test(message));
  if (byWords !== undefined) {
    return byWords[0];
  }
  const code = /\bcode = (\w+)/.exec(message)?.[1] ?? '';
  return Object.hasOwn(codes, code) ? (codes[code] ?? 'Other') : 'Other';
}

/** Whether an error is likely to pass by itself: the sidecar goes on calling, so it is worth waiting. */
export function isPassing(kind: DriverErrorKind): boolean {
  return kind === 'RateLimited' || kind === 'Unavailable';
}

const notFound = /not ?found|no such|can ?not find|does not exist/i;

// So says the snapshot-controller while it has not yet seen what stands for the group; it looks again (external-snapshotter:
// pkg/common-controller/snapshot_controller.go, updateSnapshotStatus). The storage has no part in it.
const groupNotSeen = 'cannot find the group snapshot for VolumeSnapshot';

/** Whether an error says that the storage does not have the snapshot. */
export function isSnapshotNotFound(message: string): boolean {
  return notFound.test(message) && !message.includes(groupNotSeen);
}
