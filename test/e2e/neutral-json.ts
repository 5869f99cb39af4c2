import { type JsonObject, type JsonValue, parseJson } from '@lifeboat/core';
import { isJsonArray, isJsonObject } from '../../packages/core/src/model/json.ts';

const lastApplied = 'kubectl.kubernetes.io/last-applied-configuration';

/** What differs from one cluster to the next, whatever its value. */
const meaningless: ReadonlySet<string> = new Set([
  'resourceVersion',
  'nodePort',
  'healthCheckNodePort',
  'nodeName',
  'containerID',
  'imageID',
  'volumeHandle',
  'snapshotHandle',
  'velero.io/csi-volumesnapshot-handle',
  'volumeSnapshotClassName',
  'storage.kubernetes.io/csiProvisionerIdentity',
  'endpoints.kubernetes.io/last-change-trigger-time',
  'pod-template-hash',
  'controller-revision-hash',
  'controller.kubernetes.io/hash',
  'token',
  'ca.crt',
]);

/** Lists whose order is that of events in the cluster. */
const unordered: ReadonlySet<string> = new Set(['endpoints', 'addresses']);

// Names that controllers and the API server generate have no vowels, so that they hit no word.
const generated = '[bcdfghjklmnpqrstvwxz2456789]';

const stringRules: readonly (readonly [RegExp, string])[] = [
  [/[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, '<uid>'],
  [/\b[0-9a-f]{64}\b/g, '<digest>'],
  [/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z/g, '<time>'],
  [/\b\d{1,3}(?:\.\d{1,3}){3}\b/g, '<address>'],
  [/\bhostpath\.csi\.k8s\.io|\bdirvol\.csi\.(?:lab|lifeboat\.test)/g, '<driver>'],
  [new RegExp(`-${generated}{6,10}(?![a-z0-9])`, 'g'), '-<hash>'],
  [new RegExp(`-${generated}{5}(?![a-z0-9])`, 'g'), '-<suffix>'],
];

/** Text of a backup with what differs from one cluster to the next replaced by what it stands for. */
export function neutralText(text: string): string {
  return stringRules.reduce((so, [from, to]) => so.replaceAll(from, to), text);
}

/**
 * JSON of a backup with what differs from one cluster to the next replaced by what it stands for. Who manages which field is
 * left out: it depends on how many changes a controller puts into one request.
 */
export function neutralJson(value: JsonValue): JsonValue {
  if (typeof value === 'string') {
    return neutralText(value);
  }
  if (isJsonArray(value)) {
    return value.map(neutralJson);
  }
  return isJsonObject(value) ? neutralObject(value) : value;
}

function neutralObject(object: JsonObject): JsonObject {
  return Object.fromEntries(
    Object.entries(object)
      .filter(([key]) => key !== 'managedFields')
      .map(([key, value = null]) => [neutralText(key), neutralMember(key, value)]),
  );
}

function neutralMember(key: string, value: JsonValue): JsonValue {
  // Nanoseconds since 1970, in the status of contents.
  if (meaningless.has(key) || (key === 'creationTime' && typeof value !== 'string')) {
    return `<${key}>`;
  }
  if (unordered.has(key) && isJsonArray(value)) {
    return value.map(neutralJson).sort(byText);
  }
  return key === lastApplied && typeof value === 'string'
    ? neutralJson(parseJson(value))
    : neutralJson(value);
}

function byText(one: JsonValue, other: JsonValue): number {
  return JSON.stringify(one) < JSON.stringify(other) ? -1 : 1;
}
