import type { ExplainedDifference } from './explained-differences.ts';
import { zooDifferences } from './zoo-differences.ts';

const events = 'They say what has happened, not what there is.';

/** Resources that are not looked at, and why. */
export const leftToOthers: ReadonlyMap<string, string> = new Map([
  ['events', events],
  ['events.events.k8s.io', events],
  [
    'ipaddresses.networking.k8s.io',
    'In them the API server keeps account of the addresses of Services.',
  ],
]);

const left = 'What had completed, and what is labelled so, is not part of a backup or a restore.';
const created = 'The API server sets it when an object is created.';
const allotted = 'The API server allots what the Service did not ask for.';
const provisioned = 'The volume is a new one.';
const pods = 'The pods are new ones, with new addresses.';
const replaced =
  'A controller that has not seen all restored pods when it sees their owner makes one and deletes one.';
const otherNode =
  'A pod of a DaemonSet is tied to its node; where that does not exist, the controller replaces it.';
const account = 'The controller fills it in for the account and the cluster that there are.';

const madeAnew =
  /^(metadata (name|generateName|labels velero\.io\/(backup|restore)-name)|spec (volumes|containers \d+ volumeMounts) \d+ name)$/;

/** All in which an application of the zoo may differ from what it was when it comes back in its place. */
export const roundTrip: readonly ExplainedDifference[] = [
  {
    file: 'objects',
    at: /\/(jobs\.batch\/.*\/once|pods\/.*\/once-<suffix>|configmaps\/.*\/not-for-backup)\.json$/,
    only: 'reference',
    why: left,
  },
  {
    file: /./,
    at: /^metadata (uid|resourceVersion|creationTimestamp|generation|managedFields( .*)?)$/,
    why: created,
  },
  { file: /./, at: /^metadata ownerReferences \d+ uid$/, why: created },
  {
    file: /./,
    at: /^metadata labels velero\.io\/(backup|restore)-name$/,
    only: 'ours',
    why: 'By it one finds what a restore has made.',
  },
  {
    file: /\/pods\//,
    at: 'metadata generateName',
    only: 'reference',
    why: 'The name is known by now, so none is to be generated.',
  },
  {
    file: /\/persistentvolumeclaims\/.*\/data-/,
    at: /^(metadata labels velero\.io\/volume-snapshot-name|spec dataSource(Ref)?)$/,
    only: 'ours',
    why: 'It says what the claim was filled from, and cannot be taken away.',
  },
  { file: /\/persistentvolumeclaims\/.*\/data-/, at: 'spec volumeName', why: provisioned },
  {
    file: /\/persistentvolumes\/.* data-/,
    at: /^(metadata name|spec csi (volumeHandle|volumeAttributes storage\.kubernetes\.io\/csiProvisionerIdentity))$/,
    why: provisioned,
  },
  {
    file: /\/persistentvolumes\//,
    at: /^(spec claimRef (uid|resourceVersion)|status lastPhaseTransitionTime)$/,
    why: created,
  },
  {
    file: /\/services\/.*\/(web|np|lb|manual)\.json$/,
    at: /^spec clusterIPs?( 0)?$/,
    why: allotted,
  },
  { file: /\/services\/.*\/np\.json$/, at: 'spec ports 1 nodePort', why: allotted },
  {
    file: /\/services\/.*\/lb\.json$/,
    at: /^spec (ports 0 nodePort|healthCheckNodePort)$/,
    why: allotted,
  },
  { file: /\/endpointslices\..*-<suffix>\.json$/, at: 'metadata name', why: created },
  {
    file: /\/(endpoints\/|endpointslices\..*-<suffix>\.json$)/,
    at: /^metadata annotations endpoints\.kubernetes\.io\/last-change-trigger-time$/,
    why: pods,
  },
  {
    file: /\/(endpoints\/|endpointslices\..*-<suffix>\.json$)/,
    at: /^(endpoints|subsets \d+ addresses) \d+ (addresses 0|ip|targetRef (name|uid))$/,
    why: pods,
  },
  {
    file: /\/secrets\/.*\/robot-token\.json$/,
    at: /^(metadata annotations kubernetes\.io\/service-account\.uid|data token)$/,
    why: account,
  },
  {
    file: /\/pods\/.*\/(web-<hash>|agent)-<suffix>\.json/,
    at: madeAnew,
    why: replaced,
    isSometimes: true,
  },
  // Whether the API server knew of the LimitRange already when a pod was made.
  ...zooDifferences.filter(({ isSometimes }) => isSometimes === true),
];

/** What differs besides when it comes back in other namespaces. */
export const intoAnotherNamespace: readonly ExplainedDifference[] = [
  {
    file: /\/secrets\/.*\/robot-token\.json$/,
    at: 'data namespace',
    why: 'The name of the namespace in base64.',
  },
  {
    file: /./,
    at: 'metadata annotations kubectl.kubernetes.io/last-applied-configuration',
    why: 'It says what was applied, which was the original.',
  },
  {
    file: /\/namespaces\/cluster\/zoo\.json$/,
    at: 'metadata annotations note',
    why: 'A text for people, which holds the name of the original.',
  },
];

/** What differs besides when it comes back in another cluster. */
export const intoAnotherCluster: readonly ExplainedDifference[] = [
  {
    file: /\/(configmaps\/.*\/kube-root-ca\.crt|secrets\/.*\/robot-token)\.json$/,
    at: 'data ca.crt',
    why: account,
  },
  { file: /\/pods\/.*\/agent-<suffix>\.json$/, at: madeAnew, why: otherNode },
];
