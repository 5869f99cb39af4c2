import type { ExplainedDifference } from './explained-differences.ts';

const notKept = 'The Backup is no object of an API server, which is what sets this.';

/** In what the directory of any backup differs from that of a reference. Those that are always there. */
export const usualDifferences: readonly ExplainedDifference[] = [
  {
    file: 'directory',
    at: 'lifeboat-claim.json',
    only: 'ours',
    why: 'By it a run takes the name of its backup; Velero ignores it.',
  },
  {
    file: 'directory',
    at: 'lifeboat-index.json.gz',
    only: 'ours',
    why: 'By it one object is read without the others; Velero ignores it.',
  },
  {
    file: 'directory',
    at: 'lifeboat-manifest.json',
    only: 'ours',
    why: 'By it the backup is verified; Velero ignores it.',
  },
  {
    file: 'velero-backup.json',
    at: 'metadata annotations velero.io/resource-timeout',
    only: 'reference',
    why: 'A setting of the Velero server, which there is none of.',
  },
  {
    file: 'velero-backup.json',
    at: 'metadata resourceVersion',
    only: 'reference',
    why: notKept,
  },
  { file: 'velero-backup.json', at: 'metadata generation', only: 'reference', why: notKept },
];

/** In what a backup may differ from a reference, depending on who was faster or on what else has happened in the cluster. */
export const possibleDifferences: readonly ExplainedDifference[] = [
  {
    file: /\/volumesnapshotclasses\./,
    at: /^metadata labels velero\.io\/(backup|restore)-name$/,
    why: 'The class is there for all, and carries the names of a restore that has met it.',
    isSometimes: true,
  },
  {
    file: /-resource-list\.json\.gz$/,
    at: /^v1\/Event\b/,
    why: 'Events are what has happened in a namespace.',
    isSometimes: true,
  },
  {
    file: 'velero-backup.json',
    at: /^status progress /,
    why: 'How many Events there are.',
    isSometimes: true,
  },
  {
    file: /\/volumesnapshotcontents\./,
    at: 'metadata generation',
    why: 'The policy is set to Retain as soon as the content exists. A content first seen when it is ready is stored as it was before.',
    isSometimes: true,
  },
  {
    file: /\/volumesnapshots\./,
    at: /^metadata finalizers( \d+)?$/,
    why: 'The snapshot-controller adds them one by one; the reference was read five seconds after that.',
    isSometimes: true,
  },
  {
    file: /\/endpointslices\./,
    at: 'metadata generation',
    why: 'How many pods the controller has seen become ready at a time.',
    isSometimes: true,
  },
  {
    file: /\/endpoint(slice)?s(\.|\/)/,
    at: /^metadata annotations( endpoints\.kubernetes\.io\/last-change-trigger-time)?$/,
    why: 'Whether the pods were ready before the controller saw the Service.',
    isSometimes: true,
  },
];

/** In what a claim of which a snapshot was taken always differs from that of a reference. */
export const claimDifferences: readonly ExplainedDifference[] = [
  {
    file: /\/persistentvolumeclaims\//,
    at: 'metadata annotations backup.velero.io/must-include-additional-items',
    only: 'reference',
    why: 'A note of Velero to itself that it forgot to remove.',
  },
];
