import type { ExplainedDifference } from './explained-differences.ts';
import { possibleDifferences } from './usual-differences.ts';
import { zooDifferences } from './zoo-differences.ts';

const derived =
  'Controllers derive them from Services, so they are left to them; Velero restores them.';
const pair = 'What a claim is filled from is removed once the claim is bound; Velero keeps it.';
const port = 'A Service whose node port the original has gets another port; Velero fails it.';
const sameMeaning = 'What means the same stays as it is; Velero compares managedFields too.';
const bound =
  'A volume that is bound to a claim stays with it; Velero points it at the copy, and the claim is lost.';
const ownRoot = 'Each cluster has its own, so it is left out.';
const volumeInUse =
  'A claim whose volume is bound to another claim is an error; Velero creates it, for nothing.';

const replacedPod =
  'A controller that has not seen all restored pods when it sees their owner makes one and deletes one.';

/** In what any restore of ours may or does differ from one of Velero. */
export const anyRestore: readonly ExplainedDifference[] = [
  ...possibleDifferences,
  ...zooDifferences.filter(({ isSometimes }) => isSometimes === true),
  {
    file: /\/pods\/.*\/(web-<hash>|agent)-<suffix>\.json( 2)?$/,
    at: /^metadata (generateName|labels velero\.io\/(backup|restore)-name)$/,
    why: replacedPod,
    isSometimes: true,
  },
  {
    file: 'outcomes',
    at: /^v1\/Pod zoo.*\/(web-<hash>|agent)-<suffix>$/,
    why: replacedPod,
    isSometimes: true,
  },
  {
    file: /^resources\/namespaces\/cluster\//,
    at: /^metadata labels velero\.io\/(backup|restore)-name$/,
    only: 'ours',
    why: 'A namespace that was created for a restore is labelled as every other object.',
  },
];

/** A note of Velero to itself that it forgot to remove. */
export const noteOnClaims: ExplainedDifference = {
  file: /\/persistentvolumeclaims\//,
  at: 'metadata annotations backup.velero.io/must-include-additional-items',
  only: 'reference',
  why: 'A note of Velero to itself that it forgot to remove.',
};

/** Where EndpointSlices of Services are in the backup. */
export const derivedSlices: ExplainedDifference = {
  file: 'outcomes',
  at: /^discovery\.k8s\.io\/v1\/EndpointSlice .*-<suffix>$/,
  why: derived,
};

/** Where Endpoints of Services are, too, and not in the target. */
export const derivedEndpoints: readonly ExplainedDifference[] = [
  derivedSlices,
  { file: 'outcomes', at: /^v1\/Endpoints /, why: derived },
];

/** Where claims are filled from snapshots. */
export const claimsFromSnapshots: readonly ExplainedDifference[] = [
  noteOnClaims,
  { file: 'objects', at: /^resources\/volumesnapshots\.snapshot/, only: 'reference', why: pair },
  {
    file: 'outcomes',
    at: /^snapshot\.storage\.k8s\.io\/v1\/VolumeSnapshot(Content)?$/,
    only: 'reference',
    why: pair,
  },
];

/** Where volumes of the reference are of csi-driver-host-path. */
export const hostPathVolumes: ExplainedDifference = {
  file: /\/persistentvolumes\//,
  at: /^spec csi volumeAttributes csi\.storage/,
  only: 'reference',
  why: 'The driver of the reference repeats its parameters as attributes of the volume.',
};

/** Where a Job and its pod are in the backup that had completed. */
export const completedJob: ExplainedDifference = {
  file: 'outcomes',
  at: /^(batch\/v1\/Job|v1\/Pod zoo.*\/once-<suffix>)$/,
  only: 'ours',
  why: 'What had completed is listed as skipped; Velero does not list it.',
};

/** Where all namespaces are in the backup, and those that everybody has in common are not restored. */
export const ofTheCluster: ExplainedDifference = {
  file: 'outcomes',
  at: /^(\S+ ((default|kube-[a-z-]+|velero)\/.*|system:.*|cluster-admin|velero|[a-z]+\.velero\.io)|velero\.io\/\S+)$/,
  only: 'reference',
  why: 'Tests share the cluster, so nothing is restored but what this one has; Velero found that all the rest existed.',
};

/** Where classes of snapshots are in the backup. */
export const snapshotClasses: ExplainedDifference = {
  file: 'outcomes',
  at: 'snapshot.storage.k8s.io/v1/VolumeSnapshotClass',
  only: 'reference',
  why: 'The backup is stored without them, since tests share those of the cluster.',
};

/** What is in the backup of the namespace `zoo` alone. */
export const zooBackup: readonly ExplainedDifference[] = [completedJob, snapshotClasses];

/** Where the token of a service account is in the backup. */
export const tokenOfAccount: ExplainedDifference = {
  file: /\/secrets\/.*\/robot-token\.json$/,
  at: 'data namespace',
  why: 'The name of the namespace in base64, of which Velero keeps that of the original.',
};

/** Where the namespace is restored beside itself. */
export const besideOriginal: readonly ExplainedDifference[] = [
  tokenOfAccount,
  {
    file: 'objects',
    at: /\/persistentvolumeclaims\/.*\/static-claim\.json$/,
    only: 'reference',
    why: volumeInUse,
  },
  { file: 'outcomes', at: /^v1\/PersistentVolumeClaim .*\/static-claim$/, why: volumeInUse },
];

/** Where the Service `np` of the original has the port that the copy asks for. */
export const portOfOriginal: readonly ExplainedDifference[] = [
  { file: 'objects', at: /\/services\/.*\/np\.json$/, only: 'ours', why: port },
  { file: 'outcomes', at: /^v1\/Service .*\/np$/, why: port },
  {
    file: /\/endpoint(slice)?s(\.|\/).*\/np(-<suffix>)?\.json$/,
    at: /./,
    why: 'Restored without a Service, they still lead to the pods of the original.',
  },
];

/** Where what exists is updated. */
export const updated: readonly ExplainedDifference[] = [
  {
    file: 'outcomes',
    at: /^(apps|autoscaling|policy|rbac\.authorization\.k8s\.io)\/v\d\/\w+ zoo-m\//,
    why: sameMeaning,
  },
  { file: 'outcomes', at: /^v1\/(ResourceQuota|Secret|Service) zoo-m\//, why: sameMeaning },
  {
    file: 'outcomes',
    at: /^v1\/(PersistentVolumeClaim zoo-m\/data-|Pod zoo-m\/)/,
    why: 'What cannot be updated is skipped, with a warning if it differs; for Velero it has failed.',
  },
  { file: 'outcomes', at: 'v1/PersistentVolume static-pv', why: bound },
  { file: 'objects', at: /\/persistentvolumes\/cluster\/static-pv\.json$/, why: bound },
  { file: 'outcomes', at: 'v1/ConfigMap zoo-m/kube-root-ca.crt', why: ownRoot },
  {
    file: /\/configmaps\/.*\/kube-root-ca\.crt\.json$/,
    at: 'metadata labels',
    only: 'reference',
    why: ownRoot,
  },
  {
    file: /\/serviceaccounts\//,
    at: /^metadata labels( velero\.io\/restore-name)?$/,
    why: 'Velero does not label accounts that have all that the backup has.',
  },
];
