import { compareCodePoints, isJsonObject, type JsonObject } from '../../model/json.ts';

// The order in which Velero 1.18 declares the fields, which is the order in which its encoder writes them
// (velero: pkg/apis/velero/v1/backup_types.go; apimachinery: ObjectMeta). No reader depends on it; it makes our files and
// Velero's comparable line by line.

/** Fields of `metadata`. */
export const metadataKeys: readonly string[] = [
  'name',
  'generateName',
  'namespace',
  'selfLink',
  'uid',
  'resourceVersion',
  'generation',
  'creationTimestamp',
  'deletionTimestamp',
  'deletionGracePeriodSeconds',
  'labels',
  'annotations',
  'ownerReferences',
  'finalizers',
  'managedFields',
];

/** Fields of `spec`. */
export const specKeys: readonly string[] = [
  'metadata',
  'includedNamespaces',
  'excludedNamespaces',
  'includedResources',
  'excludedResources',
  'includedClusterScopedResources',
  'excludedClusterScopedResources',
  'includedNamespaceScopedResources',
  'excludedNamespaceScopedResources',
  'labelSelector',
  'orLabelSelectors',
  'snapshotVolumes',
  'ttl',
  'includeClusterResources',
  'volumeGroupSnapshotLabelKey',
  'hooks',
  'storageLocation',
  'volumeSnapshotLocations',
  'defaultVolumesToRestic',
  'defaultVolumesToFsBackup',
  'orderedResources',
  'csiSnapshotTimeout',
  'itemOperationTimeout',
  'resourcePolicy',
  'snapshotMoveData',
  'datamover',
  'uploaderConfig',
];

/** Fields of `status`. */
export const statusKeys: readonly string[] = [
  'version',
  'formatVersion',
  'expiration',
  'phase',
  'queuePosition',
  'validationErrors',
  'startTimestamp',
  'completionTimestamp',
  'volumeSnapshotsAttempted',
  'volumeSnapshotsCompleted',
  'failureReason',
  'warnings',
  'errors',
  'progress',
  'csiVolumeSnapshotsAttempted',
  'csiVolumeSnapshotsCompleted',
  'backupItemOperationsAttempted',
  'backupItemOperationsCompleted',
  'backupItemOperationsFailed',
  'hookStatus',
];

/** Maps, whose keys Go sorts. */
const maps: ReadonlySet<string> = new Set(['labels', 'annotations', 'orderedResources']);

/** A copy of an object with its keys in the given order, the other keys after them as they were; maps inside are sorted. */
export function orderKeys(object: JsonObject, order: readonly string[]): JsonObject {
  const known = new Set(order);
  const keys = [
    ...order.filter((key) => Object.hasOwn(object, key)),
    ...Object.keys(object).filter((key) => !known.has(key)),
  ];
  return Object.fromEntries(
    keys.map((key) => {
      const value = object[key];
      return [key, maps.has(key) && isJsonObject(value) ? sortMap(value) : value];
    }),
  );
}

function sortMap(map: JsonObject): JsonObject {
  return Object.fromEntries(
    Object.entries(map).sort(([left], [right]) => compareCodePoints(left, right)),
  );
}
